"""Grids of points of the floor, at which its light is computed, and the light between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.object_frame_scene import ObjectFrameScene
from turntable.renderer.scene import FLOOR_Z

FloatArray = NDArray[np.floating]
Array = NDArray[np.float64]

MIN_DESCENT = 1e-4
"""Smallest descent, per unit of depth, of rays that are to meet the floor: less than any pixel's width."""


@dataclass(frozen=True, slots=True)
class FloorGrid:
    """A grid of points of the floor, evenly spaced in the picture."""

    start: tuple[int, int]
    """Pixel, right and down, at which the first cell begins: 0 or a little before."""
    num_cells: int
    """Number of cells along each axis, each of ``step_px`` pixels with a point in its middle."""
    step_px: int

    @classmethod
    def from_view(cls, view: ObjectFrameScene, image_px: int, step_px: int) -> "FloorGrid":
        """Return the grid of a view.

        The grids of pictures that are shifted by whole pixels have the same points of the floor.
        """
        right, down = (-view.whole_shift_px % step_px).tolist()
        return cls((-right, -down), -(-image_px // step_px) + int(bool(right or down)), step_px)

    def compute_points(self, view: ObjectFrameScene, image_px: int) -> Array:
        """Return the points [G, G, 3]; a cell above the horizon gets a point that is very far away."""
        grid = np.stack(np.meshgrid(*[(np.arange(self.num_cells) + 0.5) * self.step_px] * 2), axis=-1)
        rays = view.compute_directions(grid + self.start, image_px)
        along = view.height / np.maximum(view.compute_descent(rays), MIN_DESCENT)
        points = view.camera_in_world + along[..., None] * (rays @ view.camera_axes)
        points[..., 2] = FLOOR_Z
        return points

    def upsample(self, values: FloatArray, image_px: int) -> FloatArray:
        """Interpolate values [G, G] of the points over the picture at every pixel, bilinearly, to [S, S]."""
        across, down = (self._compute_weights(start, image_px) for start in self.start)
        return (down @ values @ across.T).astype(np.float32)

    def _compute_weights(self, start: int, image_px: int) -> Array:
        # Grids that cover just the picture are spread evenly over it, also where cells do not fill it.
        step = -(-image_px // self.num_cells) if self.start == (0, 0) else self.step_px
        position = (np.arange(image_px) + 0.5 - start) / step - 0.5
        nearest = np.clip(position, 0, self.num_cells - 1)
        return np.maximum(0, 1 - np.abs(nearest[:, None] - np.arange(self.num_cells)))
