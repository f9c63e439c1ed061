"""Methods by name: one table, of which the command line, the docs, the benchmark and messages are made."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from turntable.choices import check_names, unknown_choice
from turntable.errors import InvalidInputError, shown
from turntable.markdown import markdown_table
from turntable.models.actions import POSE_MATRIX, ROTATION_AND_COLOUR
from turntable.models.backbones import Backbone
from turntable.models.entry import MethodEntry
from turntable.models.method import DataInfo, Method, MethodConfig
from turntable.models.own_methods import (
    keep_method,
    load_reference,
    missing_words,
    own_method,
    own_names,
)
from turntable.models.points import PointNet, PointNetConfig
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
from turntable.own_code import is_reference

_LOG = logging.getLogger("turntable.models")

_ONLY = {"category_weight": 0.0, "rotation_weight": 0.0}
_OURS = "this project's definition"

METHODS: dict[str, MethodEntry] = {
    "supervised": MethodEntry(
        SupervisedConfig, Supervised, "the category, and the rotation between two views", _OURS
    ),
    "supervised-class": MethodEntry(
        SupervisedConfig, Supervised, "the category alone", _OURS, {"rotation_weight": 0.0}
    ),
    "supervised-rotation": MethodEntry(
        SupervisedConfig, Supervised, "the rotation between two views alone", _OURS, {"category_weight": 0.0}
    ),
    "supervised-colour": MethodEntry(
        SupervisedConfig, Supervised, "the differences of hue alone", _OURS, _ONLY | {"colour_weight": 1.0}
    ),
    "supervised-translation": MethodEntry(
        SupervisedConfig,
        Supervised,
        "the translation between two views alone",
        _OURS,
        _ONLY | {"translation_weight": 1.0},
    ),
    "simclr": MethodEntry(
        SimCLRConfig, SimCLR, "two views of one object against all others", "Chen et al. 2020"
    ),
    "vicreg": MethodEntry(
        VICRegConfig, VICReg, "two views alike, no dimension like another", "Bardes et al. 2022"
    ),
    "vicreg-partial": MethodEntry(
        VICRegConfig,
        VICReg,
        "the same, with only a part of the embedding held alike",
        "Garrido et al. 2023",
        {"free_share": 0.5},
    ),
    "vicreg-traj": MethodEntry(
        VICRegTrajConfig,
        VICRegTraj,
        "VICReg, and straight paths of embeddings along true trajectories",
        "Wang et al. 2024",
    ),
    "byol": MethodEntry(
        BYOLConfig,
        BYOL,
        "one view predicts a slowly following target's embedding of the other",
        "Grill et al. 2020",
    ),
    "conditional-byol": MethodEntry(
        ConditionalBYOLConfig,
        ConditionalBYOL,
        "BYOL whose predictor is told the action",
        "Ghaemi et al. 2025",
    ),
    "seq-jepa": MethodEntry(
        SeqJEPAConfig, SeqJEPA, "a sequence of views and actions predicts the next view", "Ghaemi et al. 2025"
    ),
    "seq-jepa-no-action": MethodEntry(
        SeqJEPAConfig,
        SeqJEPA,
        "the same, not told the actions",
        "Ghaemi et al. 2025",
        {"told_actions": False},
    ),
    "augself": MethodEntry(
        AugSelfConfig,
        AugSelf,
        "SimCLR, and a regressor of the action from both representations",
        "Lee et al. 2021",
    ),
    "sen": MethodEntry(
        SENConfig, SEN, "one embedding, moved by the action, against all others", "Park et al. 2022"
    ),
    "equimod-simclr": MethodEntry(
        EquiModSimCLRConfig,
        EquiModSimCLR,
        "SimCLR on an invariant embedding, and on one that a predictor moves by the action",
        "Devillers and Lefort 2023",
    ),
    "equimod-vicreg": MethodEntry(
        EquiModVICRegConfig,
        EquiModVICReg,
        "VICReg on an invariant embedding, and on one that a predictor moves by the action",
        "Devillers and Lefort 2023",
    ),
    "only-equivariance-simclr": MethodEntry(
        OnlyEquivarianceSimCLRConfig,
        OnlyEquivarianceSimCLR,
        "the moved embedding of equimod-simclr alone",
        "Garrido et al. 2023",
    ),
    "only-equivariance-vicreg": MethodEntry(
        OnlyEquivarianceVICRegConfig,
        OnlyEquivarianceVICReg,
        "the moved embedding of equimod-vicreg alone",
        "Garrido et al. 2023",
    ),
    "sie": MethodEntry(
        SIEConfig,
        SIE,
        "a representation in two halves: one stays, one is turned by a hypernetwork",
        "Garrido et al. 2023",
    ),
    "sie-novar": MethodEntry(
        SIEConfig,
        SIE,
        "the same without the variance of predictions",
        "Garrido et al. 2023",
        {"predicted_variance": False},
    ),
    "sie-mlp": MethodEntry(
        SIEConfig, SIE, "SIE with a plain predictor", "Garrido et al. 2023", {"predictor": "mlp"}
    ),
    "sie-rotation-colour": MethodEntry(
        SIEConfig,
        SIE,
        "SIE with actions that change the hues too",
        "Garrido et al. 2023",
        {"action": ROTATION_AND_COLOUR},
    ),
    "equicaps-3x3": MethodEntry(
        EquiCapsConfig,
        EquiCaps,
        "capsules whose poses turn by matrix product with rotations",
        "Konstantinou et al. 2025",
    ),
    "equicaps-4x4": MethodEntry(
        EquiCapsConfig,
        EquiCaps,
        "capsules whose poses turn by matrix product with whole poses",
        "Konstantinou et al. 2025",
        {"action": POSE_MATRIX},
    ),
    "capsie": MethodEntry(
        CapsIEConfig,
        CapsIE,
        "capsules with SIE's predictor; a reconstruction, as its code was not published whole",
        "Everett et al. 2024",
    ),
    "pointnet": MethodEntry(
        PointNetConfig, PointNet, "the category of a posed point cloud", "Qi et al. 2017"
    ),
}
"""Turntable's own."""


