"""The pictures of an evaluation: its details as figures, each with what it shows."""

from dataclasses import dataclass

from turntable.datasets.dataset import Dataset
from turntable.evaluation.details import Details
from turntable.evaluation.figures import error_over_angle, projections
from turntable.evaluation.retrieval_sheet import retrieval_sheet


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
