"""Sequences of views: how an object moves from one view to the next, as twists of SE(3).

The views of an object are cut into sequences of equal length: view v is step ``v % length`` of sequence
``v // length``. In every motion but "independent" one twist carries the object through its sequence:
pose_t = pose_{t-1} exp(twist), with the pose ``[R, R t]`` of ``R @ T(t)``.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from turntable import geometry

FloatArray = NDArray[np.float64]

MotionName = Literal["constant", "screw", "in-plane", "independent"]
Span = tuple[float, float]

NUM_UNITS = 6
"""Uniform numbers that decide the motion of a sequence."""

MOST_TRANSLATION = 0.5
"""How far a screw may carry the object's centre from the origin, in bounding-box diagonals."""
DEFAULT_OFFSET: Span = (0.1, 0.3)
DEFAULT_TRAVEL: Span = (-0.6, 0.6)


@dataclass(frozen=True, slots=True)
class SequenceRule:
    """The table [sequence] of a recipe."""

    length: int
    """Views of a sequence."""
    motion: MotionName
    speed_rad: Span | None = None
    """Least and greatest angle from a view to the next; None for "independent"."""
    offset: Span | None = None
    """"screw": distance of the object's centre from the axis, in bounding-box diagonals."""
    travel: Span | None = None
    """"screw": way along the axis over the whole sequence, against the axis where negative."""
    vary: tuple[str, ...] = ()
    """Factors other than the pose that are drawn for every view; the others hold over a sequence."""

    @property
    def moving(self) -> bool:
        """Whether one twist carries the object through a sequence."""
        return self.motion != "independent"

    def to_dict(self) -> dict[str, Any]:
        """As in the TOML file."""
        spans = {"speed_rad": self.speed_rad, "offset": self.offset, "travel": self.travel}
        table: dict[str, Any] = {"length": self.length, "motion": self.motion}
        table |= {name: {"low": span[0], "high": span[1]} for name, span in spans.items() if span}
        return table | ({"vary": list(self.vary)} if self.vary else {})

    def twist_bounds(self, most_translation: float) -> tuple[float, float]:
        """The greatest a component of omega (radians) and of v can be.

        Args:
            most_translation: greatest distance of the object's centre from the origin.
        """
        if not self.moving:
            # The way between two centres, and V⁻¹ stretches it by at most (pi/2)/sin(pi/2).
            return math.pi, math.pi * most_translation
        assert self.speed_rad is not None
        speed = self.speed_rad[1]
        if self.motion == "constant":
            return speed, 0.0
        if self.motion == "in-plane":
            return speed, speed * most_translation
        assert self.offset is not None
        assert self.travel is not None
        step = max(map(abs, self.travel)) / (self.length - 1)
        return speed, math.hypot(speed * self.offset[1], step)

    def start_and_twist(
        self, units: FloatArray, rotation: FloatArray, translation: FloatArray, elevation_rad: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The first pose and the twist of sequences that move.

        The motion is made in the world, where its axis is uniform on the sphere ("in-plane": the camera's
        forward axis, either way round), and told in the object's frame.

        Args:
            units: [N, 6] uniform numbers in [0, 1).
            rotation: [N, 3, 3] of the first view.
            translation: [N, 3] of the first view, in the object's frame; a screw puts its own in its place.
            elevation_rad: [N] of the camera.

        Returns:
            Poses [N, 4, 4] and twists [N, 6].
        """
        assert self.speed_rad is not None
        axis = _towards(units[:, 0], units[:, 1])
        if self.motion == "in-plane":
            forward = [np.zeros_like(elevation_rad), -np.cos(elevation_rad), -np.sin(elevation_rad)]
            axis = np.stack(forward, axis=-1) * np.where(units[:, :1] < 0.5, -1.0, 1.0)
        omega = axis * _within(units[:, 2:3], self.speed_rad)
        centre = (rotation @ translation[..., None])[..., 0]
        velocity = np.zeros_like(omega) if self.motion == "constant" else np.cross(omega, centre)
        if self.motion == "screw":
            centre, velocity = self._screw(units, axis, omega)
        start = geometry.pose(rotation, np.zeros(3))
        start[..., :3, 3] = centre
        world = np.stack([omega, velocity], axis=-1)
        own = np.swapaxes(rotation, -1, -2) @ world
        return start, np.concatenate([own[..., 0], own[..., 1]], axis=-1)

    def _screw(self, units: FloatArray, axis: FloatArray, omega: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Centre at the first view, and its velocity: the axis runs through the origin at half the way."""
        assert self.offset is not None
        assert self.travel is not None
        travel = _within(units[:, 4:5], self.travel)
        side = _across(axis, 2 * np.pi * units[:, 5:6]) * _within(units[:, 3:4], self.offset)
        velocity = np.cross(omega, side) + axis * travel / (self.length - 1)
        return side - axis * travel / 2, velocity


def poses_at(start: FloatArray, twist: FloatArray, step: NDArray[np.int64]) -> FloatArray:
    """Poses after some steps of a motion.

    Args:
        start: [N, 4, 4].
        twist: [N, 6].
        step: [N], 0 for the start itself.

    Returns:
        [N, 4, 4].
    """
    return start @ geometry.exp_se3(twist * step[:, None])


def _within(units: FloatArray, span: Span) -> FloatArray:
    return span[0] + units * (span[1] - span[0])


def _towards(height: FloatArray, turn: FloatArray) -> FloatArray:
    """Directions uniform on the sphere, [N, 3]."""
    z = 2 * height - 1
    radius = np.sqrt(1 - z * z)
    return np.stack([radius * np.cos(2 * np.pi * turn), radius * np.sin(2 * np.pi * turn), z], axis=-1)


def _across(axis: FloatArray, angle: FloatArray) -> FloatArray:
    """Unit vectors at right angles to an axis, [N, 3]."""
    smallest = np.eye(3)[np.argmin(np.abs(axis), axis=-1)]
    first = np.cross(axis, smallest)
    first /= np.linalg.norm(first, axis=-1, keepdims=True)
    return first * np.cos(angle) + np.cross(axis, first) * np.sin(angle)
