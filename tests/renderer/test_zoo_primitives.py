"""Tests that solids are closed, wound outward, of the requested size, and shaded by their crease angles."""

from collections import Counter

import numpy as np
import pytest

from turntable.renderer.meshes.zoo import outlines, primitives, sweeps
from turntable.renderer.meshes.zoo.solid import Array, Solid, join_solids
from turntable.renderer.meshes.zoo.vertex_normals import compute_crease_normals

CONCAVE = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (1.0, 0.5), (0.0, 2.0)]
PATH = outlines.spline([(0, 0, 0), (1, 0, 1), (1, 1, 2), (0, 2, 2)], 9)

SOLIDS = {
    "box": primitives.box(1, 2, 3),
    "rounded_box": primitives.rounded_box(1, 2, 3, 0.3, 2),
    "cylinder": primitives.cylinder(1, 2, bevel=0.1),
    "frustum": primitives.frustum(1, 0.5, 2),
    "vessel": primitives.lathe([(0.5, 0), (1, 1), (0.9, 1), (0.4, 0.1), (0, 0.1)]),
    "ellipsoid": primitives.ellipsoid(1, 2, 3),
    "hull": primitives.loft_sections([(0, 0, 1, 1), (1, -0.5, 1, 2), (2, 0, 0.5, 1)], (2.0, 3.0, 4.0)),
    "extrude_x": primitives.extrude(CONCAVE, 0.5, along="x", bevel=0.05),
    "extrude_y": primitives.extrude(CONCAVE[::-1], 0.5, along="y"),
    "extrude_z": primitives.extrude(CONCAVE, 0.5),
    "tube": sweeps.tube(PATH, np.linspace(0.2, 0.1, 9)),
    "sweep_up": sweeps.sweep(outlines.rectangle(0.2, 0.1, 0.02), PATH, up=(0, 0, 1)),
    "rod": sweeps.rod((0, 0, 0), (1, 2, 3), 0.1),
    "ring": sweeps.torus(1, 0.2),
    "arc": sweeps.arc(1, 0.2, 0, 120),
    "bent_tube": sweeps.bent_tube([(0, 0, 0), (0, 1, 1), (0, 2, 0)], [0.1, 0.2, 0.1]),
}


def volume(solid: Solid) -> float:
    a, b, c = solid.positions[solid.triangles].transpose(1, 0, 2)
    return float(np.sum(a * np.cross(b, c))) / 6


def unbalanced_edges(solid: Solid) -> int:
    """Edges that are not walked as often one way as the other, vertices at one place counted as one."""
    _, place = np.unique(np.round(solid.positions, 7), axis=0, return_inverse=True)
    corners = place.reshape(-1)[solid.triangles]
    edges = Counter((int(t[k]), int(t[(k + 1) % 3])) for t in corners for k in range(3))
    return sum(edges[i, j] != edges[j, i] for i, j in edges)


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_are_closed_and_wound_outwards(name: str) -> None:
    assert unbalanced_edges(SOLIDS[name]) == 0
    assert volume(SOLIDS[name]) > 0


def test_an_open_side_is_found() -> None:
    whole = primitives.box(1, 1, 1)
    assert unbalanced_edges(Solid(whole.positions, whole.triangles[:-1], whole.texcoords)) == 3


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("box", 6.0),
        ("frustum", np.pi * 2 / 3 * (1 + 0.5 + 0.25)),
        ("ellipsoid", 4 / 3 * np.pi * 6),
        ("extrude_z", 0.5 * 2.5),
        ("extrude_y", 0.5 * 2.5),
        ("ring", 2 * np.pi**2 * 0.04),
        ("rod", np.pi * 0.01 * 14**0.5),
    ],
)
def test_volumes_are_those_of_the_figures(name: str, expected: float) -> None:
    # Facets cut corners: polygons of 8 sides hold a tenth less than their circle.
    assert 0.86 * expected <= volume(SOLIDS[name]) <= expected * 1.0001


def test_a_rounded_box_keeps_its_size_and_loses_its_corners() -> None:
    solid = SOLIDS["rounded_box"]
    np.testing.assert_allclose(np.ptp(solid.positions, axis=0), (1, 2, 3))
    assert volume(solid) < 6
    assert np.linalg.norm(solid.positions, axis=1).max() < np.linalg.norm((0.5, 1, 1.5)) - 0.15


@pytest.mark.parametrize(("along", "axis"), [("x", 0), ("y", 1), ("z", 2)])
def test_extrusions_are_thick_along_their_axis(along: str, axis: int) -> None:
    size = np.ptp(SOLIDS[f"extrude_{along}"].positions, axis=0)
    assert size[axis] == pytest.approx(0.5)
    np.testing.assert_allclose(np.delete(size, axis), (2, 2))


