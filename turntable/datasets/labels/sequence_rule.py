"""Sequences of views: the motion of an object from one view to the next, as twists of SE(3).

The views of an object are divided into sequences of equal length: view v is step ``v % length`` of sequence
``v // length``. In a motion one twist moves the object through its sequence: pose_t = pose_{t-1} exp(twist),
with the pose ``[R, R t]`` of ``R @ T(t)``. An object may also stand "still", or have an "independent" pose in
every view.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from turntable import geometry

FloatArray = NDArray[np.float64]

MotionName = Literal["constant", "screw", "in-plane", "still", "independent"]
Span = tuple[float, float]

NUM_MOTION_UNITS = 6
"""Number of uniform numbers that determine the motion of a sequence."""

MAX_SCREW_TRANSLATION = 0.5
"""The greatest distance of the object's center from the origin in a screw motion, in bounding-box
diagonals."""
DEFAULT_OFFSET: Span = (0.1, 0.3)
DEFAULT_TRAVEL: Span = (-0.6, 0.6)


@dataclass(frozen=True, slots=True)
class SequenceRule:
    """The rule of a recipe's sequences, as in its table [sequence]."""

    length: int
    """Number of views of a sequence."""
    motion: MotionName
    speed_rad: Span | None = None
    """The least and the greatest angle from a view to the next; None for "still", "independent" and a list of
    speeds."""
    offset: Span | None = None
    """The distance of the object's center from the axis of a "screw", in bounding-box diagonals."""
    travel: Span | None = None
    """The distance along the axis of a "screw" over the whole sequence; negative against the axis's
    direction."""
    vary: tuple[str, ...] = ()
    """The factors, other than the pose, that are drawn for every view. The others hold over a sequence."""
    speeds_rad: tuple[float, ...] = ()
    """The angles from a view to the next of which each sequence draws one, with its sign: about the camera's
    forward axis for "in-plane", about an axis uniform on the sphere otherwise. Empty for a range."""

    @property
    def is_moving(self) -> bool:
        """True if one twist moves the object through a sequence."""
        return self.motion not in ("still", "independent")

    @property
    def max_speed_rad(self) -> float:
        """The greatest angle from a view to the next of a sequence that moves."""
        if self.speeds_rad:
            return max(map(abs, self.speeds_rad))
        assert self.speed_rad is not None
        return self.speed_rad[1]

    def to_dict(self) -> dict[str, Any]:
        """Return the table [sequence] of a recipe."""
        spans = {"speed_rad": self.speed_rad, "offset": self.offset, "travel": self.travel}
        table: dict[str, Any] = {"length": self.length, "motion": self.motion}
        table |= {"speed_rad": {"values": list(self.speeds_rad)}} if self.speeds_rad else {}
        table |= {name: {"low": span[0], "high": span[1]} for name, span in spans.items() if span}
        return table | ({"vary": list(self.vary)} if self.vary else {})

    def compute_twist_bounds(self, max_translation: float) -> tuple[float, float]:
        """Compute the greatest magnitude of a component of omega (in radians) and of v.

        Args:
            max_translation: Greatest distance of the object's center from the origin.
        """
        if self.motion == "still":
            return 0.0, 0.0
        if not self.is_moving:
            # v = V⁻¹ times the vector between two centers, which is at most 2 max_translation long. V⁻¹
            # stretches it by at most (pi/2)/sin(pi/2).
            return math.pi, math.pi * max_translation
        speed = self.max_speed_rad
        if self.motion == "constant":
            return speed, 0.0
        if self.motion == "in-plane":
            return speed, speed * max_translation
        assert self.offset is not None
        assert self.travel is not None
        step = max(map(abs, self.travel)) / (self.length - 1)
        return speed, math.hypot(speed * self.offset[1], step)

    def compute_start_and_twist(
        self, units: FloatArray, rotation: FloatArray, translation: FloatArray, elevation_rad: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Compute the first pose and the twist of sequences that move.

        The motion is defined in the world, with an axis uniform on the sphere ("in-plane": the camera's
        forward axis, in either direction; with a list of speeds, in the direction of each speed's sign), and
        converted to the object's frame.

        Args:
            units: Uniform numbers in [0, 1), [N, 6].
            rotation: Rotations of the first views, [N, 3, 3].
            translation: Translations of the first views in the object's frame, [N, 3]. A screw ignores them.
            elevation_rad: Elevations of the camera, [N].

        Returns:
            Poses [N, 4, 4] and twists [N, 6].
        """
        axis = geometry.units_to_direction(units[:, :2])
        if self.motion == "in-plane":
            forward = [np.zeros_like(elevation_rad), -np.cos(elevation_rad), -np.sin(elevation_rad)]
            axis = np.stack(forward, axis=-1)
            axis = axis if self.speeds_rad else axis * np.where(units[:, :1] < 0.5, -1.0, 1.0)
        omega = axis * self._draw_speeds(units[:, 2:3])
        center = (rotation @ translation[..., None])[..., 0]
        velocity = np.zeros_like(omega) if self.motion == "constant" else np.cross(omega, center)
        if self.motion == "screw":
            center, velocity = self._compute_screw(units, axis, omega)
        start = geometry.make_pose(rotation, np.zeros(3))
        start[..., :3, 3] = center
        in_world = np.stack([omega, velocity], axis=-1)
        in_object = np.swapaxes(rotation, -1, -2) @ in_world
        return start, np.concatenate([in_object[..., 0], in_object[..., 1]], axis=-1)

    def _draw_speeds(self, units: FloatArray) -> FloatArray:
        """Map uniform numbers to angles from a view to the next."""
        if self.speeds_rad:
            return np.array(self.speeds_rad)[(units * len(self.speeds_rad)).astype(np.int64)]
        assert self.speed_rad is not None
        return _scale_to_span(units, self.speed_rad)

    def _compute_screw(
        self, units: FloatArray, axis: FloatArray, omega: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Compute the object's center at the first view, and its velocity.

        Halfway through the sequence the center is nearest to the origin, through which the axis runs.
        """
        assert self.offset is not None
        assert self.travel is not None
        travel = _scale_to_span(units[:, 4:5], self.travel)
        side = _compute_perpendiculars(axis, 2 * np.pi * units[:, 5:6]) * _scale_to_span(
            units[:, 3:4], self.offset
        )
        velocity = np.cross(omega, side) + axis * travel / (self.length - 1)
        return side - axis * travel / 2, velocity


def compute_poses(start: FloatArray, twist: FloatArray, step: NDArray[np.int64]) -> FloatArray:
    """Compute the poses after some steps of a motion.

    Args:
        start: First poses, [N, 4, 4].
        twist: Twists, [N, 6].
        step: Numbers of steps, [N]; 0 is the first pose itself.

    Returns:
        [N, 4, 4].
    """
    return start @ geometry.exp_se3(twist * step[:, None])


def _scale_to_span(units: FloatArray, span: Span) -> FloatArray:
    return span[0] + units * (span[1] - span[0])


def _compute_perpendiculars(axis: FloatArray, angle: FloatArray) -> FloatArray:
    """Compute unit vectors perpendicular to an axis, [N, 3], at given angles about it."""
    # The unit vector along the axis's smallest component is the farthest from parallel to the axis.
    smallest = np.eye(3)[np.argmin(np.abs(axis), axis=-1)]
    first = np.cross(axis, smallest)
    first /= np.linalg.norm(first, axis=-1, keepdims=True)
    return first * np.cos(angle) + np.cross(axis, first) * np.sin(angle)
