"""Asynchronous readback: pictures are copied into buffers on the device, and read when they are needed.

Meanwhile the device can draw the next pictures into the same textures, and the CPU can do other work.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.gl.targets import TileGrid

if TYPE_CHECKING:
    import moderngl

DTYPES = {"f1": np.uint8, "f4": np.float32}
"""Data types of what is read back, by moderngl's names of texture types."""
MAX_KEPT = 4
"""Number of buffers that are kept for reuse: two for pictures, and two for other outputs."""


class Readback:
    """A pool of buffers for pictures on their way from the device."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._context = context
        self._kept: list[moderngl.Buffer] = []
        self._awaited: list[moderngl.Buffer] = []

    def begin(self, texture: "moderngl.Texture", grid: TileGrid, num_tiles: int) -> "PendingTiles":
        """Begin to copy the first ``num_tiles`` tiles of a texture, after all drawing begun before."""
        shape = (grid.rows, grid.tile_px, grid.columns, grid.tile_px, texture.components)
        dtype = np.dtype(DTYPES[texture.dtype])
        buffer = self._take_buffer(int(np.prod(shape)) * dtype.itemsize)
        self._awaited.append(buffer)
        texture.read_into(buffer, alignment=1)
        return PendingTiles(self, buffer, shape, dtype, num_tiles)

    def reclaim(self, buffer: "moderngl.Buffer") -> None:
        """Keep a buffer that has been read for the next picture of its size."""
        self._awaited.remove(buffer)
        self._kept.append(buffer)
        while len(self._kept) > MAX_KEPT:
            self._kept.pop(0).release()

    def list_awaited(self) -> "tuple[moderngl.Buffer, ...]":
        """List the buffers that have been begun and are still to be read."""
        return tuple(self._awaited)

    def discard_since(self, awaited: "tuple[moderngl.Buffer, ...]") -> None:
        """Free the buffers that were begun after ``awaited`` was listed: nobody will read them."""
        for buffer in [buffer for buffer in self._awaited if buffer not in awaited]:
            self._awaited.remove(buffer)
            buffer.release()

    def release(self) -> None:
        """Free the buffers that are kept for reuse."""
        for buffer in self._kept:
            buffer.release()
        self._kept.clear()

    def _take_buffer(self, size: int) -> "moderngl.Buffer":
        for number, buffer in enumerate(self._kept):
            if buffer.size == size:
                return self._kept.pop(number)
        return self._context.buffer(reserve=size)


@dataclass(frozen=True, slots=True, eq=False)
class PendingTiles:
    """The tiles of an atlas, in a buffer on the device into which they are being copied."""

    readback: Readback
    buffer: "moderngl.Buffer"
    shape: tuple[int, ...]
    """Numbers of tiles down, pixel rows of a tile, tiles across, pixel columns of a tile, and channels."""
    dtype: np.dtype[Any]
    num_tiles: int

    def read_tiles(self) -> NDArray[Any]:
        """Wait for the tiles [num_tiles, S, S, channels]; to be called once.

        The first row of a tile is the top of its picture.
        """
        atlas = np.frombuffer(self.buffer.read(), dtype=self.dtype).reshape(self.shape)
        self.readback.reclaim(self.buffer)
        size, channels = self.shape[1], self.shape[-1]
        return atlas.transpose(0, 2, 1, 3, 4).reshape(-1, size, size, channels)[: self.num_tiles]
