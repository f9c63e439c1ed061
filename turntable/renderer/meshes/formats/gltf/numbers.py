"""Numbers in the JSON of a glTF file. One that is no finite number is replaced, with a warning."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject

MAX_NUMBER = 1e300
"""Size from which a number counts as infinite. JSON integers can be too large for a float."""


def to_finite_numbers(value: object, count: int) -> NDArray[np.float64] | None:
    """Convert a value of the JSON to ``count`` numbers [count], or return None if it is anything else."""
    if not isinstance(value, list) or len(cast("list[Any]", value)) != count:
        return None
    items = cast("list[Any]", value)
    if not all(isinstance(item, (int, float)) and abs(item) < MAX_NUMBER for item in items):
        return None  # a comparison with NaN is false too
    return np.array([float(item) for item in items])


def parse_numbers(
    file: GltfFile, table: JsonObject, name: str, default: list[float], owner: str
) -> NDArray[np.float64]:
    """Parse a list of numbers, as long as its default.

    Args:
        file: File with the log of warnings.
        table: Object of the JSON that has the list.
        name: Name of the list.
        default: Numbers that the list stands for if it is left out or broken.
        owner: Description of the object, for a warning: "material 3".
    """
    value = table.get(name)
    numbers = None if value is None else to_finite_numbers(value, len(default))
    if numbers is None and value is not None:
        detail = f"{name} of {owner} is not a list of {len(default)} finite numbers"
        file.log.add("number-repaired", detail, f"{_format_default(default)} stands in for it")
    return np.array(default, dtype=np.float64) if numbers is None else numbers


def parse_number(
    file: GltfFile,
    table: JsonObject,
    name: str,
    default: float,
    owner: str,
    max_value: float | None = 1.0,
) -> float:
    """Parse a number, clamped to [0, max_value] unless ``max_value`` is None. A broken one is ``default``."""
    value = table.get(name)
    numbers = None if value is None else to_finite_numbers([value], 1)
    if numbers is None and value is not None:
        detail = f"{name} of {owner} is not a finite number"
        file.log.add("number-repaired", detail, f"{default:g} stands in for it")
    number = default if numbers is None else float(numbers[0])
    return number if max_value is None else min(max(number, 0.0), max_value)


def _format_default(default: list[float]) -> str:
    """Return the numbers of a default as text."""
    return f"[{', '.join(f'{number:g}' for number in default)}]"
