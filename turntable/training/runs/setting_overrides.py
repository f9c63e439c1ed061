"""Parsing of settings given as text, ``NAME=VALUE``, by the type of the setting."""

import re
from collections.abc import Sequence
from dataclasses import replace
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from turntable.errors import InvalidInputError, format_text
from turntable.loaders import Augmentation, get_augmentation
from turntable.models import (
    MAX_TUPLE_ITEMS,
    explain_old_settings,
    get_field_types,
    get_method_entry,
    resolve_method,
)
from turntable.training.runs.config import TrainConfig

_EXCLUDED_SETTINGS = frozenset(
    {
        "method",
        "method_config",
        "dataset",
        "online",
        "meshes",
        "links_under",
        "augmentation",
        "preset",
        "selection",
        "start_from",
    }
)
"""Settings of a run that have options or arguments of their own."""
_TYPE_DESCRIPTIONS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a name",
}
_ACCEPTED_SPELLINGS = {bool: re.compile("true|false", re.IGNORECASE), int: re.compile("[+-]?[0-9_]+")}
"""Accepted spellings; pydantic alone would also accept "yes" and "1" as true, and "2.0" as 2."""


def parse_overrides(method: str, texts: Sequence[str]) -> dict[str, Any]:
    """Parse the texts of ``--set`` into changes for ``make_paper_config`` and ``make_demo_config``.

    Args:
        method: Name from ``models.list_methods()``, or a reference to a user's method.
        texts: Texts such as "weight_decay=1e-4", "projector_widths=512,512" (a tuple) or "clip_norm=none". If
            the method and the run both have a setting of that name, the method's is changed.

    Returns:
        Fields of ``TrainConfig`` by name; the settings of the method are in ``method_config``.

    Raises:
        InvalidInputError: A name is unknown, or a value does not have the type of its setting.
    """
    method_types = get_field_types(get_method_entry(resolve_method(method)).config)
    run_types = list_run_setting_types()
    changes: dict[str, Any] = {}
    method_changes: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidInputError(f"--set {format_text(text)}: give NAME=VALUE")
        if name in method_types:
            method_changes[name] = _parse_setting(name, value, method_types[name])
        elif name in run_types:
            changes[name] = _parse_setting(name, value, run_types[name])
        elif old_name := explain_old_settings([name], method_types):
            raise InvalidInputError(f"--set {old_name}")
        else:
            raise InvalidInputError(
                f"--set {format_text(name)}: there is no such setting; {method} has"
                f" {', '.join(method_types) or 'none'}; a run has {', '.join(run_types)} (turntable methods"
                f" {method} says what they mean)"
            )
    return {**changes, "method_config": method_changes} if method_changes else changes


def parse_augmentation(texts: Sequence[str]) -> Augmentation | None:
    """Parse the texts of ``--augment`` into an augmentation; None if there are no texts.

    Args:
        texts: Names of ``loaders.AUGMENTATIONS``, of which the last one counts, and changes of its parts,
            such as "crop_scale=0.3,1" or "brightness=0.4".

    Raises:
        InvalidInputError: A name is unknown, or a value is wrong.
    """
    if not texts:
        return None
    chosen, parts = Augmentation(), dict[str, Any]()
    known = get_field_types(Augmentation)
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            chosen = get_augmentation(name)
        elif name in known:
            parts[name] = _parse_setting(name, value, known[name], "--augment")
        else:
            raise InvalidInputError(
                f"--augment {format_text(name)}: there is no such part; there are {', '.join(known)}"
            )
    return replace(chosen, **parts)


def _parse_setting(name: str, text: str, kind: Any, option: str = "--set") -> Any:
    try:
        return _parse_value(text.strip(), kind)
    except (ValueError, PydanticUserError):  # PydanticUserError for a type that pydantic does not support
        raise InvalidInputError(
            f"{option} {name}={format_text(text)}: give {describe_setting_type(kind)}"
        ) from None


def _parse_value(text: str, kind: Any) -> Any:
    """Return a text as a value of a type; raise ValueError if it is not one."""
    origin, parts = get_origin(kind), get_args(kind)
    if NoneType in parts:
        return None if text.lower() == "none" else _parse_value(text, _remove_none(kind))
    if origin is tuple:
        items = [item.strip() for item in text.split(",", MAX_TUPLE_ITEMS) if item.strip()]
        kinds = parts[:1] * len(items) if parts[1:] == (...,) else parts
        return tuple(_parse_value(item, each) for item, each in zip(items, kinds, strict=True))
    if kind in _ACCEPTED_SPELLINGS and not _ACCEPTED_SPELLINGS[kind].fullmatch(text):
        raise ValueError(text)
    value = {str(choice): choice for choice in parts}.get(text) if origin is Literal else text
    return TypeAdapter(kind).validate_python(value)


def _remove_none(kind: Any) -> Any:
    """Return a type without None."""
    return Union[tuple(part for part in get_args(kind) if part is not NoneType)]  # noqa: UP007 (built at run time)


def list_run_setting_types() -> dict[str, Any]:
    """Return the types of the settings of a run that ``--set`` changes, by name."""
    return {
        name: kind for name, kind in get_field_types(TrainConfig).items() if name not in _EXCLUDED_SETTINGS
    }


def describe_setting_type(kind: Any) -> str:
    """Return a description of the values of a type, for messages."""
    origin, parts = get_origin(kind), get_args(kind)
    if NoneType in parts:
        return f"{describe_setting_type(_remove_none(kind))}, or none"
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin is tuple and parts[1:] == (...,):
        return f"{describe_setting_type(parts[0])} or several with commas"
    if origin is tuple:
        return f"{len(parts)} values with commas, each {describe_setting_type(parts[0])}"
    return _TYPE_DESCRIPTIONS.get(kind, str(kind))