def test_ears_cover_a_concave_polygon_once() -> None:
    polygon = np.array(CONCAVE)
    a, b, c = polygon[outlines.triangulate(polygon)].transpose(1, 0, 2)
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(2.5)


def test_an_inset_square_has_its_corners_mitred() -> None:
    square = outlines.rectangle(2, 2)
    np.testing.assert_allclose(outlines.inset(square, 0.25), square * 0.75)


def test_a_fillet_stays_inside_its_corners() -> None:
    round_square = outlines.rectangle(2, 2, 0.5)
    assert np.abs(round_square).max() == pytest.approx(1)
    assert np.linalg.norm(round_square, axis=1).max() < 2**0.5 - 0.1


@pytest.mark.parametrize("closed", [False, True])
def test_a_curve_goes_through_its_points(closed: bool) -> None:
    points = np.array(CONCAVE)
    line = outlines.spline(points, 40 if closed else 41, closed=closed)
    for point in points:
        assert np.linalg.norm(line - point, axis=1).min() < 1e-9


@pytest.mark.parametrize(
    "move",
    [
        lambda s: s.translate(1, 2, 3),
        lambda s: s.rotate(10, 20, 30),
        lambda s: s.mirror(),
        lambda s: s.scale(-1, -1, 1),
        lambda s: s.scale(-1, 2, -0.25).mirror(),
    ],
)
def test_motions_and_mirrors_keep_solids_wound_outwards(move: object) -> None:
    solid = SOLIDS["vessel"]
    assert callable(move)
    moved = move(solid)
    assert unbalanced_edges(moved) == 0
    assert volume(moved) > 0


def test_turning_is_about_x_then_y_then_z() -> None:
    point = Solid(np.array([[0.0, 0.0, 1.0]]), np.zeros((0, 3), np.int64), np.zeros((1, 2)))
    # About x: z to -y; about y: nothing; about z: -y to +x.
    np.testing.assert_allclose(point.rotate(x=90, y=90, z=90).positions, [[1, 0, 0]], atol=1e-12)


def _normals(solid: Solid) -> Array:
    parts, creases = np.zeros(len(solid.positions), np.int64), np.full(len(solid.triangles), solid.crease)
    return compute_crease_normals(solid.positions, solid.triangles, parts, creases)


def test_a_box_is_shaded_flat() -> None:
    normals = _normals(SOLIDS["box"])
    assert set(np.abs(normals).max(axis=-1).reshape(-1)) == {1.0}


def test_a_sphere_is_shaded_round() -> None:
    sphere = primitives.ellipsoid(1, 1, 1, 24, 13)
    corners = sphere.positions[sphere.triangles]
    cosine = np.einsum("tkd,tkd->tk", _normals(sphere), corners)
    assert cosine.min() > np.cos(np.radians(3))


def test_a_cylinder_is_round_about_its_side_and_sharp_at_its_rim() -> None:
    tilt = np.abs(_normals(primitives.cylinder(1, 1))[..., 2])
    assert np.isclose(tilt, 0, atol=1e-9).any()
    assert (np.isclose(tilt, 0, atol=1e-9) | np.isclose(tilt, 1)).all()


def test_parts_that_touch_are_not_smoothed_into_each_other() -> None:
    low, high = primitives.cylinder(1, 1).translate(z=-0.5), primitives.frustum(1, 0.9, 1).translate(z=0.5)
    both = join_solids(low, high)
    parts = np.repeat([0, 1], [len(low.positions), len(high.positions)])
    creases = np.full(len(both.triangles), 40.0)
    apart = compute_crease_normals(both.positions, both.triangles, parts, creases)
    np.testing.assert_allclose(apart[: len(low.triangles)], _normals(low), atol=1e-6)


def test_texture_coordinates_measure_lengths() -> None:
    solid = primitives.box(1, 2, 3)
    assert np.ptp(solid.texcoords[:, 0]) == pytest.approx(3)
    tube = sweeps.rod((0, 0, 0), (0, 0, 5), 0.1)
    assert np.ptp(tube.texcoords[:, 0]) == pytest.approx(5.2)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_decal_spans_the_whole_texture(axis: str) -> None:
    texcoords = primitives.box(1, 2, 3).translate(5, 5, 5).stretch_texture(axis).texcoords
    np.testing.assert_allclose([texcoords.min(axis=0), texcoords.max(axis=0)], [[0, 0], [1, 1]])
