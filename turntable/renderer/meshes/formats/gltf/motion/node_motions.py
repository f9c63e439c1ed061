"""The motions of animated nodes from rest, in the frame of the scene."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.renderer.meshes.formats.gltf.motion.keyframes import Track
from turntable.renderer.meshes.formats.gltf.scene import Matrix

Floats = NDArray[np.float64]

MAX_BEND = 1e-3
"""Largest error of a rotation matrix whose motion still counts as rigid."""
MIN_TURN = 1e-3
"""Least change of the sine of half the angle that counts as a turn: about a tenth of a degree."""
MIN_SHIFT = 1e-3
"""Least shift, in diagonals of the object, that counts as a motion."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeMotion:
    """The rigid motions of a node from rest at its K keyframes, in the frame of the scene."""

    sines: Floats
    """[K, 3] unit axis of each turn times the sine of half its angle."""
    cosines: Floats
    """[K] cosines of half the angles."""
    shifts: Floats
    """[K, 3]: a point p at rest is at R p + shift."""
    lengths: tuple[int, ...]
    """Numbers of keyframes of the animations, which follow one another."""

    @property
    def rotations(self) -> Floats:
        """Rotation matrices [K, 3, 3]."""
        return geometry.quaternion_to_matrix(np.concatenate([self.sines, self.cosines[:, None]], axis=1))

    def has_motion(self, pivot: Floats, size: float) -> bool:
        """Return True if the keyframes differ by more than rounding.

        Args:
            pivot: Place [3] of the node at rest.
            size: Diagonal of the object.
        """
        turns = np.concatenate([self.sines, self.cosines[:, None]], axis=1)
        turns = turns * np.where(turns @ turns[0] < 0, -1, 1)[:, None]
        places = self.rotations @ pivot + self.shifts
        return bool(np.ptp(turns, axis=0).max() > MIN_TURN or np.ptp(places, axis=0).max() > MIN_SHIFT * size)


def compute_motion(
    rest: tuple[Floats, Floats], parent: Matrix, animations: Sequence[dict[str, Track]]
) -> NodeMotion | None:
    """Compute the motions of a node in the scene from its keyframes.

    Args:
        rest: Translation [3] and unit quaternion [4] of the node at rest, relative to its parent.
        parent: Matrix [4, 4] from the parent to the scene.
        animations: Tracks of the node by path, for each animation.

    Returns:
        The motions. None if they are not rigid, since the parent is scaled unevenly or flat.
    """
    keyframes = [_sample(rest, table) for table in animations]
    moved = np.concatenate([translation for translation, _ in keyframes])
    turned = np.concatenate([rotation for _, rotation in keyframes])
    linear, origin = parent[:3, :3], parent[:3, 3]
    scale = float(np.linalg.det(linear))
    if not np.isfinite(parent).all() or abs(scale) <= 1e-12 * np.abs(linear).max() ** 3:
        return None
    turn = geometry.multiply_quaternions(turned, geometry.conjugate_quaternion(rest[1]))
    local = geometry.quaternion_to_matrix(turn)
    in_scene = linear @ local @ np.linalg.inv(linear)
    if np.abs(in_scene @ np.swapaxes(in_scene, 1, 2) - np.eye(3)).max() > MAX_BEND:
        return None
    # The axis moves as a vector does; a mirroring parent turns about it the other way.
    axes = turn[:, :3] @ linear.T
    lengths = np.linalg.norm(axes, axis=1, keepdims=True)
    sizes = np.linalg.norm(turn[:, :3], axis=1, keepdims=True) * np.sign(scale)
    sines = np.divide(axes * sizes, lengths, out=np.zeros_like(axes), where=lengths > 0)
    shifts = (moved - local @ rest[0]) @ linear.T + origin - in_scene @ origin
    return NodeMotion(sines, turn[:, 3], shifts, tuple(len(rotation) for _, rotation in keyframes))


def _sample(rest: tuple[Floats, Floats], table: dict[str, Track]) -> tuple[Floats, Floats]:
    """Return the translations [K, 3] and unit quaternions [K, 4] at all keyframes of an animation."""
    times = np.unique(np.concatenate([track.times for track in table.values()]))
    still = (np.tile(values, (len(times), 1)) for values in rest)
    translation, rotation = (
        table[path].interpolate(times) if path in table else values
        for path, values in zip(("translation", "rotation"), still, strict=True)
    )
    return translation, rotation / np.linalg.norm(rotation, axis=1, keepdims=True)
