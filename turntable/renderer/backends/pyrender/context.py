"""The pyrender library and its OpenGL context, which is kept apart from any other context of the process."""

import importlib
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from turntable.errors import BrokenLibraryError, DeviceError
from turntable.extras import explain_import_errors
from turntable.renderer.backends.egl import INSTALL_LINE as OPENGL_LINE
from turntable.renderer.backends.egl import is_software_renderer
from turntable.renderer.backends.protocol import Device

INSTALL_LINE = f"{OPENGL_LINE} libgl1"
"""Command that installs OpenGL in software; PyOpenGL loads one library more than moderngl."""

_OPENGL_ERRORS = (ImportError, AttributeError, OSError)
"""Errors of PyOpenGL's import if a library of the system is missing."""


def import_pyrender() -> Any:
    """Import ``pyrender`` without a display, from a maintained fork: see the extra in ``pyproject.toml``.

    Raises:
        MissingExtraError: It is not installed.
        DeviceError: It is installed, but finds no EGL or OpenGL library.
    """
    # These are read when PyOpenGL, pyglet and llvmpipe start, so they must be set before the import.
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    os.environ.setdefault("PYGLET_HEADLESS", "1")  # pyrender's window toolkit then needs no X11
    os.environ.setdefault("LP_NUM_THREADS", "1")  # one process per core beats one process of many threads
    try:
        with explain_import_errors("pyrender"):
            importlib.import_module("pyrender.platforms.egl")
            return importlib.import_module("pyrender")
    except BrokenLibraryError as error:
        cause = error.__cause__
        if isinstance(cause, ModuleNotFoundError) or not isinstance(cause, _OPENGL_ERRORS):
            raise
        raise DeviceError(f"pyrender finds no EGL ({cause}). On Debian or Ubuntu: {INSTALL_LINE}") from cause


class PyrenderContext:
    """pyrender's OpenGL context on the device of this index among EGL's devices.

    Every use makes the context current, and afterwards restores the one that was current before: another
    backend of the process may have its own.

    Raises:
        MissingExtraError: pyrender is not installed.
        DeviceError: EGL is missing or gives no context.
    """

    def __init__(self, device: int) -> None:
        egl = import_pyrender().platforms.egl
        self._egl: Any = importlib.import_module("OpenGL.EGL")
        self._platform: Any = None
        try:
            with self._restore_current():
                self._platform = egl.EGLPlatform(1, 1, device=egl.get_device_by_index(device))
                self._platform.init_context()
                self.device = _read_device()
        except Exception as error:  # pyrender fails by assertions, PyOpenGL by errors of its own
            raise DeviceError(
                f"pyrender finds no OpenGL context on device egl:{device} ({type(error).__name__}: {error}). "
                f"In software, on Debian or Ubuntu: {INSTALL_LINE}"
            ) from error

    @contextmanager
    def make_current(self) -> Generator[None, None, None]:
        """Make this the current OpenGL context within the ``with`` block."""
        with self._restore_current():
            self._platform.make_current()
            yield

    def close(self) -> None:
        """Free the context, but not its display, which other contexts of the process share."""
        if self._platform is not None:
            self._egl.eglDestroyContext(self._platform._egl_display, self._platform._egl_context)
            self._platform = None

    @contextmanager
    def _restore_current(self) -> Generator[None, None, None]:
        """Make the context that is current now current again at the end of the ``with`` block."""
        egl = self._egl
        display, context = egl.eglGetCurrentDisplay(), egl.eglGetCurrentContext()
        surfaces = [egl.eglGetCurrentSurface(kind) for kind in (egl.EGL_DRAW, egl.EGL_READ)]
        try:
            yield
        finally:
            if not (context and self._try_make_current(display, surfaces, context)):
                self._release_current()

    def _try_make_current(self, display: Any, surfaces: Sequence[Any], context: Any) -> bool:
        """Make a context current and return True; False if it was closed meanwhile."""
        try:
            return bool(self._egl.eglMakeCurrent(display, *surfaces, context))
        except self._egl.EGLError:
            return False

    def _release_current(self) -> None:
        """Leave the thread without a current context."""
        if self._platform is None:
            return
        nothing = self._egl.EGL_NO_SURFACE
        display = self._platform._egl_display
        self._egl.eglMakeCurrent(display, nothing, nothing, self._egl.EGL_NO_CONTEXT)


def probe_device(device: int | None = None) -> Device:
    """Return the device of this index, asked of a context made for the purpose.

    Raises:
        MissingExtraError: pyrender is not installed.
        DeviceError: EGL is missing or gives no context.
    """
    context = PyrenderContext(device or 0)
    context.close()
    return context.device


def _read_device() -> Device:
    gl: Any = importlib.import_module("OpenGL.GL")
    vendor, name, version = (
        gl.glGetString(what).decode() for what in (gl.GL_VENDOR, gl.GL_RENDERER, gl.GL_VERSION)
    )
    return Device("pyrender", vendor, name, version, is_software_renderer(name))
