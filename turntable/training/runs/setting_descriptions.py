"""Descriptions of the settings that ``--set`` changes: values of presets, possible values, and meaning."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from turntable.models import BACKBONES, Bounds, get_field_types, get_method_entry, resolve_method
from turntable.training.runs.config import TrainConfig, describe_setting_range
from turntable.training.runs.presets import make_demo_config, make_paper_config
from turntable.training.runs.setting_overrides import describe_setting_type, list_run_setting_types

_LARGE = 1e9
"""Value from which the upper bound of a number is not worth telling."""
_OR_NONE = ", or none"


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """A setting of a method or of a run, in words."""

    name: str
    """Name of the setting."""
    paper: str
    """Value in the preset "paper", in the form that ``--set`` accepts."""
    demo: str
    """Value in the preset "demo"."""
    values: str
    """Possible values."""
    meaning: str
    """Meaning; "" if the configuration class does not say it."""


def describe_method_settings(method: str) -> tuple[SettingDescription, ...]:
    """Describe the settings of a method.

    Args:
        method: Name from ``models.list_methods()``, or a reference to a user's method.

    Raises:
        InvalidInputError: No method has this name.
    """
    config = get_method_entry(resolve_method(method)).make_config()
    presets, kinds = (config, config.demo()), get_field_types(type(config))
    ranges = {
        name: _format_bounds(config.bounds.get(name, _find_default_bounds(config, kind)))
        for name, kind in kinds.items()
    }
    return _describe(kinds, presets, ranges, read_field_meanings(type(config)))


def describe_run_settings(method: str) -> tuple[SettingDescription, ...]:
    """Describe the settings of a run of a method, besides the method's own.

    Args:
        method: Name from ``models.list_methods()``, or a reference to a user's method.

    Raises:
        InvalidInputError: No method has this name.
    """
    kinds = list_run_setting_types()
    presets = make_paper_config(method, "DATASET"), make_demo_config(method, "DATASET")
    ranges = {name: describe_setting_range(name) for name in kinds}
    ranges["backbone"] = f"one of {', '.join(BACKBONES)}" if presets[0].backbone is not None else ""
    return _describe(kinds, presets, ranges, read_field_meanings(TrainConfig))


def _describe(
    kinds: Mapping[str, Any], presets: tuple[Any, Any], ranges: Mapping[str, str], meanings: Mapping[str, str]
) -> tuple[SettingDescription, ...]:
    return tuple(
        SettingDescription(
            name,
            format_setting_value(getattr(presets[0], name)),
            format_setting_value(getattr(presets[1], name)),
            _format_values(describe_setting_type(kind), ranges[name]),
            meanings.get(name, ""),
        )
        for name, kind in kinds.items()
    )


def format_setting_value(value: object) -> str:
    """Return a value in the form that ``--set`` accepts."""
    if isinstance(value, tuple):
        return ",".join(map(format_setting_value, value))
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _format_values(kind: str, value_range: str) -> str:
    """Return the possible values: a type in words, with a range before ", or none"."""
    number, none, _ = kind.partition(_OR_NONE)
    return ", ".join(filter(None, [number, value_range])) + none


def _find_default_bounds(config: Any, kind: Any) -> Bounds:
    """Return the bounds of a number whose setting has none of its own."""
    kinds = {kind, *get_args(kind)}
    if int in kinds:
        return config.integer_bounds
    return config.float_bounds if float in kinds else Bounds()


def _format_bounds(bounds: Bounds) -> str:
    return f"{bounds.low:.15g} to {bounds.high:.15g}" if bounds.high < _LARGE else ""


def read_field_meanings(config: type) -> dict[str, str]:
    """Read the first sentence of the text below each field of a dataclass, by name of the field.

    Classes whose source is not available have no texts.
    """
    meanings: dict[str, str] = {}
    for base in reversed(config.__mro__):
        try:
            source = textwrap.dedent(inspect.getsource(base))
        except (OSError, TypeError):  # a class of C, or one that was typed into a session
            continue
        body = ast.parse(source).body[0]
        if isinstance(body, ast.ClassDef):
            meanings |= _read_texts(body)
    return meanings


def _read_texts(body: ast.ClassDef) -> dict[str, str]:
    texts: dict[str, str] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            sentence = " ".join(str(below.value.value).split()).partition(". ")[0]
            texts[field.target.id] = sentence.removesuffix(".").replace("`", "")
    return texts
