"""Checks that the action of a method explains how the object's picture moves from one view to the next."""

from collections.abc import Collection, Iterable, Mapping

from turntable.datasets.labels import (
    CAMERA_POSE_NAMES,
    PRINCIPAL_POINT_NAMES,
    ROTATION_NAMES,
    TRANSLATION_NAMES,
    Factor,
)
from turntable.geometry import get_relative_label
from turntable.loaders.fields import DataDescription
from turntable.models import Method, Predicts, get_field_types
from turntable.training.runs import TrainConfig, format_setting

_CAMERA_NAMES = (*CAMERA_POSE_NAMES, *PRINCIPAL_POINT_NAMES)
_GEOMETRIC_NAMES = (*ROTATION_NAMES, *TRANSLATION_NAMES, *_CAMERA_NAMES)
"""Factors that move or turn the object in the picture. All others (hues, lights) change how it looks,
to which methods are meant to be invariant."""
_FACTORS: Mapping[str, tuple[str, ...]] = {"rotation": ROTATION_NAMES, "translation": TRANSLATION_NAMES}
"""Factors of the changes that relative labels determine; other changes are named by their factor."""


def find_unexplained_changes(config: TrainConfig, method: Method, data: DataDescription) -> list[str]:
    """Find the factors that change between the views of a sample and that a method's action leaves out.

    Args:
        config: Settings of the run.
        method: Method; only those that predict a view by an action that they read are checked.
        data: Description of the data.

    Returns:
        A warning that names the factors; none if there are none.
    """
    action = (
        [label for label in method.action if label in method.reads] if isinstance(method, Predicts) else []
    )
    if not action:
        return []
    explained = {name for label in action for name in list_explained_factors(label)}
    moving = list_moving_factors(data.schema.factors, consecutive=config.method_config.sample.consecutive)
    unexplained = [name for name in moving if name not in explained]
    if not unexplained:
        return []
    return [
        f"{config.method} predicts one view from another by {', '.join(action)}, which"
        " leaves out what else moves the object in the picture from view to view:"
        f" {', '.join(unexplained)}. The prediction can only be an average over it."
        f" {_format_advice(config, action, unexplained)}"
    ]


def list_explained_factors(label: str) -> tuple[str, ...]:
    """List the factors whose change a relative label determines."""
    return tuple(
        name for change in get_relative_label(label).determines for name in _FACTORS.get(change, (change,))
    )


def list_moving_factors(factors: Iterable[Factor], *, consecutive: bool) -> list[str]:
    """List the factors that move the object in the picture and change from view to view.

    Args:
        factors: Label columns of the data.
        consecutive: True if a sample has consecutive views of a sequence, over which some factors are held.
    """
    return [
        factor.name
        for factor in factors
        if factor.name in _GEOMETRIC_NAMES
        and factor.low < factor.high
        and not (consecutive and factor.per == "sequence")
    ]


def _format_advice(config: TrainConfig, action: Iterable[str], unexplained: Iterable[str]) -> str:
    """Return what to do: a longer action, if the method lets its action be chosen, or other data."""
    other_data = "Or render with a recipe that holds it fixed"
    if "action" not in get_field_types(type(config.method_config)):
        return other_data.removeprefix("Or ").capitalize()
    chosen = format_setting("action", ",".join(_complete_action(action, set(unexplained))))
    return f"Give the method the whole change, if it takes such an action: {chosen}. {other_data}"


def _complete_action(action: Iterable[str], unexplained: Collection[str]) -> list[str]:
    """Return an action with labels that determine the unexplained factors too."""
    kept, more = list(action), [f"{name}_difference" for name in _CAMERA_NAMES if name in unexplained]
    if any(name in unexplained for name in TRANSLATION_NAMES):
        turns = [label for label in kept if get_relative_label(label).determines == ("rotation",)]
        kept = ["relative_pose", *(label for label in kept if label not in turns)]
    elif any(name in unexplained for name in ROTATION_NAMES):
        kept = ["relative_quaternion", *kept]
    return [*kept, *more]
