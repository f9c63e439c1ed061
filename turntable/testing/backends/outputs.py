"""Tests of the outputs depth, normals and coordinates, against rays that are cast with NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable.renderer.backends import Backend, Pixels, Quality
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import FLOOR_Z, WORLD_RADIANCE, Camera, Scenes, display_from_linear
from turntable.testing.backends.base import BackendTests
from turntable.testing.backends.masks import erode
from turntable.testing.backends.meshes import Triple, make_box
from turntable.testing.backends.photometry import linear_from_display
from turntable.testing.backends.views import (
    ALL_OUTPUTS,
    FAST,
    SIZE,
    STANDARD,
    USUAL_CAMERA,
    Array,
    CameraPosition,
    compute_floor_points,
    compute_horizon_row,
    compute_pixel_rays,
    make_camera,
    make_label,
    make_scenes,
)

BOXES: list[tuple[Triple, Triple, CameraPosition]] = [
    ((0.25, 0.15, 0.3), (0.4, 0.3, 0.8), USUAL_CAMERA),
    ((0.25, 0.15, 0.3), (0.4, 0.3, 0.8), (1.5, 0.2)),
    ((0.25, 0.15, 0.3), (0.4, 0.3, 0.8), (3.0, 1.5)),
    ((0.4, 1.7, 0.05), (0.0, 0.0, 0.1), (1.5, 0.35)),  # a plank that goes on below the camera and behind
]
"""Boxes and cameras: half of the box's size, its angles in radians, distance and elevation of the camera."""


def cast_rays(half: Array, view: Scenes, camera: Camera, through: Array | None = None) -> dict[str, Any]:
    """Cast a ray through each pixel at a box.

    Args:
        half: Half of the box's size, [3].
        view: Scene with the pose of the box.
        camera: The camera.
        through: Directions [S, S, 3] of the rays in the world, of depth 1; None for those of the camera.

    Returns:
        ``inside`` [S, S], True well within the outline of the box; ``depth`` [S, S], ``normals`` [S, S, 3] in
        the world and ``coordinates`` [S, S, 3] in the box's frame, of the points that the rays hit.
    """
    matrix = view.object_to_world[0]
    origin = (camera.position - matrix[:3, 3]) @ matrix[:3, :3]
    in_world = compute_pixel_rays(SIZE, camera) if through is None else through
    rays = in_world @ matrix[:3, :3]  # of unit depth
    with np.errstate(divide="ignore"):
        near, far = ((sign * half - origin) / rays for sign in (-1, 1))
    enter, leave = np.minimum(near, far), np.maximum(near, far)
    depth = enter.max(axis=-1)
    side = np.eye(3)[enter.argmax(axis=-1)] * -np.sign(rays)
    return {
        "inside": erode(depth < leave.min(axis=-1), 2),
        "depth": depth,
        "normals": side @ matrix[:3, :3].T,
        "coordinates": origin + rays * depth[..., None],
    }


def check_floor(
    outputs: dict[str, NDArray[Any]],
    floor: NDArray[np.bool_],
    depth: Array,
    *,
    rtol: float = 0,
    atol: float = 0,
) -> None:
    """Check the outputs of the pixels that show the floor.

    Args:
        outputs: The outputs of a view, by name.
        floor: Mask of the floor, [S, S].
        depth: Depth of the floor, [S, S].
        rtol: Largest relative error of a depth.
        atol: Largest absolute error of a depth, added to the relative one.
    """
    rule = "beside the object the depth is the floor's"
    np.testing.assert_allclose(outputs["depth"][floor], depth[floor], rtol=rtol, atol=atol, err_msg=rule)
    up = np.broadcast_to([0, 0, 1], (floor.sum(), 3))
    np.testing.assert_array_equal(outputs["normals"][floor], up, err_msg="the floor's normal is +z")
    assert not outputs["coordinates"][floor].any(), "beside the object the coordinates are 0"


