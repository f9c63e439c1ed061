"""Checks of the arguments of loaders: each error names the argument, what was given, and what is wanted."""

from collections.abc import Iterable
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError, format_value
from turntable.home import expand_home


def is_integer(value: object) -> bool:
    """Return True for whole numbers, also those of numpy. True and False are none."""
    return not isinstance(value, bool) and isinstance(value, Integral)


def is_number(value: object) -> bool:
    """Return True for real numbers, also those of numpy. True and False are none."""
    return not isinstance(value, bool) and isinstance(value, Real)


def is_text(value: object) -> bool:
    """Return True for texts."""
    return isinstance(value, str)


def is_flag(value: object) -> bool:
    """Return True for True and False, also those of numpy."""
    return isinstance(value, bool | np.bool_)


def check_integer(name: str, value: object, min_value: int | None = None, other: str = "") -> int:
    """Check a whole number, and return it as a plain one.

    Args:
        name: Name of the argument.
        value: Value to check, of any type.
        min_value: Smallest value; None: any.
        other: Words for what is allowed besides: ", or None for all".

    Raises:
        InvalidInputError: It is something else.
    """
    if not is_integer(value):
        raise InvalidInputError(f"{name} {format_value(value)}: must be a whole number{other}")
    number = int(cast("int", value))
    if min_value is not None and number < min_value:
        raise InvalidInputError(f"{name} {number}: must be at least {min_value}{other}")
    return number


def check_epoch(epoch: object) -> int:
    """Check the number of an epoch, from 0, and return it as a plain number.

    Raises:
        InvalidInputError: It is something else.
    """
    return check_integer("epoch", epoch, 0)


def check_number(name: str, value: object, *, above_zero: bool = False) -> float:
    """Check a number, and return it as a plain one.

    Raises:
        InvalidInputError: It is no number, or must be above 0 and is not.
    """
    if not is_number(value):
        raise InvalidInputError(f"{name} {format_value(value)}: must be a number")
    number = float(cast("float", value))
    if above_zero and not number > 0:
        raise InvalidInputError(f"{name} {number:g}: must be above 0")
    return number


def check_flag(name: str, value: object) -> bool:
    """Check that a value is True or False, and return it.

    Raises:
        InvalidInputError: It is something else.
    """
    if not is_flag(value):
        raise InvalidInputError(f"{name} {format_value(value)}: must be True or False")
    return bool(value)


def check_type(name: str, value: object, kind: type | tuple[type, ...], hint: str) -> None:
    """Check that a value is of a type, or of one of several.

    Args:
        name: Name of the argument.
        value: Value to check, of any type.
        kind: Type that it must have, or several to choose from.
        hint: Words for what to give: "give a Loader".

    Raises:
        InvalidInputError: It is of another type.
    """
    if not isinstance(value, kind):
        raise InvalidInputError(f"{name} {format_value(value)}: {hint}")


def check_texts(name: str, values: object) -> tuple[str, ...]:
    """Check a list of texts, and return it as a tuple. One text is no list.

    Raises:
        InvalidInputError: It is something else.
    """
    items = _list_items(name, values, "texts")
    if not all(isinstance(item, str) for item in items):
        raise InvalidInputError(f"{name} {format_value(values)}: each must be a text")
    return items


def check_paths(name: str, values: object) -> tuple[str, ...]:
    """Check a list of paths, and return them resolved. One path is no list.

    Raises:
        InvalidInputError: It is something else.
    """
    items = _list_items(name, values, "paths")
    if not all(isinstance(item, str | PathLike) for item in items):
        raise InvalidInputError(f"{name} {format_value(values)}: each must be a path")
    return tuple(str(expand_home(Path(item)).resolve()) for item in items)


def check_integers(name: str, values: object, num_axes: int) -> NDArray[np.int64]:
    """Check an array of whole numbers, and return it as int64. Lists are arrays too.

    Args:
        name: Name of the argument.
        values: Values to check, of any type.
        num_axes: Number of axes that the array must have.

    Raises:
        InvalidInputError: It is something else.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        array = np.empty(1, dtype=object)
    if array.ndim != num_axes or (array.size and array.dtype.kind not in "iu"):
        raise InvalidInputError(
            f"{name} {format_value(values)}: must be an array of whole numbers with {num_axes} "
            f"{'axis' if num_axes == 1 else 'axes'}"
        )
    return array.astype(np.int64, copy=False)


def _list_items(name: str, values: object, kind: str) -> tuple[Any, ...]:
    if isinstance(values, str | bytes | PathLike) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{name} {format_value(values)}: give a list of {kind}")
    return tuple(cast("Iterable[Any]", values))
