"""Settings given as text, ``name=value``: of a method's configuration or of the run, by the field's type."""

import re
from collections.abc import Sequence
from dataclasses import replace
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from turntable.errors import InvalidInputError, shown
from turntable.loaders import Augmentation, augmentation_by_name
from turntable.models import MOST_ITEMS, choose_method, field_types, method_entry
from turntable.training.runs.config import TrainConfig

_GIVEN_OTHERWISE = frozenset({"method", "method_config", "dataset", "online", "meshes", "augmentation"})
_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a name",
}
_SPELLINGS = {bool: re.compile("true|false", re.IGNORECASE), int: re.compile("[+-]?[0-9_]+")}
"""Spellings that are meant. Pydantic reads others too: "yes" and "1" for true, "2.0" for 2."""


def overrides(method: str, texts: Sequence[str]) -> dict[str, Any]:
    """Changes for ``paper_config`` and ``demo_config``.

    Args:
        method: A name from ``models.method_names()``, or a reference to one's own.
        texts: Such as "weight_decay=1e-4", "projector_widths=512,512" (a tuple), "clip_norm=none". A name
            that both have is the method's.

    Returns:
        Fields of ``TrainConfig`` by name; the method's own in ``method_config``.

    Raises:
        InvalidInputError: A name is unknown, or a value is not of its field's type.
    """
    of_method = field_types(method_entry(choose_method(method)).config)
    of_run = {name: kind for name, kind in field_types(TrainConfig).items() if name not in _GIVEN_OTHERWISE}
    changes: dict[str, Any] = {}
    of_its_own: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidInputError(f"--set {shown(text)}: give NAME=VALUE")
        if name in of_method:
            of_its_own[name] = _parsed(name, value, of_method[name])
        elif name in of_run:
            changes[name] = _parsed(name, value, of_run[name])
        else:
            raise InvalidInputError(
                f"--set {shown(name)}: there is no such setting; {method} has"
                f" {', '.join(of_method) or 'none'}; a run has {', '.join(of_run)}"
            )
    return {**changes, "method_config": of_its_own} if of_its_own else changes


def augmentation_of(texts: Sequence[str]) -> Augmentation | None:
    """Make an augmentation of texts; None of none.

    Args:
        texts: Names of ``loaders.AUGMENTATIONS`` (the last one counts), and parts of it, such as
            "crop_scale=0.3,1" or "brightness=0.4".

    Raises:
        InvalidInputError: A name is unknown, or a value cannot be right.
    """
    if not texts:
        return None
    chosen, parts = Augmentation(), dict[str, Any]()
    known = field_types(Augmentation)
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            chosen = augmentation_by_name(name)
        elif name in known:
            parts[name] = _parsed(name, value, known[name], "--augment")
        else:
            raise InvalidInputError(
                f"--augment {shown(name)}: there is no such part; there are {', '.join(known)}"
            )
    return replace(chosen, **parts)


def _parsed(name: str, text: str, kind: Any, option: str = "--set") -> Any:
    try:
        return _value(text.strip(), kind)
    except (ValueError, PydanticUserError):  # the second where pydantic knows no such type
        raise InvalidInputError(f"{option} {name}={shown(text)}: give {_in_words(kind)}") from None


def _value(text: str, kind: Any) -> Any:
    """Return a text as a type; ValueError where it is none of it."""
    origin, parts = get_origin(kind), get_args(kind)
    if NoneType in parts:
        return None if text.lower() == "none" else _value(text, _without_none(kind))
    if origin is tuple:
        items = [item.strip() for item in text.split(",", MOST_ITEMS) if item.strip()]
        kinds = parts[:1] * len(items) if parts[1:] == (...,) else parts
        return tuple(_value(item, each) for item, each in zip(items, kinds, strict=True))
    if kind in _SPELLINGS and not _SPELLINGS[kind].fullmatch(text):
        raise ValueError(text)
    given = {str(choice): choice for choice in parts}.get(text) if origin is Literal else text
    return TypeAdapter(kind).validate_python(given)


def _without_none(kind: Any) -> Any:
    return Union[tuple(part for part in get_args(kind) if part is not NoneType)]  # noqa: UP007 (made here)


def _in_words(kind: Any) -> str:
    """Say what a value should look like."""
    origin, parts = get_origin(kind), get_args(kind)
    if NoneType in parts:
        return f"{_in_words(_without_none(kind))}, or none"
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin is tuple and parts[1:] == (...,):
        return f"{_in_words(parts[0])} or several with commas"
    if origin is tuple:
        return f"{len(parts)} values with commas, each {_in_words(parts[0])}"
    return _WORDS.get(kind, str(kind))
