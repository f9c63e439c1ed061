"""Keypoints: a few points of an object's surface, far apart from one another, each fixed to a part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe
from turntable.datasets.draws import get_drawn_id, make_philox_key
from turntable.renderer.meshes import (
    Mesh,
    choose_farthest_points,
    compute_center,
    mirror_mesh,
    sample_surface,
)
from turntable.renderer.point_clouds import compute_visible_areas

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NUM_CANDIDATES = 4096
"""Number of points of the surface that keypoints are chosen from."""
_GRID = 2.0**-20
"""Spacing of the grid to which candidates are rounded, so that the choice is the same on every processor."""
_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """The keypoints of an object at rest."""

    places: FloatArray
    """[N, 3] places in the object's frame at rest, in diagonals."""
    parts: IntArray
    """[N] index of the part that each is fixed to; 0 for an object of one piece."""


def sample_object_keypoints(recipe: Recipe, object_id: str, mesh: Mesh) -> Keypoints:
    """Sample the keypoints of an object as a recipe asks for them.

    They depend on the object's id and mesh and on their number alone, so that recipes of other laws share
    them. Those of a mirrored twin are the mirror images of its object's.

    Raises:
        MeshError: The mesh has no area.
    """
    assert recipe.tracks is not None
    drawn_id = get_drawn_id(recipe, object_id)
    if drawn_id == object_id:
        return sample_keypoints(mesh, recipe.tracks.keypoints, object_id)
    own = sample_keypoints(mirror_mesh(mesh), recipe.tracks.keypoints, drawn_id)
    return Keypoints(own.places * _MIRROR, own.parts)


def sample_keypoints(mesh: Mesh, count: int, object_id: str) -> Keypoints:
    """Sample keypoints of a mesh by farthest-point sampling of its surface (``choose_farthest_points``).

    Faces that cannot be seen have none. Every part of an assembly has one, if there are enough.

    Args:
        mesh: Mesh in world orientation.
        count: Number of keypoints, at most ``NUM_CANDIDATES``.
        object_id: Id of the object in the data set.

    Raises:
        MeshError: The mesh has no area.
    """
    places, parts = _sample_candidates(mesh, object_id)
    chosen = choose_farthest_points(places, parts, count)
    return Keypoints(places[chosen], parts[chosen])


def _sample_candidates(mesh: Mesh, object_id: str) -> tuple[FloatArray, IntArray]:
    """Sample points [M, 3] of a surface and their parts [M]; every part has about as many."""
    corners = (mesh.positions.astype(np.float64) - compute_center(mesh))[mesh.triangles]
    area = compute_visible_areas(mesh, corners, object_id)
    part = (
        np.zeros(len(area), dtype=np.int64) if mesh.part_index is None else mesh.part_index.astype(np.int64)
    )
    area_of_part = np.bincount(part, area)
    random = np.random.Generator(np.random.Philox(key=make_philox_key("keypoints", object_id)))
    share = np.divide(area, area_of_part[part], out=np.zeros_like(area), where=area > 0)
    sample = sample_surface(share, NUM_CANDIDATES, random)
    places = sample.interpolate(corners[sample.triangles])
    return np.rint(places / _GRID) * _GRID, part[sample.triangles]
