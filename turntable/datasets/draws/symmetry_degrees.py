"""The degree to which a recipe's law of rotations has each symmetry: a number in [0, 1] for each group.

A group acts on the rotation R of the object, or of the object as the camera sees it. With the law p and its
average over the group, q, the degree is 1 - TV(p, q) / c, where TV is the total variation distance and
c = 1 - 1/n is the greatest that a group of n elements allows (1 for a continuous group). It is 1 if no
element changes the law, and 0 if the law shares nothing with its images.

The law is known exactly: a product of uniform laws of angles, or uniform on a part of SO(3). TV is the mean
of the distances along the orbits of the group, over orbits drawn from p. They are drawn by the points of one
lattice (Roberts' R-sequence), the same for every recipe.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.labels import (
    ROTATION_NAMES,
    STANDARD_FACTORS_BY_NAME,
    Environment,
    Factor,
    RotationRule,
)
from turntable.datasets.recipes import Recipe

FloatArray = NDArray[np.float64]

ELEVATION, ROLL = "camera_elevation_rad", "camera_roll_rad"
_NUM_POINTS = 1024
"""Number of rotations at which a law is looked at. The error of a degree is below 0.01."""
_NUM_TURNS = 96
"""Number of turns of a full circle along an orbit."""
_ATOM_WIDTH = 1e-9
"""Tolerance in radians for two angles that are one number."""
_HAAR_VOLUME = 8 * math.pi**2
"""Integral of |cos y| over all rotations Rz Ry Rx."""


@dataclass(frozen=True, slots=True)
class _PoseLaw:
    """The law of rotations in one environment."""

    rule: RotationRule | None
    """The rule for rotations on SO(3); None if the angles have laws."""
    angles: tuple[Factor, ...]
    """The laws of the angles x, y and z; empty with a rule."""
    elevation: Factor
    roll: Factor | None
    """The law of the camera's roll; None for 0."""

    @property
    def is_haar(self) -> bool:
        """True if the law is uniform on SO(3)."""
        return self.rule is not None and self.rule.outside is None

    @property
    def has_density(self) -> bool:
        """True if the law has a density on SO(3): no angle is bound to single values."""
        return not any(map(_has_atoms, self.angles))

    def draw_angles(self) -> FloatArray:
        """Return angles [N, 3] of rotations of this law."""
        if self.rule is None:
            return _draw_laws(self.angles)
        rotations = geometry.quaternion_to_matrix(geometry.units_to_quaternion(_make_lattice(3)))
        return geometry.matrix_to_euler(rotations[self.rule.accepts(rotations)])

    def compute_angle_density(self, angles: FloatArray) -> FloatArray:
        """Compute the density of angles [..., 3] over both triples of each rotation; an atom counts as 1."""
        if self.rule is not None:
            return self.rule.accepts(geometry.euler_to_matrix(angles)).astype(np.float64)
        x, y, z = np.moveaxis(angles, -1, 0)
        triples = np.stack([(x, y, z), (x + np.pi, np.pi - y, z + np.pi)])
        factors = [_compute_density(law, triples[:, i]) for i, law in enumerate(self.angles)]
        return np.prod(factors, axis=0).sum(axis=0)

    def compute_haar_density(self, rotations: FloatArray) -> FloatArray:
        """Compute the density of rotations [..., 3, 3] by the Haar measure, up to a factor with a rule."""
        angles = geometry.matrix_to_euler(rotations)
        density = self.compute_angle_density(angles)
        return density if self.rule is not None else density * _HAAR_VOLUME / np.abs(np.cos(angles[..., 1]))


def compute_symmetry_degrees(recipe: Recipe) -> dict[str, float]:
    """Compute the degree of each symmetry of a recipe's rotations, rounded to 0.001.

    - "so3": R to Q R with every rotation Q.
    - "so2_vertical": R to Rz(a) R, turns about the world's vertical.
    - "so2_picture": turns of the picture, which are turns about the camera's forward axis: C to Rz(a) C with
      the rotation C from the object's frame to the camera's, at each elevation of the camera.
    - "mirror": the mirror image of the picture, left and right exchanged: R to S R S with S = diag(-1, 1, 1),
      and the camera's roll to its negative.

    A pose bank has the law that its rotations are drawn from, and a sequence that moves that of its first
    view. With environments, a degree is the mean over them.

    Returns:
        Degree by group. Empty if the law is not known: labels that were imported, a coupling that determines
        an angle of the object or the camera, or y fixed at a quarter turn, where x and z are one angle.
    """
    if recipe.draws == "imported":
        return {}
    if {item.factor for item in recipe.coupling} & {*ROTATION_NAMES, ELEVATION, ROLL}:
        return {}
    laws = [_make_law(recipe, item) for item in recipe.environment or [Environment("")]]
    if any(law.angles and _is_gimbal(law.angles[1]) for law in laws):
        return {}
    degrees = np.mean([_compute_degrees(law) for law in laws], axis=0)
    return dict(zip(_GROUPS, (round(float(degree), 3) for degree in degrees), strict=True))


_GROUPS = ("so3", "so2_vertical", "so2_picture", "mirror")


@lru_cache(maxsize=256)
def _compute_degrees(law: _PoseLaw) -> tuple[float, float, float, float]:
    return (
        _compute_so3_degree(law),
        _compute_vertical_degree(law),
        _compute_picture_degree(law),
        _compute_mirror_degree(law),
    )


