"""Outputs as fields: the mask, depth, normals, coordinates, parts and flow that are stored with each view."""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Split
from turntable.datasets.labels import OUTPUT_FIELDS, to_channels_first
from turntable.geometry import QuaternionSign
from turntable.loaders.fields.batch_field import DataDescription, FieldProvider, StoredField


class OutputProvider(FieldProvider):
    """The provider of outputs, [channels, H, W] for each view.

    ``OUTPUT_FIELDS`` has their types: mask (values 0 and 1), parts (255: none) and flow_state are uint8, the
    others float32. Flow is in pixels of the side that images have.
    """

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[StoredField]:
        """Iterate over the outputs that the data have."""
        del sign
        size = data.image_size_px
        for name, form in OUTPUT_FIELDS.items():
            if form.output in data.outputs:
                shape = (form.num_channels, size, size)
                yield StoredField(name, "view", shape, form.dtype, partial(_read_field, name))

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the outputs that the data do not have."""
        return [name for name, form in OUTPUT_FIELDS.items() if form.output not in data.outputs]

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message that says how to render these outputs."""
        available = ("rgb", *data.outputs)
        asked = dict.fromkeys((*available, *(OUTPUT_FIELDS[name].output for name in names)))
        recipe = (
            " with a recipe that has sequences, such as sequences," if _lacks_sequences(names, data) else ""
        )
        return (
            f"no {' and no '.join(names)} in this data set, which has {', '.join(available)} (rgb is always "
            f"there, as view); render it{recipe} with --outputs {','.join(asked)}"
        )

    def format_available(self, data: DataDescription) -> str:
        """Return the names of the outputs that the data have, as text."""
        return f"outputs {', '.join(data.outputs)}" if data.outputs else ""


def _lacks_sequences(names: Sequence[str], data: DataDescription) -> bool:
    return not data.sequence_length and any(OUTPUT_FIELDS[name].output == "flow" for name in names)


def _read_field(name: str, split: Split, row: int, view: int, size: int) -> NDArray[Any]:
    """Read a field [channels, H, W] of one view's output at a side in pixels.

    It is resized to the nearest pixel. A mean of depths, normals or coordinates across an edge would be a
    value that no surface has.
    """
    image = split.read_output(row, view, OUTPUT_FIELDS[name].output)
    stored_size = len(image)
    if size != stored_size:
        nearest = ((np.arange(size) + 0.5) * stored_size / size).astype(np.intp)
        image = image[nearest][:, nearest]
    field = to_channels_first(name, image)
    return field * np.float32(size / stored_size) if name == "flow" else field
