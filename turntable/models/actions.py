"""Actions: the change from one view to the next, as the numbers that a predictor takes as input."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.geometry import InverseRule, get_relative_label

ROTATION = ("relative_quaternion",)
"""The relative rotation R1^T R2 as a quaternion, the action of SIE: 4 numbers."""
ROTATION_AND_COLOR = ("relative_quaternion", "floor_hue_difference", "light_hue_difference")
"""The action of SIE's variant with colors: 4 + 1 + 1 numbers."""
ROTATION_MATRIX = ("relative_rotation",)
POSE_MATRIX = ("relative_pose",)


def get_action_dim(labels: Sequence[str]) -> int:
    """Return the number of values K of an action.

    Args:
        labels: Names of relative labels (see docs/labels.md).

    Raises:
        InvalidInputError: A name is no relative label.
    """
    return sum(get_relative_label(label).width for label in labels)


def action_from_batch(batch: Mapping[str, Tensor], labels: Sequence[str]) -> Tensor:
    """Return the action of each sample of a batch: its labels side by side.

    Args:
        batch: Fields by name; the labels have the shape [B, *shape], or [B, k - 1, *shape] for k views.
        labels: Names of one or more relative labels. Matrices are flattened row by row.

    Returns:
        Actions [B, K], or [B, k - 1, K] for k views.
    """
    parts = [_flatten_label(batch[label], get_relative_label(label).width) for label in labels]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)


def invert_action(action: Tensor, labels: Sequence[str]) -> Tensor:
    """Return the action from the second view back to the first.

    Args:
        action: Actions [..., K] of ``action_from_batch``.
        labels: Names of the labels of the action, in the same order.

    Raises:
        InvalidInputError: A label has no inverse, such as the six-number form of a rotation.
    """
    parts = action.split([get_relative_label(label).width for label in labels], dim=-1)
    return torch.cat([_invert_label(part, label) for part, label in zip(parts, labels, strict=True)], dim=-1)


def _invert_label(values: Tensor, label: str) -> Tensor:
    """Return the inverse of one label [..., width]."""
    rule = get_relative_label(label).inverse
    if rule is None:
        raise InvalidInputError(
            f"the action from the second view back to the first cannot be computed from {label!r} alone; use"
            " relative_quaternion or relative_rotation"
        )
    return _INVERSES[rule](values)


def _conjugate_quaternion(quaternion: Tensor) -> Tensor:
    """Return the inverses of unit quaternions [..., 4], xyzw."""
    return quaternion * quaternion.new_tensor([-1.0, -1.0, -1.0, 1.0])


def _transpose_rotation(rotation: Tensor) -> Tensor:
    """Return the transposes of matrices [..., 9], stored row by row."""
    return rotation.unflatten(-1, (3, 3)).transpose(-1, -2).flatten(-2)


def _invert_motion(motion: Tensor) -> Tensor:
    """Return the inverses of rigid motions [..., 16], stored row by row."""
    return torch.linalg.inv(motion.unflatten(-1, (4, 4))).flatten(-2)


_INVERSES: dict[InverseRule, Callable[[Tensor], Tensor]] = {
    "same": lambda values: values,
    "negated": torch.neg,
    "conjugate": _conjugate_quaternion,
    "transposed": _transpose_rotation,
    "inverted": _invert_motion,
}


def _flatten_label(values: Tensor, width: int) -> Tensor:
    """Return values [..., *shape] as [..., width]: a scalar label gains an axis, a matrix loses one."""
    if width == 1:
        return values.unsqueeze(-1)
    return values.flatten(-2) if values.shape[-1] != width else values
