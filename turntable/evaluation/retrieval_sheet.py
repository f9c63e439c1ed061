"""A sheet of what a predictor finds: queries in rows, the view asked for, and the nearest ones."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from turntable.datasets.dataset import Dataset
from turntable.datasets.pixels import decode_jpeg
from turntable.datasets.split import Split
from turntable.evaluation.details import Retrieval

_SIDE_PX = 72
_GAP_PX = 6
_FRAME = (76, 159, 80, 255)
_ROWS = 8


def retrieval_sheet(retrieval: Retrieval, dataset: Dataset) -> bytes:
    """Draw a sheet.

    Args:
        retrieval: Of views of the val split.
        dataset: Where their pixels are.

    Returns:
        A PNG with a transparent ground.
    """
    rows = min(_ROWS, len(retrieval.objects))
    columns = 2 + retrieval.found_views.shape[1]
    step = _SIDE_PX + 2 * _GAP_PX
    sheet = Image.new("RGBA", (columns * step + 2 * _GAP_PX, rows * step), (0, 0, 0, 0))
    with dataset.split("val") as split:
        for row in range(rows):
            number, true = int(retrieval.objects[row]), int(retrieval.true_views[row])
            views = [int(retrieval.source_views[row]), true, *map(int, retrieval.found_views[row])]
            for column, view in enumerate(views):
                # A gap sets what is asked apart from what is found.
                left = column * step + (2 * _GAP_PX if column >= 2 else 0)
                if column >= 2 and view == true:
                    sheet.paste(_FRAME, (left + 2, row * step + 2, left + step - 2, (row + 1) * step - 2))
                sheet.paste(_view(split, number, view), (left + _GAP_PX, row * step + _GAP_PX))
    buffer = io.BytesIO()
    sheet.save(buffer, format="png")
    return buffer.getvalue()


def _view(split: Split, number: int, view: int) -> Image.Image:
    pixels: NDArray[np.uint8] = decode_jpeg(split.read_jpeg(number, view))
    return Image.fromarray(pixels).resize((_SIDE_PX, _SIDE_PX))
