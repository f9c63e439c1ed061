"""The OpenGL backend: a context with its programs and buffers, kept warm from one mesh to the next."""

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager

import numpy as np

from turntable.datasets.labels import OutputName
from turntable.errors import DeviceError, DeviceLostError
from turntable.renderer.backends.gl.context import device_of, open_context
from turntable.renderer.backends.gl.drawing import MeshDrawing
from turntable.renderer.backends.gl.failures import OutOfMemoryError, no_memory, told
from turntable.renderer.backends.gl.resources import Resources
from turntable.renderer.backends.gl.targets import BORDER_PX
from turntable.renderer.backends.protocol import Backend, Device, Pending, Pixels, Quality
from turntable.renderer.backends.surface import Surfaces
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes

GL_DEPTH_TEST = 0x0B71
MAX_BATCH_SAMPLES = 16 * 2**20
"""Samples of all views of one batch; more views are drawn in turn."""
MAX_BATCH_VIEWS = 64


class GLBackend(Backend):
    """The :class:`~turntable.renderer.backends.protocol.Backend` on OpenGL 3.3 and later, headless."""

    def __init__(self, device: int | None = None, *, compute: bool = True) -> None:
        """Open a device.

        Args:
            device: Its index among EGL's; None leaves the choice to EGL.
            compute: Whether to light in compute shaders where the device has them (OpenGL 4.3): data-centre
                GPUs have few units that can draw. Without, fragments do the same.
        """
        self.context = open_context(device)
        self._device = device_of(self.context)
        self.context.enable_direct(GL_DEPTH_TEST)
        self.resources = Resources(self.context, compute=compute)

    @property
    def device(self) -> Device:
        """What draws."""
        return self._device

    def begin(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,
        outputs: Collection[OutputName] = ("rgb",),
    ) -> Pending:
        """Give the device its work; see the protocol. Where its memory is short, fewer views at a time."""
        batch = self._batch(len(scenes), (image_size_px + 2 * BORDER_PX) * quality.supersampling)
        awaited = self.resources.readback.awaited()
        while True:
            try:
                with self._current(), MeshDrawing(self.resources, mesh, image_size_px, quality) as drawing:
                    parts = [
                        drawing.draw(scenes[at : at + batch], outputs) for at in range(0, len(scenes), batch)
                    ]
                return lambda: self._joined(parts)
            except OutOfMemoryError as error:
                self.resources.release_buffers(awaited)
                if batch == 1:
                    raise no_memory(mesh, image_size_px, error) from error
                batch = -(-batch // 2)

    def close(self) -> None:
        """Free everything on the device."""
        self.context.release()

    @contextmanager
    def _current(self) -> Generator[None, None, None]:
        """Calls go to this backend's context: another one of this process may have been used since."""
        with self.context, told(self.context):
            yield

    def _joined(self, parts: Sequence[Callable[[], Surfaces]]) -> Pixels:
        """Wait for batches, and put them together."""
        try:
            with self._current():
                made = [part() for part in parts]
        except OutOfMemoryError as error:  # too late to try again with less
            raise DeviceLostError(f"the device ran out of memory while it was drawing ({error})") from error
        return Pixels(**{name: np.concatenate([part[name] for part in made]) for name in made[0]})

    def _batch(self, views: int, tile_px: int) -> int:
        """How many views to draw at once: even parts, each within memory and the device's texture size."""
        widest = int(self.context.info["GL_MAX_TEXTURE_SIZE"])
        if tile_px > widest:
            raise DeviceError(
                f"one view needs {tile_px} samples along a side and the device takes {widest}; "
                "choose a smaller --image-size or less --supersampling"
            )
        across = widest // tile_px
        most = max(1, min(MAX_BATCH_SAMPLES // tile_px**2, across**2, MAX_BATCH_VIEWS))
        return -(-views // -(-views // most))
