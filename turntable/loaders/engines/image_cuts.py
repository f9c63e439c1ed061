"""Cutting and resizing of images on the CPU."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.loaders.draws import CropRule
from turntable.loaders.fields import format_crop_field


def resize_image(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize an image [S, S, 3] to [size, size, 3], bilinear and antialiased."""
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def fill_crops(
    arrays: Mapping[str, NDArray[Any]],
    rules: Sequence[CropRule],
    index: tuple[int, int],
    image: NDArray[np.uint8],
) -> None:
    """Cut the crops of one view by the boxes that the arrays have already.

    Args:
        arrays: Arrays of a batch; crops are [B, n, size, size, 3], their boxes [B, n, 4].
        rules: Rules of crops, in the order of their numbers.
        index: Place of the view in its sample from 0, and row of the sample.
        image: View [S, S, 3], of the size that boxes are in pixels of.
    """
    place, row = index
    for number, rule in enumerate(rules):
        if rule.view - 1 == place:
            name = format_crop_field(number)
            cut_crops(image, arrays[f"{name}_box"][row], arrays[name][row])


def cut_crops(image: NDArray[np.uint8], boxes: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
    """Cut crops out of an image and resize them, bilinear and antialiased, in one resampling.

    Args:
        image: [S, S, 3].
        boxes: [n, 4] top, left, height and width in pixels.
        out: [n, size, size, 3] array for the crops.
    """
    from PIL import Image

    source, size = Image.fromarray(image), out.shape[1]
    for crop, (top, left, height, width) in zip(out, boxes.tolist(), strict=True):
        # Rounded to float32, a box may end a little beyond the image.
        box = (left, top, min(left + width, source.width), min(top + height, source.height))
        crop[:] = source.resize((size, size), Image.Resampling.BILINEAR, box)
