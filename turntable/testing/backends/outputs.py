"""Depth, normals and coordinates: rays that numpy casts, and the backend's outputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable.renderer.backends import Backend, Pixels, Quality
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import FLOOR_Z, WORLD_RADIANCE, Camera, Scenes, display_from_linear
from turntable.testing.backends.drawing import DrawingTests
from turntable.testing.backends.light import linear_of
from turntable.testing.backends.regions import inner
from turntable.testing.backends.shapes import Triple, box
from turntable.testing.backends.views import (
    ALL,
    FAST,
    SIZE,
    STANDARD,
    USUAL,
    Array,
    Place,
    camera_at,
    floor_points,
    horizon_row,
    label,
    pixel_rays,
    scenes,
)

BOXES: list[tuple[Triple, Triple, Place]] = [
    ((0.25, 0.15, 0.3), (0.4, 0.3, 0.8), USUAL),
    ((0.25, 0.15, 0.3), (0.4, 0.3, 0.8), (1.5, 0.2)),
    ((0.25, 0.15, 0.3), (0.4, 0.3, 0.8), (3.0, 1.5)),
    ((0.4, 1.7, 0.05), (0.0, 0.0, 0.1), (1.5, 0.35)),  # a plank that goes on below the camera and behind
]
"""Half of a box's size, its angles, the camera."""


def cast(half: Array, view: Scenes, camera: Camera) -> dict[str, Any]:
    """Cast rays at a box.

    Args:
        half: Of its size, [3].
        view: Its pose.
        camera: From where.

    Returns:
        ``inside`` [S, S], well within the outline; ``depth`` [S, S], ``normals`` [S, S, 3] in the world and
        ``coordinates`` [S, S, 3] in the box's frame, of what the rays meet.
    """
    matrix = view.object_to_world[0]
    origin = (camera.position - matrix[:3, 3]) @ matrix[:3, :3]
    rays = pixel_rays(SIZE, camera) @ matrix[:3, :3]  # of unit depth
    with np.errstate(divide="ignore"):
        near, far = ((sign * half - origin) / rays for sign in (-1, 1))
    enter, leave = np.minimum(near, far), np.maximum(near, far)
    depth = enter.max(axis=-1)
    side = np.eye(3)[enter.argmax(axis=-1)] * -np.sign(rays)
    return {
        "inside": inner(depth < leave.min(axis=-1), 2),
        "depth": depth,
        "normals": side @ matrix[:3, :3].T,
        "coordinates": origin + rays * depth[..., None],
    }


def check_floor(
    drawn: dict[str, NDArray[Any]], away: NDArray[np.bool_], depth: Array, *, rtol: float = 0, atol: float = 0
) -> None:
    """Check what is seen beside an object below the horizon: the floor.

    Args:
        drawn: The outputs of a view, by name.
        away: Where it is seen, [S, S].
        depth: Of the floor, [S, S].
        rtol: By so much of itself a depth may be off.
        atol: And by so much besides.
    """
    told = "beside the object the depth is the floor's"
    np.testing.assert_allclose(drawn["depth"][away], depth[away], rtol=rtol, atol=atol, err_msg=told)
    up = np.broadcast_to([0, 0, 1], (away.sum(), 3))
    np.testing.assert_array_equal(drawn["normals"][away], up, err_msg="the floor's normal is +z")
    assert not drawn["coordinates"][away].any(), "beside the object the coordinates are 0"


