"""Single samples by number, for those who bring a loader of their own."""

from typing import Any

import numpy as np

from turntable.loaders.loader import Loader


class ItemDataset:
    """The samples of a :class:`Loader` one by one: a map-style data set for torch's DataLoader and its kin.

    Item i is sample i of the epoch set last, already in random order: load it without shuffling. ``Loader``
    is several times faster.

    Args:
        loader: whose samples they are. Its batches, ranks and workers play no part here.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader, self._epoch = loader, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose samples the items are.

        A DataLoader with persistent workers keeps its own copy and would not see it.
        """
        self._epoch = epoch

    def __len__(self) -> int:
        return self._loader.num_samples

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One sample, the fields of a batch without their first axis."""
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        batch = self._loader.batch_at(self._epoch, np.array([index]))
        return {name: values[0] for name, values in batch.items()}
