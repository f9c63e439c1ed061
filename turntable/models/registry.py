"""Methods by name, so that a configuration file can say which one it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

from turntable.errors import InvalidInputError, shown
from turntable.models.actions import POSE_MATRIX, ROTATION_AND_COLOUR
from turntable.models.backbones import Backbone
from turntable.models.method import DataInfo, Method, MethodConfig
from turntable.models.views import (
    BYOL,
    SEN,
    SIE,
    AugSelf,
    AugSelfConfig,
    BYOLConfig,
    CapsIE,
    CapsIEConfig,
    ConditionalBYOL,
    ConditionalBYOLConfig,
    EquiCaps,
    EquiCapsConfig,
    EquiModSimCLR,
    EquiModSimCLRConfig,
    EquiModVICReg,
    EquiModVICRegConfig,
    OnlyEquivarianceSimCLR,
    OnlyEquivarianceSimCLRConfig,
    OnlyEquivarianceVICReg,
    OnlyEquivarianceVICRegConfig,
    SENConfig,
    SeqJEPA,
    SeqJEPAConfig,
    SIEConfig,
    SimCLR,
    SimCLRConfig,
    Supervised,
    SupervisedConfig,
    VICReg,
    VICRegConfig,
    VICRegTraj,
    VICRegTrajConfig,
)


@dataclass(frozen=True, slots=True)
class MethodEntry:
    """A method and the configuration that it takes."""

    config: type[MethodConfig]
    build: Callable[[Any, Backbone, DataInfo], Method]
    variant: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the configuration in which this name's method differs from the paper's main one."""

    def make_config(self, values: Mapping[str, Any] | None = None) -> MethodConfig:
        """The paper's configuration of this variant, with some values changed."""
        return self.config(**{**self.variant, **(values or {})})


_ONLY = {"category_weight": 0.0, "rotation_weight": 0.0}

METHODS: dict[str, MethodEntry] = {
    "supervised": MethodEntry(SupervisedConfig, Supervised),
    "supervised-class": MethodEntry(SupervisedConfig, Supervised, {"rotation_weight": 0.0}),
    "supervised-rotation": MethodEntry(SupervisedConfig, Supervised, {"category_weight": 0.0}),
    "supervised-colour": MethodEntry(SupervisedConfig, Supervised, _ONLY | {"colour_weight": 1.0}),
    "supervised-translation": MethodEntry(SupervisedConfig, Supervised, _ONLY | {"translation_weight": 1.0}),
    "simclr": MethodEntry(SimCLRConfig, SimCLR),
    "vicreg": MethodEntry(VICRegConfig, VICReg),
    "vicreg-partial": MethodEntry(VICRegConfig, VICReg, {"free_share": 0.5}),
    "vicreg-traj": MethodEntry(VICRegTrajConfig, VICRegTraj),
    "byol": MethodEntry(BYOLConfig, BYOL),
    "conditional-byol": MethodEntry(ConditionalBYOLConfig, ConditionalBYOL),
    "seq-jepa": MethodEntry(SeqJEPAConfig, SeqJEPA),
    "seq-jepa-no-action": MethodEntry(SeqJEPAConfig, SeqJEPA, {"told_actions": False}),
    "augself": MethodEntry(AugSelfConfig, AugSelf),
    "sen": MethodEntry(SENConfig, SEN),
    "equimod-simclr": MethodEntry(EquiModSimCLRConfig, EquiModSimCLR),
    "equimod-vicreg": MethodEntry(EquiModVICRegConfig, EquiModVICReg),
    "only-equivariance-simclr": MethodEntry(OnlyEquivarianceSimCLRConfig, OnlyEquivarianceSimCLR),
    "only-equivariance-vicreg": MethodEntry(OnlyEquivarianceVICRegConfig, OnlyEquivarianceVICReg),
    "sie": MethodEntry(SIEConfig, SIE),
    "sie-novar": MethodEntry(SIEConfig, SIE, {"predicted_variance": False}),
    "sie-mlp": MethodEntry(SIEConfig, SIE, {"predictor": "mlp"}),
    "equicaps-3x3": MethodEntry(EquiCapsConfig, EquiCaps),
    "equicaps-4x4": MethodEntry(EquiCapsConfig, EquiCaps, {"action": POSE_MATRIX}),
    "capsie": MethodEntry(CapsIEConfig, CapsIE),
    "sie-rotation-colour": MethodEntry(SIEConfig, SIE, {"action": ROTATION_AND_COLOUR}),
}
"""What a configuration may name."""


def method_entry(name: str) -> MethodEntry:
    """Look a method up.

    Raises:
        InvalidInputError: No method has that name.
    """
    if name not in list(METHODS):  # as any value: a list has no hash
        raise InvalidInputError(f"unknown method {shown(repr(name))}; choose one of: {', '.join(METHODS)}")
    return METHODS[name]


def method_config(name: str, values: Mapping[str, Any]) -> MethodConfig:
    """Make a method's configuration from plain values, as read from JSON; absent ones take the paper's.

    Raises:
        InvalidInputError: The method is unknown, or a value's name is.
    """
    entry = method_entry(name)
    if not isinstance(cast("object", values), Mapping):
        raise InvalidInputError(f"the settings of {name} are {shown(repr(values))}; give them by name")
    known = [item.name for item in fields(entry.config)]
    unknown = sorted(map(str, set(values) - set(known)))
    if unknown:
        raise InvalidInputError(f"{name} has no {shown(', '.join(unknown))}; it has {', '.join(known)}")
    return entry.make_config({key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})


def build_method(name: str, config: MethodConfig, backbone: Backbone, data: DataInfo) -> Method:
    """Make a method over a backbone, with fresh weights.

    Raises:
        InvalidInputError: The method is unknown, the configuration is another method's, or it does not fit
            the backbone or the images.
    """
    entry = method_entry(name)
    if not isinstance(config, entry.config):
        raise InvalidInputError(f"{name} takes {entry.config.__name__}, not {type(config).__name__}")
    return entry.build(config, backbone, data)
