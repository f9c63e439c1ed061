"""Methods by name, so that a configuration file can say which one it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from turntable.errors import InvalidInputError
from turntable.models.backbones import Backbone
from turntable.models.method import DataInfo, Method, MethodConfig
from turntable.models.sie import SIE, SIEConfig
from turntable.models.supervised import Supervised, SupervisedConfig
from turntable.models.vicreg import VICReg, VICRegConfig


@dataclass(frozen=True, slots=True)
class MethodEntry:
    """A method and the configuration that it takes."""

    config: type[MethodConfig]
    build: Callable[[Any, Backbone, DataInfo], Method]


METHODS: dict[str, MethodEntry] = {
    "sie": MethodEntry(SIEConfig, SIE),
    "vicreg": MethodEntry(VICRegConfig, VICReg),
    "supervised": MethodEntry(SupervisedConfig, Supervised),
}
"""What a configuration may name."""


def method_entry(name: str) -> MethodEntry:
    """Look a method up.

    Raises:
        InvalidInputError: No method has that name.
    """
    if name not in METHODS:
        raise InvalidInputError(f"unknown method {name!r}; choose one of: {', '.join(METHODS)}")
    return METHODS[name]


def method_config(name: str, values: Mapping[str, Any]) -> MethodConfig:
    """Make a method's configuration from plain values, as read from JSON; absent ones take the paper's.

    Raises:
        InvalidInputError: The method is unknown, or a value's name is.
    """
    config = method_entry(name).config
    known = [field.name for field in fields(config)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InvalidInputError(f"{name} has no {', '.join(unknown)}; it has {', '.join(known)}")
    return config(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})


def build_method(name: str, config: MethodConfig, backbone: Backbone, data: DataInfo) -> Method:
    """Make a method over a backbone, with fresh weights.

    Raises:
        InvalidInputError: The method is unknown, the configuration is another method's, or it does not fit
            the backbone.
    """
    entry = method_entry(name)
    if not isinstance(config, entry.config):
        raise InvalidInputError(f"{name} takes {entry.config.__name__}, not {type(config).__name__}")
    return entry.build(config, backbone, data)