class OutputTests(BackendTests):
    """Tests of the outputs besides the picture."""

    def render_outputs(
        self, backend: Backend, mesh: Mesh, view: Scenes, quality: Quality = FAST
    ) -> tuple[Pixels, dict[str, NDArray[Any]]]:
        """Render one view with all outputs; return the result, and the outputs of the view by name."""
        pixels = backend.render(mesh, view, SIZE, quality, ALL_OUTPUTS)
        outputs = {name: getattr(pixels, name) for name in ALL_OUTPUTS}
        missing = [name for name, array in outputs.items() if array is None]
        assert not missing, f"a requested output is not None: {', '.join(missing)}"
        return pixels, {name: array[0] for name, array in outputs.items()}

    @pytest.mark.parametrize(("half", "angles", "camera"), BOXES)
    def test_depth_normals_and_coordinates_are_those_of_the_box(
        self, backend: Backend, half: Triple, angles: Sequence[float], camera: CameraPosition
    ) -> None:
        """Depth, normals and coordinates agree with rays cast at the box with NumPy."""
        camera_ = make_camera(*camera)
        view = make_scenes(make_label(angles, shift=(0.05, -0.1, 0.1), camera=camera))
        _, outputs = self.render_outputs(backend, make_box((2 * half[0], 2 * half[1], 2 * half[2])), view)
        expected = cast_rays(np.array(half), view, camera_)
        inside = expected["inside"]
        assert inside.sum() > 500
        for name in ("depth", "coordinates"):
            np.testing.assert_allclose(
                outputs[name][inside],
                expected[name][inside],
                atol=1e-4,
                err_msg=f"{name}: that of the point which the ray through the pixel's center hits, in the"
                " frame that the docstring of Pixels names",
            )
        # A pixel at an edge may have the normal of either face.
        wrong = np.abs(outputs["normals"] - expected["normals"]).max(axis=-1)[inside] > 2e-3
        assert wrong.mean() < 0.01, "normals have length 1, are in the world's frame, and point to the camera"
        floor = (outputs["mask"] == 0) & (compute_pixel_rays(SIZE, camera_)[..., 2] < 0)
        depth = (compute_floor_points(SIZE, camera_) - camera_.position) @ camera_.world_to_camera[2, :3]
        check_floor(outputs, floor, depth, atol=1e-4)

    @pytest.mark.parametrize("elevation", [0.02, 0.1, 0.25])
    def test_beyond_the_horizon_is_the_world(self, backend: Backend, elevation: float) -> None:
        """Above the horizon is the world's gray without depth or normal, and below it the floor."""
        camera = (2.0, elevation)
        view = make_scenes(make_label(theta=0.3, floor_hue=0.1, power=0.0, camera=camera))
        pixels, outputs = self.render_outputs(backend, make_box((0.1, 0.1, 1.2)), view, STANDARD)
        row, beside = compute_horizon_row(SIZE, elevation), outputs["mask"] == 0
        rows = np.broadcast_to(np.arange(SIZE)[:, None], (SIZE, SIZE)) + 0.5
        sky, floor = beside & (rows < row), beside & (rows > row)
        gray = 255 * display_from_linear(np.array(WORLD_RADIANCE))
        far = erode(beside & (rows < row - 2), 2, beyond=True)
        assert np.abs(outputs["rgb"][far] - gray).max() <= 1, "beyond the horizon is the world's gray"
        assert np.isposinf(outputs["depth"][sky]).all(), "beyond the horizon the depth is infinite"
        assert not outputs["normals"][sky].any(), "beyond the horizon the normals are 0"
        assert not outputs["coordinates"][sky].any(), "beyond the horizon the coordinates are 0"
        camera_ = make_camera(*camera)
        depth = (FLOOR_Z - camera_.position[2]) / compute_pixel_rays(SIZE, camera_)[..., 2]
        check_floor(outputs, floor, depth, rtol=1e-4)
        assert (outputs["mask"] > 0)[rows < row].sum() > 20, "an object hides the sky behind it"
        self.check_horizon(pixels, row)

    def check_horizon(self, pixels: Pixels, row: float) -> None:
        """Check the row of the horizon, measured from the columns at the left border.

        The linear light changes from that of the world to that of the floor within a pixel. So the sum of the
        floor's share over some rows is their number below the horizon, to a fraction of a pixel.
        """
        column = linear_from_display(pixels.rgb[0, :, :8, 0].astype(float)).mean(axis=1)
        edge = slice(int(row) - 4, int(row) + 5)
        share = (column[edge] - column[edge][0]) / (column[edge][-1] - column[edge][0])
        measured = int(row) + 5 - share.sum()
        assert measured == pytest.approx(row, abs=0.3), "the horizon is in its row, to a fraction of a pixel"
