"""Former names of methods, of their settings and of their loss terms, and the names they have now.

The old names stand in files: ``config.json``, checkpoints, records and results of earlier versions. Code that
reads such files renames what it finds. Nothing else accepts an old name: ``--method`` and ``--set`` refuse it
and suggest the new one.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

_Value = TypeVar("_Value")

METHOD_NAMES: Mapping[str, str] = {
    "supervised-class": "supervised-category",
    "supervised-colour": "supervised-color",
    "sie-rotation-colour": "sie-rotation-color",
}
"""New names of methods, by the old ones."""

_SUPERVISED = {"colour_weight": "color_weight", "class_head": "category_head"}
_VICREG = {"free_share": "free_fraction"}
_BYOL = {"target_follows": "update_target"}
_SEQ_JEPA = {
    "told_actions": "use_actions",
    "observed_views": "num_observed_views",
    "layers": "num_layers",
    "attention_heads": "num_attention_heads",
}
_PREDICTOR = {"predictor_layers": "num_predictor_layers"}
_SIE = {**_PREDICTOR, "both_signs": "quaternion_signs"}
_CAPSULES = {"capsules": "num_capsules"}

SETTING_NAMES: Mapping[str, Mapping[str, str]] = {
    "supervised": _SUPERVISED,
    "supervised-category": _SUPERVISED,
    "supervised-rotation": _SUPERVISED,
    "supervised-color": _SUPERVISED,
    "supervised-translation": _SUPERVISED,
    "vicreg": _VICREG,
    "vicreg-partial": _VICREG,
    "vicreg-traj": {**_VICREG, "unit_length_assumed": "assume_unit_length"},
    "byol": _BYOL,
    "conditional-byol": _BYOL,
    "seq-jepa": _SEQ_JEPA,
    "seq-jepa-no-action": _SEQ_JEPA,
    "equimod-simclr": _PREDICTOR,
    "equimod-vicreg": _PREDICTOR,
    "only-equivariance-simclr": _PREDICTOR,
    "only-equivariance-vicreg": _PREDICTOR,
    "sie": _SIE,
    "sie-novar": _SIE,
    "sie-mlp": _SIE,
    "sie-rotation-color": _SIE,
    "equicaps-3x3": _CAPSULES,
    "equicaps-4x4": _CAPSULES,
    "capsie": {**_PREDICTOR, **_CAPSULES},
}
"""New names of settings by the old ones, for each method that has any; the method by its new name."""

_ALL_SETTINGS = {old: new for names in SETTING_NAMES.values() for old, new in names.items()}

TERM_NAMES: Mapping[str, Mapping[str, str]] = {
    method: {"colour": "color"} for method, names in SETTING_NAMES.items() if names is _SUPERVISED
}
"""New names of loss terms by the old ones, for each method that has any."""


def rename_method(name: str) -> str:
    """Return the present name of a method that a file names; any other name comes back as it is."""
    return METHOD_NAMES.get(name, name)


def rename_settings(
    method: str, settings: Mapping[str, _Value], fields: Collection[str] = ()
) -> dict[str, _Value]:
    """Return a method's settings by their present names, in the same order.

    Args:
        method: Name of the method, old or new.
        settings: Values by name, as a file has them.
        fields: Names of the fields of the method's configuration, for a method of a user: its configuration
            may inherit fields from one of turntable's. A field that still has the old name keeps it.
    """
    inherited = {old: new for old, new in _ALL_SETTINGS.items() if new in fields and old not in fields}
    return rename_keys(settings, SETTING_NAMES.get(rename_method(method), inherited))


def rename_terms(method: str, terms: Mapping[str, _Value]) -> dict[str, _Value]:
    """Return the terms of a method's loss by their present names, in the same order.

    Args:
        method: Name of the method, old or new.
        terms: Values by name, as a file has them.
    """
    return rename_keys(terms, TERM_NAMES.get(rename_method(method), {}))


def explain_old_settings(names: Iterable[object], fields: Collection[str]) -> str:
    """Return a message with the present names of settings given by old ones; empty if there are none.

    Args:
        names: Names as the user gave them.
        fields: Names of the fields of the method's configuration.
    """
    renamed = {name: _ALL_SETTINGS[name] for name in names if isinstance(name, str) and name in _ALL_SETTINGS}
    return "; ".join(
        f"{old} is now called {new}" for old, new in renamed.items() if new in fields and old not in fields
    )


def rename_keys(values: Mapping[str, _Value], names: Mapping[str, str]) -> dict[str, _Value]:
    """Return values with their keys renamed, in order; a key whose new name is there too stays.

    Args:
        values: Values by name, as a file has them.
        names: New names by the old ones.
    """
    return {key if names.get(key) in values else names.get(key, key): value for key, value in values.items()}
