"""Tests of the projection: silhouettes and masks, against vertices that are projected with NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh, join_meshes
from turntable.renderer.scene import DEFAULT_CAMERA, NEAR, Scenes
from turntable.testing.backends.base import BackendTests
from turntable.testing.backends.masks import (
    compute_center,
    compute_extent,
    compute_hull_center,
    compute_hull_distance,
    dilate,
    erode,
)
from turntable.testing.backends.meshes import make_box, make_corner
from turntable.testing.backends.photometry import linear_from_display
from turntable.testing.backends.views import SIZE, STANDARD, Array, make_camera, make_label, make_scenes

GLOWING_MATERIAL: dict[str, Any] = {
    "base_color": (0.0, 0.0, 0.0),
    "specular": 0.0,
    "emission": (4.0, 4.0, 4.0),
}


def place_vertices(mesh: Mesh, view: Scenes, number: int = 0) -> Array:
    """Return the vertices [N, 3] of a mesh in the world, placed as the scene of a view says.

    The center of the mesh's bounding box is the origin of the object's frame.
    """
    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    pose = view.object_to_world[number]
    return (mesh.positions - (low + high) / 2).astype(np.float64) @ pose[:3, :3].T + pose[:3, 3]


class ProjectionTests(BackendTests):
    """Tests of outlines and masks."""

    @pytest.mark.parametrize("shift", [(0, 0, 0), (0.2, -0.15, 0.1)])
    @pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.7, -0.5, 1.2), (-1.4, 0.9, -0.3)])
    def test_vertices_project_onto_the_silhouette(
        self, backend: Backend, angles: Sequence[float], shift: Sequence[float]
    ) -> None:
        """The bounding box of the mask is that of the projected vertices, to a pixel on each side."""
        mesh, view = make_corner(), make_label(angles, shift=shift)
        rendered = self.render(backend, mesh, view)
        pixels = DEFAULT_CAMERA.project(place_vertices(mesh, make_scenes(view)), SIZE)
        np.testing.assert_allclose(
            compute_extent(rendered.mask[0]),
            [*pixels.min(axis=0), *pixels.max(axis=0)],
            atol=1.0,
            err_msg="vertices projected by K and world_to_camera lie on the silhouette (left, top, right,"
            " bottom; pixel i covers [i, i + 1), the origin is the top left corner)",
        )

    def test_mask_is_the_projected_hull_of_a_box(self, backend: Backend) -> None:
        """The mask has all pixel centers inside of the hull of the projected corners, and no others."""
        view = make_label((0.4, 0.3, 0.8))
        rendered = self.render(backend, make_box((0.5, 0.3, 0.6)), view)
        mask = rendered.mask[0]
        corners = np.array([[x, y, z] for x in (-0.25, 0.25) for y in (-0.15, 0.15) for z in (-0.3, 0.3)])
        pixels = DEFAULT_CAMERA.project(corners @ make_scenes(view).object_to_world[0, :3, :3].T, SIZE)
        grid = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), axis=-1)
        outside = compute_hull_distance(pixels, grid)
        assert mask[outside < -0.05].all(), (
            "a pixel whose center lies within the box's outline is in the mask"
        )
        assert not mask[outside > 0.05].any(), "a pixel whose center lies outside of it is not in the mask"

    def test_any_camera_sees_things_where_they_project(self, backend: Backend) -> None:
        """Outline and light of a glowing bar are where random cameras project it, all in one batch."""
        rng = np.random.default_rng(5)
        mesh = make_box((0.3, 0.2, 0.12), **GLOWING_MATERIAL)
        cameras = list(zip(rng.uniform(1.5, 8, 10), rng.uniform(0.02, np.pi / 2 - 0.02, 10), strict=True))
        labels = [
            make_label(
                rng.uniform(-1.5, 1.5, 3), shift=rng.uniform(-0.12, 0.12, 3), camera=camera, power=0, sun=0
            )
            for camera in cameras
        ]
        rendered, views = self.render(backend, mesh, *labels), make_scenes(*labels)
        brightness = linear_from_display(rendered.rgb[..., 0].astype(float))
        for view, camera in enumerate(cameras):
            corners = make_camera(*camera).project(place_vertices(mesh, views, view), SIZE)
            np.testing.assert_allclose(
                compute_extent(rendered.mask[view]),
                [*corners.min(axis=0), *corners.max(axis=0)],
                atol=1.0,
                err_msg=f"the outline is where a camera of distance and elevation {camera} projects vertices",
            )
            row, column = compute_center(np.maximum(brightness[view] - 0.5, 0))
            np.testing.assert_allclose(
                [column + 0.5, row + 0.5],
                compute_hull_center(corners),
                atol=0.25,
                err_msg="the center of a glowing bar's light is that of its outline, to a quarter of a pixel",
            )

    def test_what_reaches_behind_the_camera_is_drawn_whole(self, backend: Backend) -> None:
        """A long glowing bar that ends behind the camera is drawn up to the border of the picture."""
        turn, center = -0.22, np.array([-0.35, 0.3])
        back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        view = make_label(
            (0.0, 0.0, turn), shift=(*(back @ center), 0.3), camera=(1.5, 0.3), power=0.0, sun=0.0
        )
        rendered = self.render(backend, make_box((0.1, 6.0, 0.1), **GLOWING_MATERIAL), view)
        mask = rendered.mask[0]
        inside = erode(mask, 2, beyond=True)
        assert inside[:, -1].any(), "an object that goes on beyond the border is visible up to the border"
        assert not mask[:, 0].any(), "what lies behind the camera is not visible"
        assert rendered.rgb[0][inside].min() > 225, "the bar glows in all of its mask"
        assert rendered.rgb[0][~dilate(mask, 2)].max() < 100, "nothing glows outside of the mask"

    def test_what_is_too_near_is_not_seen(self, backend: Backend) -> None:
        """A box nearer than the near plane is invisible, and does not hide a box far away."""
        camera = make_camera(1.5, 0.5)
        near = camera.position * (1 - 0.6 * NEAR / camera.distance)
        mesh = join_meshes([make_box((0.1, 0.02, 0.02), (x, y, z)) for x, y, z in (near, -near)])
        pixels = backend.render(
            mesh, make_scenes(make_label(camera=(1.5, 0.5))), SIZE, STANDARD, ("mask", "depth")
        )
        assert pixels.mask is not None, "a requested output is not None: mask"
        assert pixels.depth is not None, "a requested output is not None: depth"
        mask = pixels.mask[0] > 0
        assert 4 < mask.sum() < 100, f"what is nearer than {NEAR} is not in the mask; the box far away is"
        nearest = pixels.depth[0][mask].min()
        expected = 1.5 + 1.5 * (1 - 0.6 * NEAR / 1.5)
        assert nearest == pytest.approx(expected, abs=0.1), f"nothing nearer than {NEAR} has a depth"
        colors = pixels.rgb[0].reshape(-1, 3).astype(int)
        difference = np.abs(colors - np.median(colors, axis=0)).max()
        assert difference < 120, f"what is nearer than {NEAR} is not in the picture"

    def test_objects_hide_behind_the_floor_and_leave_the_picture(self, backend: Backend) -> None:
        """The floor hides what lies below it, and an object beyond the border is not in the mask."""
        low = self.render(backend, make_box((0.5, 0.5, 0.5)), make_label(shift=(0, 0, -1.0))).mask
        whole = self.render(backend, make_box((0.5, 0.5, 0.5)), make_label(shift=(0, 0, -0.7))).mask
        beyond = self.render(backend, make_box((0.5, 0.5, 0.5)), make_label(shift=(1.6, 0, 0))).mask
        assert 0 < low.sum() < 0.8 * whole.sum(), "the floor hides what lies below it"
        assert not beyond.any(), "what lies beyond the border is not in the mask"
