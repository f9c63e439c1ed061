"""Tests of assemblies: parts that move on their own, against the mesh that they form and their vertices."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.objects import ObjectPart
from turntable.renderer.backends import Backend, Pixels
from turntable.renderer.meshes import Mesh, join_parts, move_parts
from turntable.renderer.scene import DEFAULT_CAMERA, Scenes
from turntable.testing.backends.base import BackendTests
from turntable.testing.backends.masks import compute_extent, erode
from turntable.testing.backends.meshes import make_box
from turntable.testing.backends.views import (
    ALL_OUTPUTS,
    SIZE,
    STANDARD,
    Array,
    compute_pixel_rays,
    make_label,
    make_scenes,
)

LABELS = (make_label((0.3, -0.4, 0.9)), make_label((-0.2, 0.5, -2.0), phi=3.0), make_label(theta=0.1))
MAX_MEAN_DIFFERENCE = 0.6
"""Largest mean difference, of 255, of pictures of the same shape whose shadow maps have another extent."""


def make_assembly() -> Mesh:
    """Return an assembly of a plate, a red bar above it and a blue cube beside it."""
    boxes = [
        make_box((0.6, 0.5, 0.06), (0, 0, -0.2), base_color=(0.7, 0.7, 0.7)),
        make_box((0.3, 0.1, 0.08), (0, 0, 0.1), base_color=(0.8, 0.1, 0.1)),
        make_box((0.14, 0.14, 0.14), (0.25, 0.2, 0.0), base_color=(0.1, 0.1, 0.8)),
    ]
    parts = [ObjectPart("plate", "plate"), ObjectPart("bar", "bar"), ObjectPart("cube", "cube")]
    return join_parts(boxes, parts, "the test's assembly")


def make_motions(num_views: int) -> Array:
    """Return motions [V, 3, 4, 4]: of each part another twist, which grows from view to view."""
    twists = np.array(
        [[0.0, 0, 0.2, 0.02, 0, 0], [0.5, 0.1, -0.3, -0.1, 0.05, 0.02], [0.1, -0.6, 0.2, 0.1, -0.2, 0.1]]
    )
    return geometry.exp_se3(np.arange(1, num_views + 1)[:, None, None] * twists)


def make_moved_scenes() -> Scenes:
    """Return the scenes of all labels, with the motions of the parts."""
    return replace(make_scenes(*LABELS), part_motions=make_motions(len(LABELS)))


class AssemblyTests(BackendTests):
    """Tests of meshes of several parts."""

    def test_parts_look_like_the_mesh_that_they_form(self, backend: Backend) -> None:
        """Moved parts have the masks, depths, normals and pictures of one mesh with moved vertices."""
        mesh, scenes = make_assembly(), make_moved_scenes()
        pixels = backend.render(mesh, scenes, SIZE, STANDARD, ALL_OUTPUTS)
        for view, single in enumerate(_render_as_one_piece(backend, mesh, scenes)):
            assert_same_surface(pixels, single, view)
            difference = np.abs(pixels.rgb[view].astype(float) - single.rgb[0]).mean()
            assert difference < MAX_MEAN_DIFFERENCE, "the picture is that of the mesh that the parts form"

    def test_parts_at_rest_look_like_the_joined_mesh(self, backend: Backend) -> None:
        """Without motions every part stands where the mesh has it, and ``parts`` says which it is."""
        mesh, scenes = make_assembly(), make_scenes(*LABELS)
        pixels = backend.render(mesh, scenes, SIZE, STANDARD, ALL_OUTPUTS)
        motions = np.tile(np.eye(4), (len(LABELS), 3, 1, 1))
        for view, single in enumerate(
            _render_as_one_piece(backend, mesh, replace(scenes, part_motions=motions))
        ):
            assert_same_surface(pixels, single, view)

    def test_vertices_of_each_part_land_on_its_pixels(self, backend: Backend) -> None:
        """The extent of a part's pixels is that of its own projected vertices, to a pixel on each side."""
        mesh, scenes = make_assembly(), make_moved_scenes()
        # Far from each other, so that no part hides another.
        motions = np.array(scenes.part_motions)
        motions[:, 1, :3, 3] += (-0.3, 0.1, 0.2)
        motions[:, 2, :3, 3] += (0.3, 0.2, -0.05)
        scenes = replace(scenes, part_motions=motions)[2:]
        parts = backend.render(mesh, scenes, SIZE, STANDARD, ("parts",)).parts
        assert parts is not None, "a requested output is not None: parts"
        for part, points in enumerate(compute_part_vertices(mesh, scenes, 0)):
            pixels = DEFAULT_CAMERA.project(points, SIZE)
            np.testing.assert_allclose(
                compute_extent(parts[0] == part),
                [*pixels.min(axis=0), *pixels.max(axis=0)],
                atol=1.0,
                err_msg=f"the vertices of part {part}, moved and projected, lie on the outline of its pixels",
            )

    def test_coordinates_are_those_at_rest(self, backend: Backend) -> None:
        """The coordinates of a pixel, moved with its part, are the point that the pixel's depth says."""
        mesh, scenes = make_assembly(), make_moved_scenes()
        pixels = backend.render(mesh, scenes, SIZE, STANDARD, ALL_OUTPUTS)
        assert pixels.parts is not None, "a requested output is not None: parts"
        assert pixels.depth is not None, "a requested output is not None: depth"
        assert pixels.coordinates is not None, "a requested output is not None: coordinates"
        for view in range(len(scenes)):
            for part in range(3):
                seen = erode(pixels.parts[view] == part, 1)
                assert seen.any(), f"part {part} is seen in view {view}"
                moved = _place(scenes, view, part, pixels.coordinates[view][seen])
                rays = compute_pixel_rays(SIZE)[seen]
                expected = DEFAULT_CAMERA.position + rays * pixels.depth[view][seen][:, None]
                np.testing.assert_allclose(
                    moved,
                    expected,
                    atol=2e-3,
                    err_msg="the pose of a part moves its coordinates to the pixel",
                )

    def test_the_part_of_one_piece_is_0(self, backend: Backend) -> None:
        """A mesh of one piece is part 0 where its mask is, and 255 elsewhere."""
        pixels = backend.render(make_box(), make_scenes(LABELS[0]), SIZE, STANDARD, ("mask", "parts"))
        assert pixels.mask is not None, "a requested output is not None: mask"
        assert pixels.parts is not None, "a requested output is not None: parts"
        expected = np.where(pixels.mask > 0, 0, 255)
        np.testing.assert_array_equal(pixels.parts, expected, err_msg="0 on the object, 255 off it")

    def test_parts_shade_each_other_where_they_are(self, backend: Backend) -> None:
        """A plate is darker under a bar that has moved above it than after the bar has moved away."""
        mesh = make_assembly()
        away = np.tile(np.eye(4), (2, 3, 1, 1))
        away[1, 1, 0, 3] = 0.7
        away[:, 2, 0, 3] = 0.4
        label = make_label(theta=0.0, sun=0.0, power=1000.0)
        scenes = replace(make_scenes(label, label), part_motions=away)
        pixels = backend.render(mesh, scenes, SIZE, STANDARD, ("parts",))
        assert pixels.parts is not None, "a requested output is not None: parts"
        # The light stands straight above: the shadow of the bar is below it on the plate.
        center = DEFAULT_CAMERA.project(np.array([[0.0, 0.0, -0.17], [0.22, 0.2, -0.17]]), SIZE)
        (column, row), (free_column, free_row) = center.astype(int)
        assert (pixels.parts[:, row, column] == 0).all(), "the plate is seen there, with and without the bar"
        shaded, lit = pixels.rgb[:, row, column].astype(float).sum(axis=-1)
        assert shaded < 0.75 * lit, "the bar keeps light from the plate below it"
        free = pixels.rgb[:, free_row, free_column].astype(float).sum(axis=-1)
        assert free[0] == pytest.approx(free[1], rel=0.1), "beside the bar the plate is as bright as without"