class OutputTests(DrawingTests):
    """Outputs beside the picture."""

    def draw_all(
        self, backend: Backend, mesh: Mesh, view: Scenes, setting: Quality = FAST
    ) -> tuple[Pixels, dict[str, NDArray[Any]]]:
        """Draw one view with every output; the second result has those of it, by name."""
        pixels = backend.render(mesh, view, SIZE, setting, ALL)
        found = {name: getattr(pixels, name) for name in ALL}
        missing = [name for name, array in found.items() if array is None]
        assert not missing, f"outputs that are asked for are there; {', '.join(missing)} are None"
        return pixels, {name: array[0] for name, array in found.items()}

    @pytest.mark.parametrize(("half", "angles", "camera"), BOXES)
    def test_depth_normals_and_coordinates_are_those_of_the_box(
        self, backend: Backend, half: Triple, angles: Sequence[float], camera: Place
    ) -> None:
        """Rays cast at the box by numpy: the same depth, normal and place in the object's own frame."""
        standing = camera_at(*camera)
        view = scenes(label(angles, shift=(0.05, -0.1, 0.1), camera=camera))
        _, drawn = self.draw_all(backend, box((2 * half[0], 2 * half[1], 2 * half[2])), view)
        wanted = cast(np.array(half), view, standing)
        inside = wanted["inside"]
        assert inside.sum() > 500
        for name in ("depth", "coordinates"):
            np.testing.assert_allclose(
                drawn[name][inside],
                wanted[name][inside],
                atol=1e-4,
                err_msg=f"{name}: what a ray through the pixel's centre meets, in the frame that Pixels says",
            )
        # An edge between two faces may go to either.
        wrong = np.abs(drawn["normals"] - wanted["normals"]).max(axis=-1)[inside] > 2e-3
        assert wrong.mean() < 0.01, "normals are unit, in the world's frame, turned to the camera"
        away = (drawn["mask"] == 0) & (pixel_rays(SIZE, standing)[..., 2] < 0)
        floor = (floor_points(SIZE, standing) - standing.position) @ standing.world_to_camera[2, :3]
        check_floor(drawn, away, floor, atol=1e-4)

    @pytest.mark.parametrize("elevation", [0.02, 0.1, 0.25])
    def test_beyond_the_horizon_is_the_world(self, backend: Backend, elevation: float) -> None:
        """Its gray, no depth, no normal; the floor up to there, and things before both."""
        camera = (2.0, elevation)
        view = scenes(label(theta=0.3, floor_hue=0.1, power=0.0, camera=camera))
        pixels, drawn = self.draw_all(backend, box((0.1, 0.1, 1.2)), view, STANDARD)
        row, away = horizon_row(SIZE, elevation), drawn["mask"] == 0
        rows = np.broadcast_to(np.arange(SIZE)[:, None], (SIZE, SIZE)) + 0.5
        sky, floor = away & (rows < row), away & (rows > row)
        gray = 255 * display_from_linear(np.array(WORLD_RADIANCE))
        far = inner(away & (rows < row - 2), 2, beyond=True)
        assert np.abs(drawn["rgb"][far] - gray).max() <= 1, "beyond the horizon one sees the world's gray"
        assert np.isposinf(drawn["depth"][sky]).all(), "beyond the horizon the depth is infinite"
        assert not drawn["normals"][sky].any(), "beyond the horizon the normals are 0"
        assert not drawn["coordinates"][sky].any(), "beyond the horizon the coordinates are 0"
        standing = camera_at(*camera)
        depth = (FLOOR_Z - standing.position[2]) / pixel_rays(SIZE, standing)[..., 2]
        check_floor(drawn, floor, depth, rtol=1e-4)
        assert (drawn["mask"] > 0)[rows < row].sum() > 20, "an object stands before the sky as well"
        self.check_horizon(pixels, row)

    def check_horizon(self, pixels: Pixels, row: float) -> None:
        """Check by the share of floor in a column away from the object where the horizon is."""
        column = linear_of(pixels.rgb[0, :, :8, 0].astype(float)).mean(axis=1)
        edge = slice(int(row) - 4, int(row) + 5)
        share = (column[edge] - column[edge][0]) / (column[edge][-1] - column[edge][0])
        found = int(row) + 5 - share.sum()
        assert found == pytest.approx(row, abs=0.3), "the horizon is where it is, to a fraction of a pixel"
