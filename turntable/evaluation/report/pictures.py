"""The pictures of an evaluation: its details as figures, each with what it shows."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from turntable.datasets import Dataset, Split
from turntable.datasets.files import decode_jpeg
from turntable.evaluation.details import Details, Retrieval
from turntable.evaluation.report.figures import error_over_angle, projections


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the page."""

    image: bytes
    """PNG."""
    title: str
    caption: str


def pictures_of(details: Details, dataset: Dataset) -> list[Picture]:
    """What the details of an evaluation look like.

    Args:
        details: Of the data set's val split.
        dataset: Where the pixels of retrieved views are.
    """
    pictures: list[Picture] = []
    if details.errors_deg:
        pictures.append(
            Picture(
                error_over_angle(details.turn_deg, details.errors_deg),
                "Error over the angle of the turn",
                "The median error of pairs whose views are so far apart, with the middle half of them shaded."
                " Dashed: saying that nothing was turned, which misses by the angle itself. Where a line is"
                " below the dashed one, something of the turn is known; above it, saying nothing is better.",
            )
        )
    if details.projections:
        pictures.append(
            Picture(
                projections(details.projections, details.projected_categories, dataset.categories),
                "Views as points",
                "The first two principal components of some views of held-out objects, coloured by category."
                " A part that stays as an object turns shows categories as clouds; one that follows the turn"
                " mixes them.",
            )
        )
    if details.retrieval is not None:
        pictures.append(
            Picture(
                retrieval_sheet(details.retrieval, dataset),
                "Views that the predictor finds",
                "From the first view and the turn, the second one is predicted; then come the views of the"
                " object nearest to the prediction, framed where it is the true one.",
            )
        )
    return pictures


_SIDE_PX = 72
_GAP_PX = 6
_FRAME = (76, 159, 80, 255)
_INK = (128, 136, 144, 255)
"""Grey enough to be read on white and on black."""
_HEAD_PX, _NAME_PX, _NAME_LETTERS = 20, 110, 15
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
    nearest = retrieval.found_views.shape[1]
    step = _SIDE_PX + 2 * _GAP_PX
    # A gap sets what is asked apart from what is found.
    lefts = [_NAME_PX + column * step + (2 * _GAP_PX if column >= 2 else 0) for column in range(2 + nearest)]
    size = (lefts[-1] + step, _HEAD_PX + rows * step)
    sheet = Image.new("RGBA", size, (*_INK[:3], 0))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for left, head in zip(lefts, ["from", "asked for", *(f"{n + 1}." for n in range(nearest))], strict=True):
        draw.text((left + step / 2, _HEAD_PX / 2), head, fill=_INK, font=font, anchor="mm")
    with dataset.split("val") as split:
        for row in range(rows):
            top = _HEAD_PX + row * step
            number, true = int(retrieval.objects[row]), int(retrieval.true_views[row])
            category = split.objects[number].category
            draw.text((0, top + step / 2), category[:_NAME_LETTERS], fill=_INK, font=font, anchor="lm")
            views = [int(retrieval.source_views[row]), true, *map(int, retrieval.found_views[row])]
            for column, (left, view) in enumerate(zip(lefts, views, strict=True)):
                if column >= 2 and view == true:
                    sheet.paste(_FRAME, (left + 2, top + 2, left + step - 2, top + step - 2))
                sheet.paste(_view(split, number, view), (left + _GAP_PX, top + _GAP_PX))
    buffer = io.BytesIO()
    sheet.save(buffer, format="png")
    return buffer.getvalue()


def _view(split: Split, number: int, view: int) -> Image.Image:
    pixels: NDArray[np.uint8] = decode_jpeg(split.read_jpeg(number, view))
    return Image.fromarray(pixels).resize((_SIDE_PX, _SIDE_PX))
