"""The parameters of augmentations, which are also fields of batches."""

from dataclasses import dataclass
from typing import Literal

from turntable.markdown import format_markdown_table

ParameterType = Literal["float32", "int64"]


@dataclass(frozen=True, slots=True)
class AugmentationParameter:
    """A parameter of an augmentation, which is also a field of the batch."""

    name: str
    shape: tuple[int, ...]
    """Shape of one view's value, without the axes of the batch and the views."""
    unit: str
    values: str
    """Range, then the value that leaves the image unchanged: "0 or 1; 0"."""
    meaning: str
    dtype: ParameterType = "float32"


PARAMETERS: tuple[AugmentationParameter, ...] = (
    AugmentationParameter(
        "crop",
        (4,),
        "share of a side",
        "0 to 1; 0, 0, 1, 1",
        "top, left, height, width of the part that is kept",
    ),
    AugmentationParameter("flip", (), "1", "0 or 1; 0", "1: left and right exchanged, after the crop"),
    AugmentationParameter(
        "affine",
        (2, 3),
        "half a side",
        "any; 1, 0, 0, 0, 1, 0",
        "A row by row, then t: what was at x is at A x + t, x right and y down from the image's center",
    ),
    AugmentationParameter(
        "shift_px",
        (2,),
        "pixel",
        "any; 0, 0",
        "circular shift right and down, in pixels of the result: what leaves on one side enters on the other",
        "int64",
    ),
    AugmentationParameter("brightness", (), "1", "at least 0; 1", "factor of all channels"),
    AugmentationParameter(
        "contrast", (), "1", "at least 0; 1", "factor of the distance from the image's mean gray"
    ),
    AugmentationParameter(
        "saturation", (), "1", "at least 0; 1", "factor of the distance from the pixel's gray"
    ),
    AugmentationParameter("hue_shift", (), "turn", "-0.5 to 0.5; 0", "added to the HSV hue of every pixel"),
    AugmentationParameter("grey", (), "1", "0 or 1; 0", "1: converted to gray"),
    AugmentationParameter(
        "blur_sigma_px",
        (),
        "pixel",
        "at least 0; 0",
        "standard deviation of the Gaussian blur, in pixels of the result",
    ),
    AugmentationParameter(
        "solarize", (), "1", "0 or 1; 0", "1: values of 128 and above become 255 minus themselves"
    ),
)
"""All parameters, in the order in which they are applied."""

PARAMETER_NAMES: tuple[str, ...] = tuple(row.name for row in PARAMETERS)


def format_parameter_table() -> str:
    """Return ``PARAMETERS`` as a Markdown table for the documentation."""
    rows = [
        (f"`{row.name}`", str(list(row.shape)) if row.shape else "scalar", row.unit, row.values, row.meaning)
        for row in PARAMETERS
    ]
    return format_markdown_table(
        ("field", "shape", "unit", "range; what changes nothing", "what it is"), rows
    )
