"""The OpenGL backend: one context whose shader programs and buffers are reused from mesh to mesh."""

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager

import numpy as np

from turntable.datasets.labels import OutputName
from turntable.errors import DeviceError, DeviceLostError
from turntable.renderer.backends.gl.context import open_context, read_device
from turntable.renderer.backends.gl.failures import (
    OutOfMemoryError,
    make_out_of_memory_error,
    raise_gl_errors,
)
from turntable.renderer.backends.gl.mesh_renderer import MeshRenderer
from turntable.renderer.backends.gl.resources import GLResources
from turntable.renderer.backends.gl.targets import BORDER_PX
from turntable.renderer.backends.protocol import Backend, Device, PendingPixels, Pixels, Quality
from turntable.renderer.backends.surface_outputs import SurfaceOutputs
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes

GL_DEPTH_TEST = 0x0B71
"""OpenGL's constant for the depth test."""
MAX_BATCH_SAMPLES = 16 * 2**20
"""Largest number of samples of all views of one batch; more views are drawn in several batches."""
MAX_BATCH_VIEWS = 64
"""Largest number of views of one batch."""


class GLBackend(Backend):
    """The :class:`~turntable.renderer.backends.protocol.Backend` on OpenGL 3.3 and later, headless."""

    def __init__(self, device: int | None = None, *, compute: bool = True) -> None:
        """Open a device.

        Args:
            device: Index among EGL's devices; None leaves the choice to EGL.
            compute: True to light in compute shaders if the device has them (OpenGL 4.3). Data-center GPUs
                have few units that can draw, but many that can compute. Otherwise fragment shaders do the
                same.
        """
        self.context = open_context(device)
        self._device = read_device(self.context)
        self.context.enable_direct(GL_DEPTH_TEST)
        self.resources = GLResources(self.context, compute=compute)

    @property
    def device(self) -> Device:
        """The OpenGL device."""
        return self._device

    def begin(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,
        outputs: Collection[OutputName] = ("rgb",),
    ) -> PendingPixels:
        """Begin to draw one view per scene; arguments and errors are those of the protocol.

        If the device's memory is too short, fewer views are drawn at a time.
        """
        batch = self._compute_batch_views(
            len(scenes), (image_size_px + 2 * BORDER_PX) * quality.supersampling
        )
        # Pictures of earlier calls that are still to be read; they must outlive the retries below.
        awaited = self.resources.readback.list_awaited()
        while True:
            try:
                with (
                    self._make_current(),
                    MeshRenderer(self.resources, mesh, image_size_px, quality) as drawing,
                ):
                    parts = [
                        drawing.begin(scenes[at : at + batch], outputs) for at in range(0, len(scenes), batch)
                    ]
                return lambda: self._join_batches(parts)
            except OutOfMemoryError as error:
                self.resources.release_buffers(awaited)
                if batch == 1:
                    raise make_out_of_memory_error(mesh, image_size_px, error) from error
                batch = -(-batch // 2)

    def close(self) -> None:
        """Free everything on the device."""
        self.context.release()

    @contextmanager
    def _make_current(self) -> Generator[None, None, None]:
        """Make this backend's context current; another one of the process may have been used since."""
        with self.context, raise_gl_errors(self.context):
            yield

    def _join_batches(self, parts: Sequence[Callable[[], SurfaceOutputs]]) -> Pixels:
        """Wait for all batches, and concatenate their outputs."""
        try:
            with self._make_current():
                results = [part() for part in parts]
        except OutOfMemoryError as error:  # too late to try again with fewer views
            raise DeviceLostError(f"the device ran out of memory while it was drawing ({error})") from error
        names = results[0]
        return Pixels(**{name: np.concatenate([result[name] for result in results]) for name in names})

    def _compute_batch_views(self, num_views: int, tile_px: int) -> int:
        """Return the number of views per batch: batches of equal size within the memory and texture limits.

        Raises:
            DeviceError: Even one view exceeds the largest texture.
        """
        widest = int(self.context.info["GL_MAX_TEXTURE_SIZE"])
        if tile_px > widest:
            raise DeviceError(
                f"one view needs {tile_px} samples along a side and the device takes {widest}; "
                "choose a smaller --image-size or less --supersampling"
            )
        max_columns = widest // tile_px
        max_views = max(1, min(MAX_BATCH_SAMPLES // tile_px**2, max_columns**2, MAX_BATCH_VIEWS))
        # Equal batches: all use the same buffers, which are kept for one size only.
        num_batches = -(-num_views // max_views)
        return -(-num_views // num_batches)
