"""pyrender's library and its OpenGL context, kept apart from any other context of the process."""

import importlib
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from turntable.errors import DeviceError, MissingExtraError
from turntable.renderer.backends.egl import INSTALL_LINE as OPENGL_LINE
from turntable.renderer.backends.egl import draws_in_software
from turntable.renderer.backends.protocol import Device

INSTALL_LINE = f"{OPENGL_LINE} libgl1"
"""PyOpenGL loads one library more than moderngl."""


def library() -> Any:
    """The module ``pyrender`` (of a fork that lives: see the extra in ``pyproject.toml``), headless.

    Raises:
        MissingExtraError: It is not installed.
        DeviceError: It is, and finds no EGL or OpenGL library.
    """
    # Read once, when PyOpenGL is imported. One worker process a core beats one of many threads.
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    os.environ.setdefault("PYGLET_HEADLESS", "1")  # pyrender's window toolkit then asks for no X11
    os.environ.setdefault("LP_NUM_THREADS", "1")
    try:
        importlib.import_module("pyrender.platforms.egl")
        return importlib.import_module("pyrender")
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyrender", "pyrender") from error
    except (ImportError, AttributeError, OSError) as error:  # PyOpenGL's ways to lack a library
        raise DeviceError(f"pyrender finds no EGL ({error}). On Debian or Ubuntu: {INSTALL_LINE}") from error


class Context:
    """An OpenGL context of pyrender's, on the device of this index among EGL's.

    Every use makes it current and puts back what was: another backend of the process may have its own.

    Raises:
        MissingExtraError: pyrender is not installed.
        DeviceError: EGL is missing or gives no context.
    """

    def __init__(self, device: int) -> None:
        egl = library().platforms.egl
        self._egl: Any = importlib.import_module("OpenGL.EGL")
        self._platform: Any = None
        try:
            with self._restored():
                self._platform = egl.EGLPlatform(1, 1, device=egl.get_device_by_index(device))
                self._platform.init_context()
                self.device = _device()
        except Exception as error:  # pyrender asserts, PyOpenGL has its own kinds
            raise DeviceError(
                f"pyrender finds no OpenGL context on device egl:{device} ({type(error).__name__}: {error}). "
                f"In software, on Debian or Ubuntu: {INSTALL_LINE}"
            ) from error

    @contextmanager
    def current(self) -> Generator[None, None, None]:
        """For a while, OpenGL calls go here."""
        with self._restored():
            self._platform.make_current()
            yield

    def close(self) -> None:
        """Free the context; not its display, which other contexts of the process share."""
        if self._platform is not None:
            self._egl.eglDestroyContext(self._platform._egl_display, self._platform._egl_context)
            self._platform = None

    @contextmanager
    def _restored(self) -> Generator[None, None, None]:
        egl = self._egl
        display, context = egl.eglGetCurrentDisplay(), egl.eglGetCurrentContext()
        surfaces = [egl.eglGetCurrentSurface(kind) for kind in (egl.EGL_DRAW, egl.EGL_READ)]
        try:
            yield
        finally:
            if not (context and self._put_back(display, surfaces, context)):
                self._release()

    def _put_back(self, display: Any, surfaces: Sequence[Any], context: Any) -> bool:
        """Whether a context is current again; one that was closed while current cannot be."""
        try:
            return bool(self._egl.eglMakeCurrent(display, *surfaces, context))
        except self._egl.EGLError:
            return False

    def _release(self) -> None:
        if self._platform is None:
            return
        nothing = self._egl.EGL_NO_SURFACE
        display = self._platform._egl_display
        self._egl.eglMakeCurrent(display, nothing, nothing, self._egl.EGL_NO_CONTEXT)


def find_device(device: int | None = None) -> Device:
    """The device of this index, asked of a context made for the purpose; raises as :class:`Context`."""
    context = Context(device or 0)
    context.close()
    return context.device


def _device() -> Device:
    gl: Any = importlib.import_module("OpenGL.GL")
    vendor, name, version = (
        gl.glGetString(what).decode() for what in (gl.GL_VENDOR, gl.GL_RENDERER, gl.GL_VERSION)
    )
    return Device("pyrender", vendor, name, version, draws_in_software(name))
