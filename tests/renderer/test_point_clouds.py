"""Tests of point clouds: on the surface, even by area, and the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare

from tests.support.meshes import sphere
from turntable.errors import MeshError
from turntable.renderer.meshes.mesh import join_meshes
from turntable.renderer.point_clouds import sample_surface_points
from turntable.testing.backends import make_box


def test_points_lie_on_the_box_evenly_by_area():
    half = np.array([0.3, 0.2, 0.1])
    points = sample_surface_points(
        make_box(tuple(2 * half), (5.0, -3.0, 2.0)), 4000, "seed", "object"
    ).points.astype(np.float64)
    assert points.shape == (4000, 6)
    side = np.abs(points[:, :3]) / half
    assert np.allclose(side.max(axis=1), 1, atol=1e-5)
    axis = side.argmax(axis=1)
    assert np.allclose(points[:, 3:], np.eye(3)[axis] * np.sign(points[:, :3]), atol=1e-5)
    area = np.array([half[1] * half[2], half[0] * half[2], half[0] * half[1]])
    assert chisquare(np.bincount(axis), 4000 * area / area.sum()).pvalue > 0.01
    top = points[(axis == 2) & (points[:, 2] > 0), :2] / half[:2]
    counts = np.histogram2d(*top.T, bins=4, range=[[-1, 1], [-1, 1]])[0]
    assert chisquare(counts.ravel()).pvalue > 0.001


def test_smooth_normals_are_interpolated():
    points = sample_surface_points(sphere(24, 48), 500, "seed", "object").points
    length = np.linalg.norm(points[:, :3], axis=1, keepdims=True)
    assert (points[:, :3] / length * points[:, 3:]).sum(axis=1).min() > 0.999


def test_seed_and_object_decide():
    mesh = make_box()
    first = sample_surface_points(mesh, 32, "seed", "a").points
    np.testing.assert_array_equal(first, sample_surface_points(mesh, 32, "seed", "a").points)
    for other in (
        sample_surface_points(mesh, 32, "seed", "b").points,
        sample_surface_points(mesh, 32, "other", "a").points,
    ):
        assert not np.allclose(first, other)


def test_what_cannot_be_seen_gets_no_points():
    hidden = make_box((0.1, 0.1, 0.1), (0.3, 0, 0), alpha=0.0)
    points = sample_surface_points(
        join_meshes([make_box((0.2, 0.2, 0.2), (-0.3, 0, 0)), hidden]), 200, "seed", "object"
    ).points
    assert points[:, 0].max() < 0
    with pytest.raises(MeshError, match="no area"):
        sample_surface_points(hidden, 10, "seed", "object")


def test_faces_without_opacity_at_their_corners_or_below_a_cutoff_get_no_points():
    left, right = make_box((0.2, 0.2, 0.2), (-0.3, 0, 0)), make_box((0.1, 0.1, 0.1), (0.3, 0, 0))
    clear = np.ones((len(right.positions), 4), dtype=np.float32)
    clear[:, 3] = 0
    half = clear + np.float32([0, 0, 0, 0.5])
    one_corner = clear.copy()
    one_corner[0::3, 3] = 0.5

    def reach(colors, **material):
        materials = (replace(right.materials[0], **material),)
        mesh = join_meshes([left, replace(right, colors=colors, materials=materials)])
        return sample_surface_points(mesh, 200, "seed", "object").points[:, 0].max()

    for colors, material in (
        (clear, {}),
        (half, {"alpha_cutoff": 0.6}),
        (half, {"alpha": 0.5, "alpha_cutoff": 0.3}),
        (None, {"alpha": 0.5, "alpha_cutoff": 0.6}),
    ):
        assert reach(colors, **material) < 0
    for colors, material in (
        (half, {}),
        (one_corner, {}),
        (half, {"alpha_cutoff": 0.5}),
        (None, {"alpha": 0.5, "alpha_cutoff": 0.5}),
        (None, {"alpha": 0.0, "alpha_cutoff": 0.0}),
    ):
        assert reach(colors, **material) > 0