def _make_law(recipe: Recipe, environment: Environment) -> _PoseLaw:
    laws = {item.name: item for item in environment.select_laws(recipe.drawn_factors)}
    standard = STANDARD_FACTORS_BY_NAME[ELEVATION]
    assert standard.default is not None
    return _PoseLaw(
        recipe.rotation,
        tuple(laws[name] for name in ROTATION_NAMES) if recipe.rotation is None else (),
        laws.get(ELEVATION, standard.factor.with_value(standard.default)),
        laws.get(ROLL),
    )


def _compute_so3_degree(law: _PoseLaw) -> float:
    if law.is_haar or not law.has_density:
        return float(law.is_haar)
    if law.rule is not None:
        return len(law.draw_angles()) / _NUM_POINTS
    density = law.compute_haar_density(geometry.euler_to_matrix(law.draw_angles()))
    return float(np.minimum(1, 1 / density).mean())


def _compute_vertical_degree(law: _PoseLaw) -> float:
    if law.is_haar:
        return 1.0
    if law.angles and _has_atoms(law.angles[2]):
        return 0.0
    angles = np.repeat(law.draw_angles()[:, None], _NUM_TURNS, axis=1)
    angles[..., 2] += _TURNS
    return _compute_orbit_degree(law.compute_angle_density(angles))


def _compute_picture_degree(law: _PoseLaw) -> float:
    roll = np.zeros(_NUM_TURNS) if law.roll is None else _compute_density(law.roll, _TURNS)
    has_roll = law.roll is not None and not _has_atoms(law.roll)
    if law.is_haar or (has_roll and np.ptp(roll) < _ATOM_WIDTH):
        return 1.0
    if not law.has_density:
        # The turns leave the rotations of the law, so only the roll can make one picture another.
        return _compute_orbit_degree(roll[None]) if has_roll else 0.0
    angles = law.draw_angles()
    elevation = _draw_laws((law.elevation,), start=3)[: len(angles), 0]
    forward = np.stack([np.zeros_like(elevation), -np.cos(elevation), -np.sin(elevation)], axis=-1)
    turns = geometry.exp_so3(forward[:, None] * _TURNS[:, None])
    density = law.compute_haar_density(turns @ geometry.euler_to_matrix(angles)[:, None])
    if has_roll:
        density = np.fft.irfft(np.fft.rfft(density) * np.fft.rfft(roll), _NUM_TURNS)
    return _compute_orbit_degree(density)


def _compute_mirror_degree(law: _PoseLaw) -> float:
    roll = 1.0 if law.roll is None else _compute_overlap(law.roll)
    if law.is_haar:
        return roll
    angles = law.draw_angles()
    # S Rz(z) Ry(y) Rx(x) S = Rz(-z) Ry(-y) Rx(x)
    mirrored = law.compute_angle_density(angles * [1, -1, -1]) / law.compute_angle_density(angles)
    return float(np.minimum(1, mirrored).mean()) * roll


def _compute_overlap(law: Factor) -> float:
    """Compute the share of a law of one angle that it has in common with its negative."""
    angles = _draw_laws((law,))[:, 0]
    return float(np.minimum(1, _compute_density(law, -angles) / _compute_density(law, angles)).mean())


def _compute_orbit_degree(density: FloatArray) -> float:
    """Compute 1 less the mean distance of densities [N, T] along orbits from the uniform law."""
    shares = density / density.mean(axis=1, keepdims=True)
    return float(1 - np.abs(shares - 1).mean() / 2)


def _has_atoms(law: Factor) -> bool:
    return law.distribution in ("fixed", "integer")


def _is_gimbal(law: Factor) -> bool:
    return law.distribution == "fixed" and abs(math.cos(law.low)) < _ATOM_WIDTH


def _compute_density(law: Factor, angles: FloatArray) -> FloatArray:
    """Compute the density of angles [...] modulo full turns; of single values, their probability."""
    turned = angles[..., None] + 2 * np.pi * np.arange(-3, 4)
    if _has_atoms(law):
        values = np.arange(law.low, law.high + 0.5)
        hits = np.abs(turned[..., None] - values) < _ATOM_WIDTH
        return hits.any(axis=-2).mean(axis=-1)
    low, high = np.array(law.get_intervals()).T
    inside = (turned[..., None] >= low) & (turned[..., None] <= high)
    return inside.sum(axis=(-1, -2)) / (high - low).sum()


def _draw_laws(laws: tuple[Factor, ...], start: int = 0) -> FloatArray:
    """Draw values [N, L] of laws by the points of the lattice, whose first dimensions others may use."""
    units = _make_lattice(start + len(laws))[:, start:]
    return np.stack([_scale_units(law, units[:, i]) for i, law in enumerate(laws)], axis=-1)


def _scale_units(law: Factor, units: FloatArray) -> FloatArray:
    if _has_atoms(law):
        return law.low + np.floor(units * (law.high - law.low + 1))
    intervals = law.get_intervals()
    each, place = np.divmod(units * len(intervals), 1)
    low, high = np.array(intervals)[each.astype(np.int64)].T
    return low + place * (high - low)


def _make_lattice(num_dimensions: int) -> FloatArray:
    """Return points [N, D] spread evenly over the unit cube (Roberts' R-sequence)."""
    ratio = 2.0
    for _ in range(64):
        ratio = (1 + ratio) ** (1 / (num_dimensions + 1))
    steps = ratio ** -np.arange(1, num_dimensions + 1)
    return np.mod(0.5 + np.arange(1, _NUM_POINTS + 1)[:, None] * steps, 1)


_TURNS = 2 * np.pi * np.arange(_NUM_TURNS) / _NUM_TURNS
