"""The registry of methods: the table of turntable's methods, and the lookup of any method by name.

The command line, the docs, the benchmark and error messages take their lists of methods from this table.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from turntable.choices import check_names, make_choice_error
from turntable.errors import InvalidInputError, format_text
from turntable.markdown import format_markdown_table
from turntable.models.actions import POSE_MATRIX, ROTATION_AND_COLOR
from turntable.models.backbones import Backbone
from turntable.models.config_checks import get_field_types
from turntable.models.entry import MethodEntry
from turntable.models.image_methods import (
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
from turntable.models.method import DataInfo, Method, MethodConfig
from turntable.models.old_names import METHOD_NAMES, explain_old_settings
from turntable.models.point_methods import PointNet, PointNetConfig
from turntable.models.user_methods import (
    add_user_method,
    explain_missing_method,
    find_user_method,
    list_user_methods,
    load_user_method,
)
from turntable.user_code import is_reference

_LOG = logging.getLogger("turntable.models")

_NO_DEFAULT_TASKS = {"category_weight": 0.0, "rotation_weight": 0.0}
_OWN_DEFINITION = "this project's definition"

METHODS: dict[str, MethodEntry] = {
    "supervised": MethodEntry(
        SupervisedConfig, Supervised, "the category, and the rotation between two views", _OWN_DEFINITION
    ),
    "supervised-category": MethodEntry(
        SupervisedConfig, Supervised, "the category alone", _OWN_DEFINITION, {"rotation_weight": 0.0}
    ),
    "supervised-rotation": MethodEntry(
        SupervisedConfig,
        Supervised,
        "the rotation between two views alone",
        _OWN_DEFINITION,
        {"category_weight": 0.0},
    ),
    "supervised-color": MethodEntry(
        SupervisedConfig,
        Supervised,
        "the differences of hue alone",
        _OWN_DEFINITION,
        _NO_DEFAULT_TASKS | {"color_weight": 1.0},
    ),
    "supervised-translation": MethodEntry(
        SupervisedConfig,
        Supervised,
        "the translation between two views alone",
        _OWN_DEFINITION,
        _NO_DEFAULT_TASKS | {"translation_weight": 1.0},
    ),
    "simclr": MethodEntry(
        SimCLRConfig, SimCLR, "two views of one object, contrasted with all others", "Chen et al. 2020"
    ),
    "vicreg": MethodEntry(
        VICRegConfig,
        VICReg,
        "two views with equal embeddings and uncorrelated dimensions",
        "Bardes et al. 2022",
    ),
    "vicreg-partial": MethodEntry(
        VICRegConfig,
        VICReg,
        "VICReg with only a part of the embedding invariant",
        "Garrido et al. 2023",
        {"free_fraction": 0.5},
    ),
    "vicreg-traj": MethodEntry(
        VICRegTrajConfig,
        VICRegTraj,
        "VICReg, and straight paths of embeddings along real trajectories",
        "Wang et al. 2024",
    ),
    "byol": MethodEntry(
        BYOLConfig,
        BYOL,
        "one view, from which a moving-average target's embedding of the other view is predicted",
        "Grill et al. 2020",
    ),
    "conditional-byol": MethodEntry(
        ConditionalBYOLConfig,
        ConditionalBYOL,
        "BYOL with a predictor that takes the action",
        "Ghaemi et al. 2025",
    ),
    "seq-jepa": MethodEntry(
        SeqJEPAConfig,
        SeqJEPA,
        "a sequence of views and actions, from which the next view is predicted",
        "Ghaemi et al. 2025",
    ),
    "seq-jepa-no-action": MethodEntry(
        SeqJEPAConfig,
        SeqJEPA,
        "seq-JEPA without the actions",
        "Ghaemi et al. 2025",
        {"use_actions": False},
    ),
    "augself": MethodEntry(
        AugSelfConfig,
        AugSelf,
        "SimCLR, and regression of the action from both representations",
        "Lee et al. 2021",
    ),
    "sen": MethodEntry(
        SENConfig,
        SEN,
        "an embedding transformed by the action, contrasted with all others",
        "Park et al. 2022",
    ),
    "equimod-simclr": MethodEntry(
        EquiModSimCLRConfig,
        EquiModSimCLR,
        "SimCLR on an invariant embedding, and on one that a predictor transforms by the action",
        "Devillers and Lefort 2023",
    ),
    "equimod-vicreg": MethodEntry(
        EquiModVICRegConfig,
        EquiModVICReg,
        "VICReg on an invariant embedding, and on one that a predictor transforms by the action",
        "Devillers and Lefort 2023",
    ),
    "only-equivariance-simclr": MethodEntry(
        OnlyEquivarianceSimCLRConfig,
        OnlyEquivarianceSimCLR,
        "the equivariant embedding of equimod-simclr alone",
        "Garrido et al. 2023",
    ),
    "only-equivariance-vicreg": MethodEntry(
        OnlyEquivarianceVICRegConfig,
        OnlyEquivarianceVICReg,
        "the equivariant embedding of equimod-vicreg alone",
        "Garrido et al. 2023",
    ),
    "sie": MethodEntry(
        SIEConfig,
        SIE,
        "a representation in two halves: one invariant, one transformed by a hypernetwork",
        "Garrido et al. 2023",
    ),
    "sie-novar": MethodEntry(
        SIEConfig,
        SIE,
        "SIE without the variance of the predictions",
        "Garrido et al. 2023",
        {"predicted_variance": False},
    ),
    "sie-mlp": MethodEntry(
        SIEConfig, SIE, "SIE with an MLP predictor", "Garrido et al. 2023", {"predictor": "mlp"}
    ),
    "sie-rotation-color": MethodEntry(
        SIEConfig,
        SIE,
        "SIE with actions that include the hues",
        "Garrido et al. 2023",
        {"action": ROTATION_AND_COLOR},
    ),
    "equicaps-3x3": MethodEntry(
        EquiCapsConfig,
        EquiCaps,
        "capsules whose poses are multiplied by rotation matrices",
        "Konstantinou et al. 2025",
    ),
    "equicaps-4x4": MethodEntry(
        EquiCapsConfig,
        EquiCaps,
        "capsules whose poses are multiplied by pose matrices",
        "Konstantinou et al. 2025",
        {"action": POSE_MATRIX},
    ),
    "capsie": MethodEntry(
        CapsIEConfig,
        CapsIE,
        "capsules with SIE's predictor; a reconstruction, as its code was not published completely",
        "Everett et al. 2024",
    ),
    "pointnet": MethodEntry(
        PointNetConfig, PointNet, "the category of a posed point cloud", "Qi et al. 2017"
    ),
}
"""Turntable's methods, by name."""


