"""The classes of molecules by their rings, which are their categories."""

import numpy as np
from numpy.typing import NDArray

RING_CLASSES = ("acyclic", "alicyclic", "aromatic", "heteroaromatic")
"""The classes. Acyclic: no rings. Alicyclic: rings, but no aromatic one. Aromatic: with aromatic rings, all
of carbon. Heteroaromatic: another element is in an aromatic ring."""


def name_ring_classes(
    num_rings: NDArray[np.integer], num_aromatic: NDArray[np.integer], num_hetero: NDArray[np.integer]
) -> list[str]:
    """Return the class of each of several molecules.

    Args:
        num_rings: [M] numbers of independent rings: bonds less atoms plus 1.
        num_aromatic: [M] numbers of aromatic atoms.
        num_hetero: [M] numbers of aromatic atoms besides carbon.
    """
    index = (num_rings > 0).astype(np.intp)
    index[num_aromatic > 0] = 2
    index[num_hetero > 0] = 3
    return [RING_CLASSES[item] for item in index.tolist()]