def assert_same_surface(pixels: Pixels, single: Pixels, view: int) -> None:
    """Check that all outputs of a view but coordinates equal those of one view, off the edges."""
    assert pixels.mask is not None
    assert pixels.depth is not None
    assert pixels.normals is not None
    assert single.mask is not None
    assert single.depth is not None
    assert single.normals is not None
    differs = (pixels.mask[view] != single.mask[0]).mean()
    assert differs < 0.002, "the mask is that of the mesh that the parts form"
    same = erode((pixels.mask[view] > 0) & (single.mask[0] > 0), 1)
    depth = np.abs(pixels.depth[view] - single.depth[0])[same]
    assert np.quantile(depth, 0.98) < 1e-3, "the depth is that of the mesh that the parts form"
    normals = np.abs(pixels.normals[view] - single.normals[0]).max(axis=-1)[same]
    assert np.quantile(normals, 0.95) < 2e-2, "the normals turn with the parts"


def compute_part_vertices(mesh: Mesh, scenes: Scenes, view: int) -> list[Array]:
    """Return the vertices [N, 3] of each part in the world, moved as a view says."""
    assert mesh.part_index is not None
    return [
        _place(scenes, view, part, mesh.positions[mesh.triangles[mesh.part_index == part].ravel()])
        for part in range(len(mesh.parts))
    ]


def _place(scenes: Scenes, view: int, part: int, points: NDArray[np.floating]) -> Array:
    """Return points [N, 3] of a part, which are given at rest, in the world."""
    assert scenes.part_motions is not None
    pose = scenes.object_to_world[view] @ scenes.part_motions[view, part]
    return points.astype(np.float64) @ pose[:3, :3].T + pose[:3, 3]


def _render_as_one_piece(backend: Backend, mesh: Mesh, scenes: Scenes) -> list[Pixels]:
    """Render each view of an assembly as a mesh of one piece with moved vertices.

    The renderer centers such a mesh, so its pose makes up for that.
    """
    assert scenes.part_motions is not None
    rendered: list[Pixels] = []
    for view, motions in enumerate(scenes.part_motions):
        single = replace(move_parts(mesh, motions), parts=(), part_index=None)
        low, high = single.positions.min(axis=0), single.positions.max(axis=0)
        pose = scenes.object_to_world[view : view + 1].copy()
        pose[:, :3, 3] += pose[:, :3, :3] @ ((low.astype(np.float64) + high) / 2)
        still = replace(scenes[view : view + 1], object_to_world=pose, part_motions=None)
        rendered.append(backend.render(single, still, SIZE, STANDARD, ALL_OUTPUTS))
    return rendered
