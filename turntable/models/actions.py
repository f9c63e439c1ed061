"""Actions: what was done to the object between two views, as the numbers that a predictor is given."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from turntable.errors import InvalidInputError

ROTATION = ("relative_quaternion",)
"""R1^T R2, as SIE gives it."""
ROTATION_AND_COLOUR = ("relative_quaternion", "floor_hue_difference", "light_hue_difference")
"""As SIE's variant with colours: 4 + 1 + 1 numbers."""
ROTATION_MATRIX = ("relative_rotation",)
POSE_MATRIX = ("relative_pose",)

_WIDTHS = {
    "relative_quaternion": 4,
    "relative_rotation": 9,
    "relative_rotation_6d": 6,
    "relative_rotation_vector": 3,
    "relative_rotation_world": 9,
    "relative_angle_rad": 1,
    "relative_pose": 16,
    "relative_twist": 6,
    "translation_difference_object": 3,
    "translation_difference_base": 3,
}
_NEGATED = (
    "relative_rotation_vector",
    "relative_twist",
    "translation_difference_object",
    "translation_difference_base",
)
"""Labels of which the way back is the negative."""
_DIFFERENCES = ("_difference", "_difference_circular")


def action_dim(labels: Sequence[str]) -> int:
    """How many numbers an action has that is told by these labels (docs/labels.md, those of a step).

    Raises:
        InvalidInputError: A label is not of a step from one view to the next.
    """
    return sum(_width(label) for label in labels)


def action_of(batch: Mapping[str, Tensor], labels: Sequence[str]) -> Tensor:
    """The action of each sample of a batch.

    Args:
        batch: Has each label, [B, *shape] or, of k views, [B, k - 1, *shape].
        labels: At least one; a matrix is told row by row.

    Returns:
        [B, K], or [B, k - 1, K].
    """
    parts = [_flat(batch[label], _width(label)) for label in labels]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)


def inverse_action(action: Tensor, labels: Sequence[str]) -> Tensor:
    """The action back from the second view to the first.

    Args:
        action: [..., K], of ``action_of``.
        labels: That tell it.

    Raises:
        InvalidInputError: A label does not tell the way back, as six numbers of a rotation do not.
    """
    parts = action.split([_width(label) for label in labels], dim=-1)
    return torch.cat([_inverse(part, label) for part, label in zip(parts, labels, strict=True)], dim=-1)


def _inverse(values: Tensor, label: str) -> Tensor:
    """Of one label [..., width]."""
    if label == "relative_quaternion":
        return values * values.new_tensor([-1.0, -1.0, -1.0, 1.0])
    if label in ("relative_rotation", "relative_rotation_world"):
        return values.unflatten(-1, (3, 3)).transpose(-1, -2).flatten(-2)
    if label == "relative_pose":
        return torch.linalg.inv(values.unflatten(-1, (4, 4))).flatten(-2)
    if label == "relative_angle_rad":
        return values
    if label in _NEGATED or label.endswith(_DIFFERENCES):
        return -values
    raise InvalidInputError(
        f"the action back cannot be told by {label!r} alone; take relative_quaternion or relative_rotation"
    )


def _flat(values: Tensor, width: int) -> Tensor:
    """Values [..., *shape] as [..., width]; a scalar label gets an axis, a matrix loses one."""
    if width == 1:
        return values.unsqueeze(-1)
    return values.flatten(-2) if values.shape[-1] != width else values


def _width(label: str) -> int:
    if label in _WIDTHS:
        return _WIDTHS[label]
    if label.endswith(_DIFFERENCES):
        return 1
    raise InvalidInputError(
        f"{label!r} is no label of a step from one view to the next; take {', '.join(_WIDTHS)}, or the"
        " difference of a factor, such as floor_hue_difference"
    )