def list_methods() -> tuple[str, ...]:
    """Return the names of all methods: turntable's, registered ones, and those of installed packages.

    A package's method with the name of one of turntable's is not available; a warning is logged.
    """
    user_methods = list_user_methods()
    for name in METHODS.keys() & set(user_methods):
        _LOG.warning(
            "an installed package offers a method %r, but turntable has a method of that name; rename it in"
            " the package",
            name,
        )
    return tuple(dict.fromkeys([*METHODS, *user_methods]))


def is_method_available(name: str) -> bool:
    """Return True if ``get_method_entry`` finds a method of that name, and its code can be loaded."""
    try:
        return name in METHODS or find_user_method(name) is not None
    except InvalidInputError:  # an installed package offers it, but cannot be imported
        return False


def register_method(name: str, entry: MethodEntry) -> None:
    """Register a user's method under a name in this process; registering the name again replaces it.

    Args:
        name: A name that none of turntable's methods has.
        entry: The method and its configuration.

    Raises:
        InvalidInputError: Turntable has a method of that name, or ``entry`` is no MethodEntry.
    """
    if name in METHODS:
        raise InvalidInputError(f"turntable itself has a method {name!r}; register yours under another name")
    add_user_method(name, entry)


def resolve_method(text: str) -> str:
    """Return the name of the method that a user asks for; for a reference, run the user's code now.

    Args:
        text: Name of a method, or a reference ``package.module:NAME`` or ``file.py:NAME``.

    Raises:
        InvalidInputError: There is no such method, or its code fails.
    """
    if is_reference(text):
        return load_user_method(text)
    get_method_entry(text)
    return text


def get_method_entry(name: str) -> MethodEntry:
    """Return the entry of a method.

    A reference is found only after ``resolve_method`` has run its code.

    Raises:
        InvalidInputError: No method has that name.
    """
    if name in list(METHODS):  # a list, since a value from a file may not be hashable
        return METHODS[name]
    entry = find_user_method(name) if isinstance(cast("object", name), str) else None
    if entry is not None:
        return entry
    if isinstance(cast("object", name), str) and is_reference(name):
        raise InvalidInputError(explain_missing_method(name))
    if name in list(METHOD_NAMES):
        raise InvalidInputError(f"unknown method {name!r}; it is now called {METHOD_NAMES[name]!r}")
    raise make_choice_error("method", name, list_methods(), own_option="--method")


def make_method_config(name: str, values: Mapping[str, Any]) -> MethodConfig:
    """Make the configuration of a method from plain values, as read from JSON.

    Args:
        name: Name of the method.
        values: Values by field name; absent ones are the paper's. Lists become tuples.

    Raises:
        InvalidInputError: The method or a field name is unknown.
    """
    entry = get_method_entry(name)
    if not isinstance(cast("object", values), Mapping):
        raise InvalidInputError(f"the settings of {name} are {format_text(repr(values))}; give them by name")
    check_setting_names(name, values)
    return entry.make_config({key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})


def check_setting_names(name: str, settings: Iterable[object]) -> None:
    """Check that a method has settings of these names.

    Args:
        name: Name of the method.
        settings: Names of settings.

    Raises:
        InvalidInputError: The method has no such setting; for a former name, the message tells the present
            one.
    """
    known = get_field_types(get_method_entry(name).config)
    if old_names := explain_old_settings(settings, known):
        raise InvalidInputError(f"{name}: {old_names}")
    check_names(name, settings, known)


def build_method(name: str, config: MethodConfig, backbone: Backbone | None, data: DataInfo) -> Method:
    """Build a method with fresh weights.

    Args:
        name: Name of the method.
        config: Configuration of the method.
        backbone: Backbone of an image method; None for any other method.
        data: Facts about the data set.

    Raises:
        InvalidInputError: The method is unknown, the configuration is another method's, or it does not fit
            the backbone or the images.
    """
    entry = get_method_entry(name)
    if not isinstance(config, entry.config):
        raise InvalidInputError(f"{name} takes {entry.config.__name__}, not {type(config).__name__}")
    return entry.build(config, backbone, data)


def format_methods_table() -> str:
    """Return the table of turntable's methods in Markdown, as in docs/methods.md."""
    rows = [
        (
            f"`{name}`",
            entry.description,
            _format_code(entry.reads),
            _format_code(entry.abilities),
            entry.reference,
        )
        for name, entry in METHODS.items()
    ]
    return format_markdown_table(("name", "what it learns from", "reads", "abilities", "reference"), rows)


def _format_code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
