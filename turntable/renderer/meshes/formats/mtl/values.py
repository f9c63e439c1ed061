"""Numbers and colors of MTL statements."""

import math

from turntable.renderer.meshes.formats.wavefront_text import parse_number

SPECTRAL, XYZ = "spectral", "xyz"
"""Words before a color that is a file of a spectrum, or is given in CIE XYZ."""
_XYZ_TO_RGB = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)
"""Matrix from CIE XYZ to linear Rec.709 (IEC 61966-2-1)."""


def parse_value(text: str | None, default: float) -> float:
    """Parse the first number of a statement, or return the default if there is no finite one."""
    words = text.split(None, 1) if text else []
    value = parse_number(words[0]) if words else math.nan
    return value if math.isfinite(value) else default


def parse_color(text: str | None) -> tuple[float, float, float] | None:
    """Parse a linear color, or return None if the statement gives none."""
    words = text.split() if text else []
    if words and words[0].lower() == XYZ:
        color = parse_color(" ".join(words[1:]))
        return None if color is None else _convert_xyz(color)
    numbers = [parse_number(word) for word in words[:3]]
    if not numbers or not all(math.isfinite(number) for number in numbers):
        return None
    # A single number is a shade of gray.
    red, green, blue = numbers if len(numbers) == 3 else [numbers[0]] * 3
    return red, green, blue


def _convert_xyz(color: tuple[float, float, float]) -> tuple[float, float, float]:
    """Convert a color from CIE XYZ to linear Rec.709, in [0, 1]."""
    red, green, blue = (
        min(max(sum(a * b for a, b in zip(row, color, strict=True)), 0.0), 1.0) for row in _XYZ_TO_RGB
    )
    return red, green, blue
