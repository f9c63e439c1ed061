"""The returns of one scan: what each ray meets first, with noise and losses, and where it moves to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import GROUND_INSTANCE, ScanRule
from turntable.renderer.scanning.frames import ScanFrame, compute_point_motions
from turntable.renderer.scanning.rays import RayDraws, make_directions
from turntable.renderer.scanning.traced_parts import TracedParts

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_GRID_M = 2.0**-14
"""Step to which coordinates of returns are rounded (0.06 mm), so that processors agree on nearly all."""


@dataclass(frozen=True, slots=True, eq=False)
class NearestHits:
    """The surfaces that R rays meet first."""

    distance_m: Array
    """[R] distances; infinite for rays that meet nothing within the range."""
    cosine: Array
    """[R] absolute cosine of the angle between the ray and the surface's normal; 0 where nothing is met."""
    part: Indices
    """[R] indices of the parts; their number K for the ground, and where nothing is met."""


def find_nearest_hits(
    rule: ScanRule, parts: TracedParts, frame: ScanFrame, meters_per_unit: float
) -> NearestHits:
    """Return what each ray of a scanner meets first: a part, or the ground, which is a plane without end."""
    directions = make_directions(rule)
    nearest = _meet_ground(directions, frame.ego_pose, rule.range_m, len(parts))
    to_sensor = frame.parts_to_sensor
    to_sensor[:, :3, 3] /= meters_per_unit
    reach = rule.range_m / meters_per_unit
    for index, hits in enumerate(parts.iter_hits(directions, to_sensor, reach)):
        distance = hits.distance * meters_per_unit
        nearer = distance < nearest.distance_m[hits.ray]
        ray = hits.ray[nearer]
        nearest.distance_m[ray], nearest.cosine[ray] = distance[nearer], hits.cosine[nearer]
        nearest.part[ray] = index
    return nearest


def _meet_ground(directions: Array, ego_pose: Array, range_m: float, num_parts: int) -> NearestHits:
    """Return what rays meet if there is nothing but the ground, z = 0 in the metric world."""
    descent = -(directions @ ego_pose[2, :3])
    distance = np.full(len(directions), np.inf)
    np.divide(ego_pose[2, 3], descent, out=distance, where=descent > 0)
    distance[distance > range_m] = np.inf
    cosine = np.where(np.isfinite(distance), descent, 0.0)
    return NearestHits(distance, cosine, np.full(len(directions), num_parts, np.intp))


def make_returns(
    rule: ScanRule,
    hits: NearestHits,
    draws: RayDraws,
    instances: Sequence[int],
    frame: ScanFrame,
    following: ScanFrame | None,
) -> NDArray[np.float32]:
    """Return the returns [N, 8] of a scan, by its rays: x, y, z, intensity, instance, flow x, y, z.

    Args:
        rule: Rule of the scanner.
        hits: Surfaces that its rays meet.
        draws: Errors and losses of the rays.
        instances: Instance of each of the K parts.
        frame: Poses of the view.
        following: Poses of the next view of the sequence; None for the last one, whose flow is 0.
    """
    ray = np.flatnonzero(np.isfinite(hits.distance_m) & ~draws.is_lost)
    distance = hits.distance_m[ray] + draws.noise_m[ray]
    points = np.rint(make_directions(rule)[ray] * distance[:, None] / _GRID_M) * _GRID_M
    part = hits.part[ray]
    returns = np.zeros((len(ray), 8), dtype=np.float32)
    returns[:, :3], returns[:, 3] = points, np.minimum(hits.cosine[ray], 1)
    returns[:, 4] = np.array([*instances, GROUND_INSTANCE])[part]
    if following is not None:
        returns[:, 5:] = _compute_flow(returns[:, :3], compute_point_motions(frame, following)[part])
    return returns


def _compute_flow(points: NDArray[np.float32], motions: Array) -> Array:
    """Return how far points [N, 3] move by motions [N, 4, 4]."""
    place = points.astype(np.float64)
    return np.einsum("nij,nj->ni", motions[:, :3, :3] - np.eye(3), place) + motions[:, :3, 3]
