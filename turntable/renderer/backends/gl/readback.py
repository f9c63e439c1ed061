"""Pictures on their way back from the device: copied into buffers there, and read when they are asked for.

Meanwhile the device can draw the next pictures into the same textures, and the processor can do other work.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.gl.targets import Grid

if TYPE_CHECKING:
    import moderngl

DTYPES = {"f1": np.uint8, "f4": np.float32}
"""Of what is read back, by moderngl's name for the texture's."""
MOST_KEPT = 4
"""Buffers kept for the next pictures: two of pictures, and two of whatever else."""


class Readback:
    """Buffers for pictures, used again and again."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._context = context
        self._kept: list[moderngl.Buffer] = []
        self._awaited: list[moderngl.Buffer] = []

    def begin(self, texture: "moderngl.Texture", grid: Grid, count: int) -> "Reading":
        """Copy the first ``count`` tiles of a texture, once all that was begun before is drawn."""
        shape = (grid.rows, grid.tile_px, grid.columns, grid.tile_px, texture.components)
        dtype = np.dtype(DTYPES[texture.dtype])
        buffer = self._buffer(int(np.prod(shape)) * dtype.itemsize)
        self._awaited.append(buffer)
        texture.read_into(buffer, alignment=1)
        return Reading(self, buffer, shape, dtype, count)

    def take_back(self, buffer: "moderngl.Buffer") -> None:
        """Keep a buffer that has been read for the next picture of its size."""
        self._awaited.remove(buffer)
        self._kept.append(buffer)
        while len(self._kept) > MOST_KEPT:
            self._kept.pop(0).release()

    def awaited(self) -> "tuple[moderngl.Buffer, ...]":
        """What has been begun and is still to be read."""
        return tuple(self._awaited)

    def give_up(self, since: "tuple[moderngl.Buffer, ...]") -> None:
        """Free what was begun since: nobody will read it."""
        for buffer in [buffer for buffer in self._awaited if buffer not in since]:
            self._awaited.remove(buffer)
            buffer.release()

    def release(self) -> None:
        """Free what is kept."""
        for buffer in self._kept:
            buffer.release()
        self._kept.clear()

    def _buffer(self, size: int) -> "moderngl.Buffer":
        for number, buffer in enumerate(self._kept):
            if buffer.size == size:
                return self._kept.pop(number)
        return self._context.buffer(reserve=size)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Tiles of an atlas, copied or about to be."""

    readback: Readback
    buffer: "moderngl.Buffer"
    shape: tuple[int, ...]
    """Tiles down, their rows, tiles across, their columns, channels."""
    dtype: np.dtype[Any]
    count: int

    def tiles(self) -> NDArray[Any]:
        """Wait for [count, S, S, channels], once; the first row of a tile is the top of its picture."""
        atlas = np.frombuffer(self.buffer.read(), dtype=self.dtype).reshape(self.shape)
        self.readback.take_back(self.buffer)
        size, channels = self.shape[1], self.shape[-1]
        return atlas.transpose(0, 2, 1, 3, 4).reshape(-1, size, size, channels)[: self.count]