def method_names() -> tuple[str, ...]:
    """Return the names of all methods: turntable's, registered ones, and those of installed packages.

    A package's method that has the name of one of turntable's own cannot be had, and is warned of.
    """
    own = own_names()
    for name in METHODS.keys() & set(own):
        _LOG.warning(
            "an installed package offers a method %r, which turntable has itself; rename it there", name
        )
    return tuple(dict.fromkeys([*METHODS, *own]))


def is_at_hand(name: str) -> bool:
    """Return whether a method can be looked up by its name: ``method_entry`` gives it."""
    return name in METHODS or own_method(name) is not None


def register_method(name: str, entry: MethodEntry) -> None:
    """Give a method of one's own a name in this process; registering it again replaces it.

    Args:
        name: Any that turntable's own methods do not have.
        entry: The method and its configuration.

    Raises:
        InvalidInputError: Turntable has a method of that name, or it is no entry.
    """
    if name in METHODS:
        raise InvalidInputError(f"turntable has a method {name!r} itself; register yours under another name")
    keep_method(name, entry)


def choose_method(text: str) -> str:
    """Return the name of the method that a user asks for; the code of a reference is run now.

    Args:
        text: A name, ``package.module:NAME`` or ``file.py:NAME``.

    Raises:
        InvalidInputError: There is no such method, or its code fails.
    """
    if is_reference(text):
        return load_reference(text)
    method_entry(text)
    return text


def method_entry(name: str) -> MethodEntry:
    """Look a method up. No code is run for a reference: it must have been chosen (``choose_method``).

    Raises:
        InvalidInputError: No method has that name.
    """
    if name in list(METHODS):  # as any value: a list has no hash
        return METHODS[name]
    entry = own_method(name) if isinstance(cast("object", name), str) else None
    if entry is not None:
        return entry
    if isinstance(cast("object", name), str) and is_reference(name):
        raise InvalidInputError(missing_words(name))
    raise unknown_choice("method", name, method_names(), own="--method")


def method_config(name: str, values: Mapping[str, Any]) -> MethodConfig:
    """Make a method's configuration from plain values, as read from JSON; absent ones take the paper's.

    Raises:
        InvalidInputError: The method is unknown, or a value's name is.
    """
    entry = method_entry(name)
    if not isinstance(cast("object", values), Mapping):
        raise InvalidInputError(f"the settings of {name} are {shown(repr(values))}; give them by name")
    check_names(name, values, (item.name for item in fields(entry.config)))
    return entry.make_config({key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})


def build_method(name: str, config: MethodConfig, backbone: Backbone | None, data: DataInfo) -> Method:
    """Make a method with fresh weights, over a backbone where it is one of images.

    Raises:
        InvalidInputError: The method is unknown, the configuration is another method's, or it does not fit
            the backbone or the images.
    """
    entry = method_entry(name)
    if not isinstance(config, entry.config):
        raise InvalidInputError(f"{name} takes {entry.config.__name__}, not {type(config).__name__}")
    return entry.build(config, backbone, data)


def methods_text() -> str:
    """Return turntable's methods as a table in Markdown."""
    rows = [
        (f"`{name}`", entry.learns_from, _code(entry.reads), _code(entry.abilities), entry.reference)
        for name, entry in METHODS.items()
    ]
    return markdown_table(("name", "what it learns from", "reads", "abilities", "reference"), rows)


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
