"""The check of ranges of numbers above zero."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from turntable.errors import InvalidInputError, format_value
from turntable.loaders.argument_checks import is_number


def check_span(name: str, span: Any, max_value: float) -> None:
    """Check a range of numbers above zero.

    Args:
        name: Name of the argument.
        span: Smallest and largest number, both above 0.
        max_value: Largest value of either.

    Raises:
        InvalidInputError: It is something else.
    """
    is_span = isinstance(span, Sequence) and len(span) == 2 and all(map(is_number, span))
    if not is_span or not 0 < span[0] <= span[1] <= max_value or not np.isfinite(span[1]):
        bound = f", and the largest at most {max_value:g}" if np.isfinite(max_value) else ""
        raise InvalidInputError(
            f"{name} {format_value(span)}: give two numbers, the smallest and the largest; both must be "
            f"above 0{bound}"
        )
