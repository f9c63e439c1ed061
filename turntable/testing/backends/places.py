"""Where things are in the picture: vertices that numpy projects, and the backend's silhouettes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh, joined
from turntable.renderer.scene import CAMERA, NEAR, Scenes
from turntable.testing.backends.drawing import DrawingTests
from turntable.testing.backends.light import linear_of
from turntable.testing.backends.regions import beyond_hull, extent_of, hull_middle, inner, middle_of, outer
from turntable.testing.backends.shapes import box, corner_piece
from turntable.testing.backends.views import SIZE, STANDARD, Array, camera_at, label, scenes

GLOWING: dict[str, Any] = {"base_color": (0.0, 0.0, 0.0), "specular": 0.0, "emission": (4.0, 4.0, 4.0)}


def placed(mesh: Mesh, view: Scenes, number: int = 0) -> Array:
    """Return a mesh's vertices [N, 3] in the world of a view: its box's middle is the object's origin."""
    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    pose = view.object_to_world[number]
    return (mesh.positions - (low + high) / 2).astype(np.float64) @ pose[:3, :3].T + pose[:3, 3]


class PlaceTests(DrawingTests):
    """Outlines and masks."""

    @pytest.mark.parametrize("shift", [(0, 0, 0), (0.2, -0.15, 0.1)])
    @pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.7, -0.5, 1.2), (-1.4, 0.9, -0.3)])
    def test_vertices_project_onto_the_silhouette(
        self, backend: Backend, angles: Sequence[float], shift: Sequence[float]
    ) -> None:
        """The outline's extent is that of the projected vertices, to less than a pixel on each side."""
        mesh, view = corner_piece(), label(angles, shift=shift)
        drawn = self.draw(backend, mesh, view)
        pixels = CAMERA.project(placed(mesh, scenes(view)), SIZE)
        np.testing.assert_allclose(
            extent_of(drawn.mask[0]),
            [*pixels.min(axis=0), *pixels.max(axis=0)],
            atol=1.0,
            err_msg="vertices projected by K and world_to_camera lie on the silhouette (left, top, right,"
            " bottom; pixel i covers [i, i + 1), the origin is the top left corner)",
        )

    def test_mask_is_the_projected_hull_of_a_box(self, backend: Backend) -> None:
        """Every pixel centre well inside the projected corners' hull is object, every one outside is not."""
        view = label((0.4, 0.3, 0.8))
        drawn = self.draw(backend, box((0.5, 0.3, 0.6)), view)
        mask = drawn.mask[0]
        corners = np.array([[x, y, z] for x in (-0.25, 0.25) for y in (-0.15, 0.15) for z in (-0.3, 0.3)])
        pixels = CAMERA.project(corners @ scenes(view).object_to_world[0, :3, :3].T, SIZE)
        grid = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), axis=-1)
        outside = beyond_hull(pixels, grid)
        assert mask[outside < -0.05].all(), "a pixel whose centre lies within the box's outline is object"
        assert not mask[outside > 0.05].any(), "a pixel whose centre lies outside of it is not"

    def test_any_camera_sees_things_where_they_project(self, backend: Backend) -> None:
        """A glowing bar at random places before random cameras, all in one batch: its outline, its light."""
        rng = np.random.default_rng(5)
        mesh = box((0.3, 0.2, 0.12), **GLOWING)
        cameras = list(zip(rng.uniform(1.5, 8, 10), rng.uniform(0.02, np.pi / 2 - 0.02, 10), strict=True))
        labels = [
            label(rng.uniform(-1.5, 1.5, 3), shift=rng.uniform(-0.12, 0.12, 3), camera=camera, power=0, sun=0)
            for camera in cameras
        ]
        drawn, views = self.draw(backend, mesh, *labels), scenes(*labels)
        brightness = linear_of(drawn.rgb[..., 0].astype(float))
        for view, camera in enumerate(cameras):
            corners = camera_at(*camera).project(placed(mesh, views, view), SIZE)
            np.testing.assert_allclose(
                extent_of(drawn.mask[view]),
                [*corners.min(axis=0), *corners.max(axis=0)],
                atol=1.0,
                err_msg=f"the outline is where a camera at distance and elevation {camera} sees vertices",
            )
            row, column = middle_of(np.maximum(brightness[view] - 0.5, 0))
            np.testing.assert_allclose(
                [column + 0.5, row + 0.5],
                hull_middle(corners),
                atol=0.25,
                err_msg="the middle of a glowing bar's light is that of its outline, to a quarter pixel",
            )

    def test_what_reaches_behind_the_camera_is_drawn_whole(self, backend: Backend) -> None:
        """A glowing bar from afar on the right, past the right border, to behind the camera on its left."""
        turn, centre = -0.22, np.array([-0.35, 0.3])
        back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        view = label((0.0, 0.0, turn), shift=(*(back @ centre), 0.3), camera=(1.5, 0.3), power=0.0, sun=0.0)
        drawn = self.draw(backend, box((0.1, 6.0, 0.1), **GLOWING), view)
        mask = drawn.mask[0]
        inside = inner(mask, 2, beyond=True)
        assert inside[:, -1].any(), "what goes on beyond the border is seen up to it"
        assert not mask[:, 0].any(), "what lies behind the camera is not seen in front of it"
        assert drawn.rgb[0][inside].min() > 225, "the bar glows over all of its mask"
        assert drawn.rgb[0][~outer(mask, 2)].max() < 100, "nothing glows beside it"

    def test_what_is_too_near_is_not_seen(self, backend: Backend) -> None:
        """A pane just before the lens, nearer than the camera's near plane; its twin far behind is."""
        camera = camera_at(1.5, 0.5)
        near = camera.position * (1 - 0.6 * NEAR / camera.distance)
        mesh = joined([box((0.1, 0.02, 0.02), (x, y, z)) for x, y, z in (near, -near)])
        drawn = backend.render(mesh, scenes(label(camera=(1.5, 0.5))), SIZE, STANDARD, ("mask", "depth"))
        assert drawn.mask is not None, "an output that is asked for is there: the mask"
        assert drawn.depth is not None, "an output that is asked for is there: the depth"
        seen = drawn.mask[0] > 0
        assert 4 < seen.sum() < 100, f"what is nearer than {NEAR} is not in the mask; the twin behind is"
        nearest = drawn.depth[0][seen].min()
        wanted = 1.5 + 1.5 * (1 - 0.6 * NEAR / 1.5)
        assert nearest == pytest.approx(wanted, abs=0.1), f"nothing nearer than {NEAR} has a depth"
        unlit = drawn.rgb[0].reshape(-1, 3).astype(int)
        off = np.abs(unlit - np.median(unlit, axis=0)).max()
        assert off < 120, f"what is nearer than {NEAR} is not in the picture"

    def test_objects_hide_behind_the_floor_and_leave_the_picture(self, backend: Backend) -> None:
        """Half below the floor; far beyond the border: nothing of either is seen where it is not."""
        low = self.draw(backend, box((0.5, 0.5, 0.5)), label(shift=(0, 0, -1.0))).mask
        whole = self.draw(backend, box((0.5, 0.5, 0.5)), label(shift=(0, 0, -0.7))).mask
        gone = self.draw(backend, box((0.5, 0.5, 0.5)), label(shift=(1.6, 0, 0))).mask
        assert 0 < low.sum() < 0.8 * whole.sum(), "the floor hides what lies below it"
        assert not gone.any(), "what lies beyond the border is not in the mask"
