"""The figures of an evaluation, with titles and captions."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from turntable.datasets import Dataset, Split
from turntable.datasets.files import decode_jpeg
from turntable.evaluation.figure_data import FigureData, RetrievalExamples
from turntable.evaluation.report.plots import plot_error_over_angle, plot_projections


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure of a page."""

    image: bytes
    """Image as PNG."""
    title: str
    """Title of the figure."""
    caption: str
    """Explanation of the figure, in sentences."""


def build_report_figures(details: FigureData, dataset: Dataset, split: str = "val") -> list[ReportFigure]:
    """Build the figures of an evaluation.

    Args:
        details: Figure data of a split of the data set.
        dataset: Data set with the images of retrieved views.
        split: Name of the split.
    """
    figures: list[ReportFigure] = []
    if details.errors_deg:
        figures.append(
            ReportFigure(
                plot_error_over_angle(details.turn_deg, details.errors_deg),
                "Rotation error by angle between the views",
                "The median error of pairs by the true angle between their views; the middle half of the"
                " errors is shaded. Dashed: the error of predicting no rotation, which is the angle itself. A"
                " line below the dashed one is better than that, a line above it is worse.",
            )
        )
    if details.projections:
        figures.append(
            ReportFigure(
                plot_projections(details.projections, details.projected_categories, dataset.categories),
                "Principal components of views",
                "The first two principal components of some views of held-out objects, colored by category. A"
                " part that is invariant to rotation shows clusters of categories; one that follows the"
                " rotation mixes them.",
            )
        )
    if details.retrieval is not None:
        figures.append(
            ReportFigure(
                render_retrieval_sheet(details.retrieval, dataset, split),
                "Views retrieved by the predictor",
                "The target view is predicted from the source view and the action. The numbered views are"
                " those of the object that are nearest to the prediction; the true one has a frame.",
            )
        )
    return figures


_SIDE_PX = 72
_GAP_PX = 6
_FRAME_RGBA = (76, 159, 80, 255)
_TEXT_RGBA = (128, 136, 144, 255)
"""Gray that can be read on white and on black."""
_HEADER_PX, _NAME_PX, _MAX_NAME_LENGTH = 20, 110, 15
_MAX_ROWS = 8


def render_retrieval_sheet(retrieval: RetrievalExamples, dataset: Dataset, split_name: str = "val") -> bytes:
    """Render a sheet of retrieval examples, a row for each query.

    Args:
        retrieval: Queries of views of a split, and the retrieved views.
        dataset: Data set with the images of the views.
        split_name: Name of the split.

    Returns:
        A PNG with a transparent background.
    """
    num_rows = min(_MAX_ROWS, len(retrieval.objects))
    num_found = retrieval.found_views.shape[1]
    step = _SIDE_PX + 2 * _GAP_PX
    # A gap separates the query (source and target) from the retrieved views.
    lefts = [
        _NAME_PX + column * step + (2 * _GAP_PX if column >= 2 else 0) for column in range(2 + num_found)
    ]
    size = (lefts[-1] + step, _HEADER_PX + num_rows * step)
    sheet = Image.new("RGBA", size, (*_TEXT_RGBA[:3], 0))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    headings = ["source", "target", *(f"{rank + 1}." for rank in range(num_found))]
    for left, heading in zip(lefts, headings, strict=True):
        draw.text((left + step / 2, _HEADER_PX / 2), heading, fill=_TEXT_RGBA, font=font, anchor="mm")
    with dataset.open_split(split_name) as split:
        for row in range(num_rows):
            top = _HEADER_PX + row * step
            index, true = int(retrieval.objects[row]), int(retrieval.true_views[row])
            category = split.objects[index].category
            draw.text(
                (0, top + step / 2), category[:_MAX_NAME_LENGTH], fill=_TEXT_RGBA, font=font, anchor="lm"
            )
            views = [int(retrieval.source_views[row]), true, *map(int, retrieval.found_views[row])]
            for column, (left, view) in enumerate(zip(lefts, views, strict=True)):
                if column >= 2 and view == true:
                    sheet.paste(_FRAME_RGBA, (left + 2, top + 2, left + step - 2, top + step - 2))
                sheet.paste(_load_view(split, index, view), (left + _GAP_PX, top + _GAP_PX))
    buffer = io.BytesIO()
    sheet.save(buffer, format="png")
    return buffer.getvalue()


def _load_view(split: Split, index: int, view: int) -> Image.Image:
    pixels: NDArray[np.uint8] = decode_jpeg(split.read_jpeg(index, view))
    return Image.fromarray(pixels).resize((_SIDE_PX, _SIDE_PX))
