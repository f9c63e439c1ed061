"""Outputs as fields: the mask, depth, normals and coordinates that are stored with each view."""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Split
from turntable.datasets.labels import to_channels_first
from turntable.geometry import QuaternionSign
from turntable.loaders.fields.batch_field import DataDescription, FieldProvider, StoredField

_NUM_CHANNELS = {"mask": 1, "depth": 1, "normals": 3, "coordinates": 3}


class OutputProvider(FieldProvider):
    """The provider of outputs, [channels, H, W] for each view.

    The mask is uint8 with values 0 and 1. The others are float32.
    """

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[StoredField]:
        """Iterate over the outputs that the data have."""
        del sign
        size = data.image_size_px
        for name, channels in _NUM_CHANNELS.items():
            if name in data.outputs:
                dtype = "uint8" if name == "mask" else "float32"
                yield StoredField(name, "view", (channels, size, size), dtype, partial(_read_output, name))

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the outputs that the data do not have."""
        return [name for name in _NUM_CHANNELS if name not in data.outputs]

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message that says how to render these outputs."""
        available = ("rgb", *data.outputs)
        return (
            f"no {' and no '.join(names)} in this data set, which has {', '.join(available)} (rgb is always "
            f"there, as view); render it with --outputs {','.join((*available, *names))}"
        )

    def format_available(self, data: DataDescription) -> str:
        """Return the names of the outputs that the data have, as text."""
        return f"outputs {', '.join(data.outputs)}" if data.outputs else ""


def _read_output(name: str, split: Split, row: int, view: int, size: int) -> NDArray[Any]:
    """Read one view's output [channels, H, W] at a side in pixels.

    It is resized to the nearest pixel. A mean of depths, normals or coordinates across an edge would be a
    value that no surface has.
    """
    image = split.read_output(row, view, name)
    stored_size = len(image)
    if size != stored_size:
        nearest = ((np.arange(size) + 0.5) * stored_size / size).astype(np.intp)
        image = image[nearest][:, nearest]
    return to_channels_first(name, image)
