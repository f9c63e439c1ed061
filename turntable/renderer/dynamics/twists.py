"""Motion by twists: constant ones, and those whose turn changes to one of several."""

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.labels import DynamicsRule

Array = NDArray[np.float64]


def compute_twist_motions(
    rule: DynamicsRule, twists: Array, branches: NDArray[np.integer], frames: Array
) -> Array:
    """Compute the motions of parts from their poses at the start, in each part's own frame.

    Without branches the motion at frame t is exp(t ξ). With branches, frame b = ``branch_at`` is the first of
    a new twist: from there on, the motion is exp((b - 1) ξ) exp((t - b + 1) ξ'). In ξ' the turn of ξ is
    multiplied by the branch's factor. The factors are at even distances from -1 (back) to 1 (as before).

    Args:
        rule: Rule with the branches.
        twists: Twists ξ, [..., 6]: angle in radians and shift from a frame to the next.
        branches: Branch of each twist, [...]; ignored without branches.
        frames: Numbers of the frames from the start, [..., T] or [T].

    Returns:
        [..., T, 4, 4].
    """
    if not rule.branches:
        return geometry.exp_se3(twists[..., None, :] * frames[..., None])
    last = rule.branch_at - 1
    before, after = np.minimum(frames, last), np.maximum(frames - last, 0)
    changed = change_twists(rule, twists, branches)
    shared = geometry.exp_se3(twists[..., None, :] * before[..., None])
    return shared @ geometry.exp_se3(changed[..., None, :] * after[..., None])


def change_twists(rule: DynamicsRule, twists: Array, branches: NDArray[np.integer]) -> Array:
    """Return the twists [..., 6] that follow twists [..., 6] in branches [...]."""
    factor = np.linspace(-1, 1, rule.branches)[branches][..., None]
    return np.concatenate([factor * twists[..., :3], twists[..., 3:]], axis=-1)


def compute_acting_twists(
    rule: DynamicsRule, twists: Array, branches: NDArray[np.integer], frames: Array
) -> Array:
    """Compute the twist by which each frame was reached, so that no frame tells a branch before it is seen.

    The arguments are those of ``compute_twist_motions``.

    Returns:
        [..., T, 6], in the moving frame of the part.
    """
    first = twists[..., None, :]
    if not rule.branches:
        return np.broadcast_to(first, (*np.broadcast_shapes(first.shape[:-1], frames.shape), 6))
    changed = (frames >= rule.branch_at)[..., None]
    return np.where(changed, change_twists(rule, twists, branches)[..., None, :], first)


def compute_turned_places(
    rule: DynamicsRule, twists: Array, branches: NDArray[np.integer], places: Array, num_frames: int
) -> tuple[Array, Array]:
    """Compute the tracks of points of rigid bodies that move by twists with branches.

    Args:
        rule: Rule with the branches.
        twists: Twists [..., 6] of the bodies.
        branches: Branch [...] of each body.
        places: Points [..., N, 3] at the start.
        num_frames: Number T of frames.

    Returns:
        Places and velocities, each [..., T, N, 3]. The velocity is that of ``compute_acting_twists``.
    """
    frames = np.arange(num_frames, dtype=np.float64)
    motions = compute_twist_motions(rule, twists, branches, frames)
    acting = compute_acting_twists(rule, twists, branches, frames)
    points = places[..., None, :, :]
    inside = np.cross(acting[..., None, :3], points) + acting[..., None, 3:]
    to_world = np.swapaxes(motions[..., :3, :3], -1, -2)
    return points @ to_world + motions[..., None, :3, 3], inside @ to_world
