"""Outputs as fields: what is kept of each view beside its picture, mask, depth, normals and coordinates."""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Split
from turntable.datasets.labels import channels_first
from turntable.geometry import QuaternionSign
from turntable.loaders.fields.field import FieldProvider, FieldSource, StoredField

_CHANNELS = {"mask": 1, "depth": 1, "normals": 3, "coordinates": 3}


class OutputProvider(FieldProvider):
    """Gives outputs, [channels, H, W] of each view; float32, but for the mask, which is 0 or 1 as uint8."""

    def fields(self, source: FieldSource, sign: QuaternionSign) -> Iterator[StoredField]:
        """Give those that the data keep."""
        del sign
        size = source.image_size_px
        for name, channels in _CHANNELS.items():
            if name in source.outputs:
                dtype = "uint8" if name == "mask" else "float32"
                yield StoredField(name, "view", (channels, size, size), dtype, partial(_read, name))

    def lacking(self, source: FieldSource) -> Collection[str]:
        """Name those that they do not keep."""
        return [name for name in _CHANNELS if name not in source.outputs]

    def explain(self, names: Sequence[str], source: FieldSource) -> str:
        """Say how to render them."""
        kept = ("rgb", *source.outputs)
        return (
            f"no {' and no '.join(names)} in this data set, which keeps {', '.join(kept)} (rgb is always "
            f"there, as view); render it with --outputs {','.join((*kept, *names))}"
        )

    def listing(self, source: FieldSource) -> str:
        """Name those that the data keep."""
        return f"outputs {', '.join(source.outputs)}" if source.outputs else ""


def _read(name: str, split: Split, row: int, view: int, size: int) -> NDArray[Any]:
    """One view's output at a side in pixels; none may be mixed, so the nearest pixel is taken."""
    image = split.read_extra(row, view, name)
    stored = len(image)
    if size != stored:
        nearest = ((np.arange(size) + 0.5) * stored / size).astype(np.intp)
        image = image[nearest][:, nearest]
    return channels_first(name, image)
