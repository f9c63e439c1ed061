"""Candidates for the axes of symmetry of a surface: from its covariance, or from a search."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.geometry import exp_so3
from turntable.renderer.meshes.symmetry.rotation_groups import make_across, make_turn
from turntable.renderer.meshes.symmetry.surface_discs import SurfaceDiscs, compute_squared_distances

FloatArray64 = NDArray[np.float64]

EQUAL_GAP = 0.05
"""Relative difference of two eigenvalues of the covariance below which axes between theirs are searched."""
NUM_DIRECTIONS = 420
"""Directions over a half sphere, 7 degrees apart."""
NUM_ACROSS = 60
"""Directions across an axis, 3 degrees apart."""
SCREEN_PROBES = 48
SCREEN_DISCS = 512
SCREEN_AT_ONCE = 60
"""Motions whose distances are computed at once, so that they take some megabytes."""
REFINE_PROBES = 256
REFINE_STEPS = 5
POLISH_PROBES = 256


@dataclass(frozen=True, slots=True, eq=False)
class PrincipalAxes:
    """The principal axes of a surface."""

    values: FloatArray64
    """[3] eigenvalues of the covariance, ascending."""
    axes: FloatArray64
    """[3, 3] unit axes, in rows."""

    @property
    def gaps(self) -> tuple[float, float]:
        """Differences of neighboring eigenvalues, over the largest eigenvalue."""
        low, middle, high = self.values.tolist()
        return (middle - low) / high, (high - middle) / high

    @property
    def single(self) -> tuple[FloatArray64, ...]:
        """Axes whose eigenvalue is far from the others: three, one, or none."""
        below, above = (gap > EQUAL_GAP for gap in self.gaps)
        if below and above:
            return tuple(self.axes)
        if below or above:
            return (self.axes[0 if below else 2],)
        return ()


def find_principal_axes(surface: SurfaceDiscs) -> PrincipalAxes:
    """Return the principal axes of a surface."""
    values, vectors = np.linalg.eigh(surface.covariance)
    return PrincipalAxes(np.maximum(values, 0), vectors.T)


def list_directions(principal: PrincipalAxes) -> FloatArray64:
    """Return unit directions [N, 3] in which axes are searched: across a single axis, or all around."""
    if len(principal.single) == 3:
        return np.empty((0, 3))
    if principal.single:
        axis = principal.single[0]
        start = make_across(axis)
        angles = np.pi * np.arange(NUM_ACROSS) / NUM_ACROSS
        return np.cos(angles)[:, None] * start + np.sin(angles)[:, None] * np.cross(axis, start)
    return make_half_sphere()


def make_half_sphere() -> FloatArray64:
    """Return unit directions [N, 3] spread evenly over a half sphere, since an axis has no sign."""
    # The golden spiral.
    height = (np.arange(NUM_DIRECTIONS) + 0.5) / NUM_DIRECTIONS
    turn = np.arange(NUM_DIRECTIONS) * np.pi * (3 - 5**0.5)
    flat = np.sqrt(1 - height**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=-1)


def select_directions(
    surface: SurfaceDiscs, directions: FloatArray64, order: int, sign: float, most: int
) -> FloatArray64:
    """Return the directions [M, 3] whose turns move the surface least, none close to another.

    Args:
        surface: The surface.
        directions: Unit directions [N, 3].
        order: Order of the turn.
        sign: -1 to reflect every point at the center after the turn, else 1.
        most: Most directions to return.
    """
    if not len(directions):
        return directions
    scores = _score_motions(surface, sign * exp_so3(directions * (2 * np.pi / order)))
    chosen: list[int] = []
    for number in np.argsort(scores, kind="stable").tolist():
        cosines = np.abs(directions[chosen] @ directions[number])
        if not (cosines > np.cos(np.radians(12))).any():
            chosen.append(number)
        if len(chosen) == most:
            break
    return directions[chosen]


def _score_motions(surface: SurfaceDiscs, motions: FloatArray64) -> FloatArray64:
    """Return a rough deviation [N] of the surface after each motion: mean distances between samples."""
    discs = surface.discs[:SCREEN_DISCS].astype(np.float32)
    probes = surface.probes[:SCREEN_PROBES]
    scores = np.empty(len(motions))
    for start in range(0, len(motions), SCREEN_AT_ONCE):
        part = motions[start : start + SCREEN_AT_ONCE]
        moved = np.einsum("nij,pj->npi", part, probes).reshape(-1, 3).astype(np.float32)
        nearest = np.maximum(compute_squared_distances(moved, discs).min(axis=1), 0)
        scores[start : start + SCREEN_AT_ONCE] = np.sqrt(nearest).reshape(len(part), -1).mean(axis=1)
    return scores


def adjust_motion(surface: SurfaceDiscs, motion: FloatArray64) -> FloatArray64:
    """Turn a motion [3, 3] a little, so that it moves the surface less: steps of iterative closest planes."""
    discs = surface.discs.astype(np.float32)
    for _ in range(REFINE_STEPS):
        moved = surface.probes[:REFINE_PROBES] @ motion.T
        squared = compute_squared_distances(moved.astype(np.float32), discs)
        nearest = squared.argmin(axis=1)
        # Far points have no counterpart; half of them are enough to turn by.
        distances = squared[np.arange(len(nearest)), nearest]
        near = distances <= max(4 * float(np.median(distances)), surface.radius**2)
        normals = surface.normals[nearest][near]
        rows = np.cross(moved[near], normals)
        off = np.einsum("px,px->p", surface.discs[nearest][near] - moved[near], normals)
        damped = rows.T @ rows + 1e-4 * np.trace(rows.T @ rows) * np.eye(3) + 1e-12 * np.eye(3)
        step = np.linalg.solve(damped, rows.T @ off)
        length = float(np.linalg.norm(step))
        motion = exp_so3(step * min(1.0, 0.2 / max(length, 1e-12))) @ motion
        if length < 1e-5:
            break
    return motion


def find_least_motion(surface: SurfaceDiscs, motion: FloatArray64) -> FloatArray64:
    """Turn a motion [3, 3] to where its residual is smallest: a search in ever smaller steps."""
    residual, size = surface.compute_residual(motion, POLISH_PROBES), 0.03
    while size > 0.005:
        turns = exp_so3(size * np.concatenate([np.eye(3), -np.eye(3)]))
        residuals = [surface.compute_residual(turn @ motion, POLISH_PROBES) for turn in turns]
        best = int(np.argmin(residuals))
        if residuals[best] < residual:
            motion, residual = turns[best] @ motion, residuals[best]
        else:
            size /= 2
    return motion


def find_axis(surface: SurfaceDiscs, direction: FloatArray64, order: int) -> FloatArray64:
    """Return the unit axis near a direction whose turn moves the surface least."""
    turn = adjust_motion(surface, make_turn(direction, order))
    if order == 2:
        # A half turn is 2 a aT - 1: its axis is the eigenvector of the largest eigenvalue.
        axis = np.linalg.eigh(turn + turn.T)[1][:, -1]
    else:
        axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        axis = axis / max(float(np.linalg.norm(axis)), 1e-12)
    return axis if axis @ direction >= 0 else -axis
