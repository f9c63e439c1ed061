"""Actions: what was done to the object between two views, as the numbers that a predictor is given."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.geometry import Inverse, relative_label

ROTATION = ("relative_quaternion",)
"""R1^T R2, as SIE gives it."""
ROTATION_AND_COLOUR = ("relative_quaternion", "floor_hue_difference", "light_hue_difference")
"""As SIE's variant with colours: 4 + 1 + 1 numbers."""
ROTATION_MATRIX = ("relative_rotation",)
POSE_MATRIX = ("relative_pose",)


def action_dim(labels: Sequence[str]) -> int:
    """How many numbers an action has that is told by these labels (docs/labels.md, those of a step).

    Raises:
        InvalidInputError: A label is not of a step from one view to the next.
    """
    return sum(relative_label(label).width for label in labels)


def action_of(batch: Mapping[str, Tensor], labels: Sequence[str]) -> Tensor:
    """The action of each sample of a batch.

    Args:
        batch: Has each label, [B, *shape] or, of k views, [B, k - 1, *shape].
        labels: At least one; a matrix is told row by row.

    Returns:
        [B, K], or [B, k - 1, K].
    """
    parts = [_flat(batch[label], relative_label(label).width) for label in labels]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)


def inverse_action(action: Tensor, labels: Sequence[str]) -> Tensor:
    """The action back from the second view to the first.

    Args:
        action: [..., K], of ``action_of``.
        labels: That tell it.

    Raises:
        InvalidInputError: A label does not tell the way back, as six numbers of a rotation do not.
    """
    parts = action.split([relative_label(label).width for label in labels], dim=-1)
    return torch.cat([_inverse(part, label) for part, label in zip(parts, labels, strict=True)], dim=-1)


def _inverse(values: Tensor, label: str) -> Tensor:
    """Of one label [..., width]."""
    kind = relative_label(label).inverse
    if kind is None:
        raise InvalidInputError(
            f"the action back cannot be told by {label!r} alone; take relative_quaternion or"
            " relative_rotation"
        )
    return _BACK[kind](values)


def _conjugate(quaternion: Tensor) -> Tensor:
    """[..., 4] xyzw."""
    return quaternion * quaternion.new_tensor([-1.0, -1.0, -1.0, 1.0])


def _transposed(rotation: Tensor) -> Tensor:
    """[..., 9] row by row."""
    return rotation.unflatten(-1, (3, 3)).transpose(-1, -2).flatten(-2)


def _inverted(motion: Tensor) -> Tensor:
    """[..., 16] row by row."""
    return torch.linalg.inv(motion.unflatten(-1, (4, 4))).flatten(-2)


_BACK: dict[Inverse, Callable[[Tensor], Tensor]] = {
    "same": lambda values: values,
    "negated": torch.neg,
    "conjugate": _conjugate,
    "transposed": _transposed,
    "inverted": _inverted,
}


def _flat(values: Tensor, width: int) -> Tensor:
    """Values [..., *shape] as [..., width]; a scalar label gets an axis, a matrix loses one."""
    if width == 1:
        return values.unsqueeze(-1)
    return values.flatten(-2) if values.shape[-1] != width else values
