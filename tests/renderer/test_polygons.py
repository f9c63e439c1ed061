"""Tests of the triangles of polygons, against areas by the shoelace formula and points by ray crossing."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turntable.renderer.meshes.formats import polygons
from turntable.renderer.meshes.formats.polygons import triangulate_polygons

ARROW = [[0, 1], [-1, -1], [0, -0.5], [1, -1]]
"""A concave quad. Its third corner is the inner one."""
C_SHAPE = [[0, 0], [10, 0], [10, 2], [2, 2], [2, 8], [10, 8], [10, 10], [0, 10]]


def lift(flat, seed=0, offset=(0, 0, 0)):
    """Place a polygon [N, 2] in a random plane of space."""
    axes = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return np.asarray(flat, dtype=np.float64) @ axes[:2] + offset, axes


def split(points):
    """Split one polygon, and return its triangles [T, 3, 3] and the result."""
    result = triangulate_polygons(np.asarray(points, dtype=np.float64), np.array([len(points)]))
    return np.asarray(points)[result.corners.T], result


def measure_shoelace(flat):
    x, y = np.asarray(flat, dtype=np.float64).T
    return (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2


def measure_triangles(triangles):
    a, b, c = triangles.transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def count_crossings(flat, x, y):
    """Return true if a ray from the point crosses the outline an odd number of times."""
    (x0, y0), (x1, y1) = np.asarray(flat).T, np.roll(flat, -1, axis=0).T
    meets = (y0 > y) != (y1 > y)
    return bool((meets & (x < x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1, y1 - y0))).sum() % 2)


def count_covering(triangles, x, y):
    """Return how many flat triangles [T, 3, 2] contain a point."""
    signs = []
    for k in range(3):
        (ax, ay), (bx, by) = triangles[:, k].T, triangles[:, (k + 1) % 3].T
        signs.append((bx - ax) * (y - ay) - (by - ay) * (x - ax))
    signs = np.array(signs)
    return int((signs > 0).all(axis=0).sum() + (signs < 0).all(axis=0).sum())


def check_cover(flat, seed=0, offset=(0, 0, 0)):
    """Check that the triangles cover a simple polygon once, and nothing else, with its winding."""
    points, axes = lift(flat, seed, offset)
    triangles, result = split(points)
    extent = np.ptp(points, axis=0).max()
    rounding = 1e-5 * extent**2 if np.any(offset) else 1e-9 * extent**2
    assert result.num_approximated == 0
    assert measure_triangles(triangles).sum() == pytest.approx(
        abs(measure_shoelace(flat)), rel=2e-5, abs=rounding
    )
    back = (triangles - offset) @ axes[:2].T
    (ax, ay), (bx, by), (cx, cy) = back.transpose(1, 2, 0)
    signed = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    assert (signed * np.sign(measure_shoelace(flat)) >= -rounding).all()
    for x, y in np.random.default_rng(seed).uniform(
        np.min(flat, axis=0) - 0.1, np.max(flat, axis=0) + 0.1, (60, 2)
    ):
        assert count_covering(back, x, y) == count_crossings(flat, x, y)


def make_star(radii, turn=0.0):
    """Make a simple polygon: each ray from its center meets its outline once."""
    angles = turn + np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.asarray(radii)[:, None]


def make_comb(depths):
    """Make a comb with a tooth for each depth."""
    xs = np.arange(2 * len(depths))
    ys = np.ravel(np.stack([np.ones(len(depths)), -np.asarray(depths)], axis=1))
    return np.concatenate([[[0, 2]], np.stack([xs, ys], axis=1), [[2 * len(depths) - 1, 2]]])


def make_spiral(turns, steps=40):
    angles = np.linspace(1, 1 + 2 * np.pi * turns, steps * turns)
    arm = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.concatenate([arm * angles[:, None], (arm * (angles[:, None] + 2))[::-1]])


radii = st.lists(st.floats(0.05, 10), min_size=5, max_size=40)
seeds = st.integers(0, 2**16)
OFFSETS = [(0, 0, 0), (498_312.0, 4_620_118.0, 212.0)]


@pytest.mark.parametrize("offset", OFFSETS)
@given(radii, seeds, st.integers(0, 39), st.booleans())
def test_simple_polygons_are_covered_once(offset, radii, seed, first, backward):
    flat = np.roll(make_star(radii, seed), first, axis=0)
    check_cover(flat[::-1] if backward else flat, seed, offset)


@pytest.mark.parametrize("offset", OFFSETS)
@given(st.lists(st.floats(0.1, 30), min_size=2, max_size=25), seeds, st.integers(0, 50), st.booleans())
def test_combs_are_covered_once(offset, depths, seed, first, backward):
    flat = np.roll(make_comb(depths), first, axis=0)
    check_cover(flat[::-1] if backward else flat, seed, offset)


@pytest.mark.parametrize("turns", [1, 3, 9])
@pytest.mark.parametrize("first", [0, 7, 100])
def test_spirals_are_covered_once(turns, first):
    check_cover(np.roll(make_spiral(turns), first, axis=0), first)


@settings(max_examples=50)
@given(radii, st.lists(st.floats(0.2, 0.9), min_size=3, max_size=12), seeds, st.integers(0, 60))
def test_a_hole_that_a_bridge_joins_to_the_outline_stays_open(outer, inner, seed, first):
    ring = make_star(10 + np.array(outer))
    hole = make_star(inner)[::-1] + np.array([0.01, 0.02])
    # The bridge runs from the outline to the hole and back: its two ends are there twice.
    hole = np.roll(hole, -int(np.argmax(hole[:, 0])), axis=0)
    flat = np.concatenate([ring[:1], hole, hole[:1], ring])
    check_cover(np.roll(flat, first, axis=0), seed)


@settings(max_examples=50)
@given(radii, seeds, st.data())
def test_repeated_corners_and_corners_on_a_line_change_nothing(radii, seed, data):
    star = make_star(radii)
    flat = []
    for here, there in zip(star, np.roll(star, -1, axis=0), strict=True):
        flat += [here] * data.draw(st.integers(1, 3))
        flat += [
            here + (there - here) * share for share in data.draw(st.sampled_from([(), (0.5,), (0.2, 0.9)]))
        ]
    check_cover(np.array(flat), seed)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("backward", [False, True])
def test_a_concave_quad_is_cut_along_its_other_diagonal(offset, first, backward):
    flat = np.roll(ARROW, first, axis=0)
    check_cover(flat[::-1] if backward else flat, 3, offset)
    assert split(lift(flat)[0])[1].corners.shape == (3, 2)


def test_the_c_of_the_cases_by_hand():
    triangles, _ = split(lift(np.roll(C_SHAPE, -1, axis=0))[0])
    assert measure_triangles(triangles).sum() == pytest.approx(100 - 8 * 6)


@given(st.lists(st.integers(3, 9), min_size=1, max_size=20), seeds)
def test_convex_polygons_become_fans_around_their_first_corner(sizes, seed):
    points = [lift(make_star(np.full(size, 2.0), size + seed), seed + size)[0] for size in sizes]
    result = triangulate_polygons(np.concatenate(points), np.array(sizes))
    expected = [
        (number, start, start + step, start + step + 1)
        for number, (size, start) in enumerate(zip(sizes, np.cumsum([0, *sizes[:-1]]), strict=True))
        for step in range(1, size - 1)
    ]
    assert [*zip(result.polygon, *result.corners, strict=True)] == expected
    assert result.num_approximated == 0


def test_polygons_of_all_kinds_in_one_file_stay_in_order():
    shapes = [
        ARROW,
        [[0, 0], [1, 0], [0, 1]],
        C_SHAPE,
        [[0, 0], [1, 0], [1, 1], [0, 1]],
        np.roll(C_SHAPE, 3, 0),
    ]
    points = [lift(shape, number)[0] for number, shape in enumerate(shapes)]
    result = triangulate_polygons(np.concatenate(points), np.array([len(shape) for shape in shapes]))
    areas = measure_triangles(np.concatenate(points)[result.corners.T])
    assert (np.diff(result.polygon) >= 0).all()
    np.testing.assert_allclose(np.bincount(result.polygon, areas), [abs(measure_shoelace(s)) for s in shapes])


@pytest.mark.parametrize("bend", [0.1, 0.5, 2.0])
def test_a_quad_that_is_not_flat_keeps_its_corners_and_its_fan(bend):
    triangles, result = split(np.array([[0, 0, 0], [1, 0, bend], [1, 1, 0], [0, 1, bend]], dtype=float))
    assert result.corners.T.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert result.num_approximated == 0
    assert measure_triangles(triangles).sum() > 1


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize(
    "flat",
    [
        [[0, 0], [1, 1], [1, 0], [0, 1]],  # a figure of eight
        [[0, 0], [2, 2], [2, 0], [0, 1]],
        make_star(np.ones(5))[[0, 2, 4, 1, 3]],  # a pentagram
        [[0, 0], [4, 4], [4, 0], [0, 4], [-1, 2], [-2, 2]],
    ],
)
def test_polygons_that_cross_themselves_are_counted_and_drawn(flat, offset):
    triangles, result = split(lift(flat, 1, offset)[0])
    assert result.num_approximated == 1
    assert measure_triangles(triangles).sum() > 0.1


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("flat", [np.zeros((6, 2)), [[0, 0], [1, 0], [3, 0], [2, 0], [0.5, 0]], [[1, 1]] * 4])
def test_polygons_without_area_are_no_guess(flat, offset):
    triangles, result = split(lift(flat, 2, offset)[0])
    assert result.num_approximated == 0
    assert measure_triangles(triangles).sum() < 1e-6


def test_numbers_that_are_not_finite_end_in_triangles_too():
    points = np.full((5, 3), np.nan)
    assert split(points)[1].corners.shape == (3, 3)
    points = lift(np.roll(C_SHAPE, -1, axis=0))[0]
    points[3, 0] = np.inf
    assert split(points)[1].corners.shape[1] > 0


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e12, 1e30])
def test_tiny_and_huge_polygons(scale):
    points = lift(np.roll(C_SHAPE, -1, axis=0))[0] * scale
    triangles, result = split(points)
    assert measure_triangles(triangles / scale).sum() == pytest.approx(52)
    assert result.num_approximated == 0


def test_a_million_concave_quads_take_seconds():
    points = np.tile(lift(np.roll(ARROW, 1, axis=0))[0], (1_000_000, 1))
    begin = time.perf_counter()
    result = triangulate_polygons(points, np.full(1_000_000, 4))
    assert time.perf_counter() - begin < 20
    assert result.corners[:, :2].T.tolist() == [[1, 2, 3], [1, 3, 0]]


def test_what_would_take_minutes_is_a_guess(monkeypatch):
    monkeypatch.setattr(polygons, "MAX_CLIPPING_COST", 10_000)
    comb = lift(make_comb(np.full(40, 3.0)))[0]
    result = triangulate_polygons(np.concatenate([comb, comb]), np.array([len(comb)] * 2))
    assert result.num_approximated == 1
    assert (result.polygon == 1).sum() == len(comb) - 2


def test_a_colossal_outline_is_exact():
    rng = np.random.default_rng(0)
    flat = make_star(rng.uniform(5, 6, 20_000))
    triangles, result = split(lift(flat)[0])
    assert result.num_approximated == 0
    assert measure_triangles(triangles).sum() == pytest.approx(measure_shoelace(flat), rel=1e-6)
