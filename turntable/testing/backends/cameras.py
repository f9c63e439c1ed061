"""Tests of cameras that roll and of lenses that shift, against pictures of level, centered cameras."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable.renderer.backends import Backend, get_quality
from turntable.renderer.scene import FLOOR_Z, WORLD_RADIANCE, display_from_linear
from turntable.testing.backends.base import BackendTests
from turntable.testing.backends.masks import (
    compute_center,
    compute_extent,
    compute_hull_center,
    erode,
)
from turntable.testing.backends.meshes import make_box, make_corner
from turntable.testing.backends.outputs import cast_rays
from turntable.testing.backends.photometry import compute_psnr, linear_from_display
from turntable.testing.backends.projection import GLOWING_MATERIAL, place_vertices
from turntable.testing.backends.views import (
    ALL_OUTPUTS,
    FAST,
    SIZE,
    STANDARD,
    Array,
    compute_horizon_row,
    make_camera,
    make_label,
    make_scenes,
    move_back,
    move_pixels,
)

SMALL = 64
"""Side of a picture in pixels where pictures are compared pixel by pixel."""
REACH_PX = 3
"""Width of the border in which the pixel filter and the floor's light know nothing of what lies beyond."""


class CameraTests(BackendTests):
    """Tests of the roll of the camera and of the shift of its principal point."""

    def test_rolled_and_shifted_cameras_see_things_where_they_project(self, backend: Backend) -> None:
        """Outline and light of a glowing bar are where such cameras project it, all in one batch."""
        rng = np.random.default_rng(11)
        mesh, cameras = make_box((0.3, 0.2, 0.12), **GLOWING_MATERIAL), list[dict[str, Any]]()
        for _ in range(8):
            position = (rng.uniform(1.8, 5), rng.uniform(0.05, 1.5))
            cameras.append(
                {"camera": position, "roll": rng.uniform(-np.pi, np.pi), "lens": rng.uniform(-30, 30, 2)}
            )
        labels = [make_label(rng.uniform(-1.5, 1.5, 3), power=0, sun=0, **camera) for camera in cameras]
        rendered, views = self.render(backend, mesh, *labels), make_scenes(*labels)
        brightness = linear_from_display(rendered.rgb[..., 0].astype(float))
        for view, camera in enumerate(cameras):
            level = make_camera(*camera["camera"]).project(place_vertices(mesh, views, view), SIZE)
            corners = move_pixels(level, SIZE, camera["roll"], camera["lens"])
            rule = (
                "with camera_roll_rad the picture's content turns clockwise about the principal point, which"
                f" principal_point_dx_px and principal_point_dy_px move right and down: {camera}"
            )
            np.testing.assert_allclose(
                compute_extent(rendered.mask[view]),
                [*corners.min(axis=0), *corners.max(axis=0)],
                atol=1.0,
                err_msg=rule,
            )
            row, column = compute_center(np.maximum(brightness[view] - 0.5, 0))
            np.testing.assert_allclose(
                [column + 0.5, row + 0.5], compute_hull_center(corners), atol=0.25, err_msg=rule
            )

    @pytest.mark.parametrize(("elevation", "samples"), [(0.2, 2), (np.pi / 4, 1)])
    def test_shifts_by_whole_pixels_move_the_picture(
        self, backend: Backend, elevation: float, samples: int
    ) -> None:
        """Away from the border, a picture that is shifted by whole pixels has the same pixels."""
        shifts = [(0, 0), (1, 0), (0, -1), (5, 3), (-18, 26)]
        labels = [make_label((0.3, 0.2, 0.9), camera=(2.2, elevation), lens=shift) for shift in shifts]
        quality = get_quality("standard", samples)
        pixels = backend.render(make_corner(), make_scenes(*labels), SMALL, quality, ALL_OUTPUTS)
        for view, shift in enumerate(shifts):
            rule = f"a picture shifted by {shift} pixels has the same pixels, moved: "
            for name in ALL_OUTPUTS:
                first, moved = cut_overlap(getattr(pixels, name)[[0, view]].astype(float), shift)
                with np.errstate(invalid="ignore"):  # the depth of the sky is infinite in both
                    apart = np.where(first == moved, 0.0, np.abs(first - moved))
                worst = apart.reshape(*apart.shape[:2], -1).max(axis=-1)
                # A sample at an edge may see either side, as rounding decides: few pixels may differ.
                limit = {"rgb": 1.0, "mask": 0.0}.get(name, 1e-3)
                assert (worst > limit).mean() < 0.005, rule + name

    def test_a_quarter_turn_turns_the_picture(self, backend: Backend) -> None:
        """A roll by 90 degrees gives the picture turned clockwise; depths do not change."""
        views = make_scenes(
            *[
                make_label((0.3, 0.2, 0.9), camera=(2.2, 0.25), roll=turn * np.pi / 2)
                for turn in (0, 1, 2, -1)
            ]
        )
        pixels = backend.render(make_corner(), views, SIZE, STANDARD, ALL_OUTPUTS)
        for view, turn in ((1, 1), (2, 2), (3, -1)):
            level = {name: np.rot90(getattr(pixels, name)[0], -turn) for name in ALL_OUTPUTS}
            rolled = {name: getattr(pixels, name)[view] for name in ALL_OUTPUTS}
            rule = f"a roll by {90 * turn} degrees turns the picture clockwise: "
            assert compute_psnr(level["rgb"], rolled["rgb"]) > 38, rule + "rgb"
            same = (level["mask"] == rolled["mask"]) & (np.isinf(level["depth"]) == np.isinf(rolled["depth"]))
            assert (~same).mean() < 0.001, rule + "mask, and what lies beyond the horizon"
            seen = same & np.isfinite(level["depth"])
            np.testing.assert_allclose(
                level["depth"][seen], rolled["depth"][seen], rtol=1e-3, err_msg=rule + "depth is the same"
            )
            for name in ("normals", "coordinates"):
                apart = np.abs(level[name] - rolled[name]).max(axis=-1)[seen]
                assert (apart > 2e-3).mean() < 0.005, rule + f"{name} do not depend on the camera's frame"

    @pytest.mark.parametrize(("roll", "lens"), [(0.6, (0, 0)), (-2.2, (20.5, -12.25)), (np.pi / 2, (9, 9))])
    def test_outputs_follow_the_lens_and_the_roll(
        self, backend: Backend, roll: float, lens: tuple[float, float]
    ) -> None:
        """Depth, normals and coordinates agree with rays cast with NumPy through the moved pixels."""
        half, camera = np.array([0.25, 0.15, 0.3]), (2.0, 0.5)
        view = make_scenes(make_label((0.4, 0.3, 0.8), camera=camera, roll=roll, lens=lens))
        pixels = backend.render(make_box((0.5, 0.3, 0.6)), view, SIZE, FAST, ALL_OUTPUTS)
        outputs = {name: getattr(pixels, name)[0] for name in ALL_OUTPUTS}
        level = make_camera(*camera)
        rays = level.compute_rays(move_back(SIZE, roll, lens), SIZE)
        expected = cast_rays(half, view, level, rays)
        inside = expected["inside"]
        assert inside.sum() > 500
        for name in ("depth", "coordinates"):
            np.testing.assert_allclose(
                outputs[name][inside],
                expected[name][inside],
                atol=1e-4,
                err_msg=f"{name}: that of the point which the ray through the pixel's center hits",
            )
        wrong = np.abs(outputs["normals"] - expected["normals"]).max(axis=-1)[inside] > 2e-3
        assert wrong.mean() < 0.01, "normals are in the world's frame, whatever the camera's roll"
        floor = (outputs["mask"] == 0) & (rays[..., 2] < -0.02)
        depth = (FLOOR_Z - level.position[2]) / rays[..., 2]
        np.testing.assert_allclose(
            outputs["depth"][floor], depth[floor], rtol=1e-4, err_msg="the depth of the floor"
        )

    @pytest.mark.parametrize(
        ("roll", "lens"), [(0.5, (0, 0)), (-2.3, (6.5, 11.25)), (np.pi / 2, (-20, 0)), (0.0, (7, 24.5))]
    )
    def test_the_horizon_leans_with_the_camera(
        self, backend: Backend, roll: float, lens: tuple[float, float]
    ) -> None:
        """Beyond a leaning horizon is the world's gray, and the edge is where it should be."""
        elevation = 0.15
        view = make_scenes(
            make_label(theta=0.3, floor_hue=0.1, power=0.0, camera=(2.0, elevation), roll=roll, lens=lens)
        )
        pixels = backend.render(make_box((0.1, 0.1, 0.1)), view, SIZE, STANDARD, ALL_OUTPUTS)
        outputs = {name: getattr(pixels, name)[0] for name in ALL_OUTPUTS}
        below = move_back(SIZE, roll, lens)[..., 1] - compute_horizon_row(SIZE, elevation)
        beside = erode(outputs["mask"] == 0, 3, beyond=True)
        sky, floor = beside & (below < -1e-3), beside & (below > 1e-3)
        assert np.isposinf(outputs["depth"][sky]).all(), "beyond the horizon the depth is infinite"
        assert np.isfinite(outputs["depth"][floor]).all(), "below the horizon is the floor"
        assert not outputs["normals"][sky].any(), "beyond the horizon the normals are 0"
        gray = 255 * display_from_linear(np.array(WORLD_RADIANCE))
        far = beside & (below < -3)
        assert far.sum() > 500
        assert np.abs(outputs["rgb"][far].astype(float) - gray).max() <= 1, (
            "beyond the horizon is the world's gray"
        )
        self.check_edge(outputs["rgb"], beside, below)

    def check_edge(self, rgb: NDArray[np.uint8], beside: NDArray[np.bool_], below: Array) -> None:
        """Check where the floor ends: its share of the light near the horizon, against the share of area.

        Args:
            rgb: The picture [S, S, 3].
            beside: Mask [S, S] of the pixels that do not show the object.
            below: Distances [S, S] of the pixels' centers below the horizon.
        """
        light = linear_from_display(rgb[..., 0].astype(float))
        bright = np.median(light[beside & (below > 3) & (below < 8)])
        band = beside & (np.abs(below) < 6)
        share = (light[band] - WORLD_RADIANCE) / (bright - WORLD_RADIANCE)
        moved = (share - np.clip(below[band] + 0.5, 0, 1)).mean() * 12
        assert abs(moved) < 0.3, f"the horizon is where it should be, to a fraction of a pixel: {moved:.2f}"
        steps = np.abs(share - np.clip(below[band] / 3 + 0.5, 0, 1))
        assert steps.max() < 0.45, "across the horizon the light changes within about a pixel"


def cut_overlap(pictures: NDArray[Any], shift: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the parts of two pictures [2, S, S, ...] that show the same if the second is shifted.

    What is near the border of either is left out.
    """
    size = pictures.shape[1]
    spans = [(max(0, by) + REACH_PX, min(size, size + by) - REACH_PX) for by in shift]
    (left, right), (top, bottom) = spans
    right_by, down_by = shift
    first = pictures[0, top - down_by : bottom - down_by, left - right_by : right - right_by]
    return first, pictures[1, top:bottom, left:right]
