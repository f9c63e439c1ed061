"""pyrender's library and its OpenGL context, kept apart from any other context of the process."""

import importlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from turntable.errors import DeviceError, MissingExtraError
from turntable.renderer.backends.protocol import Device

SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "swiftshader")
INSTALL_LINE = "apt-get install -y --no-install-recommends libegl1 libgl1 libgl1-mesa-dri"


def library() -> Any:
    """The module ``pyrender`` (of a fork that lives: see the extra in ``pyproject.toml``), headless.

    Raises:
        MissingExtraError: It is not installed.
        DeviceError: It is, and finds no EGL or OpenGL library.
    """
    # Read once, when PyOpenGL is imported. One worker process a core beats one of many threads.
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    os.environ.setdefault("LP_NUM_THREADS", "1")
    try:
        importlib.import_module("pyrender.platforms.egl")
        return importlib.import_module("pyrender")
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyrender", "pyrender") from error
    except (ImportError, AttributeError, OSError) as error:  # PyOpenGL's ways to lack a library
        raise DeviceError(f"pyrender finds no EGL ({error}). On Debian or Ubuntu: {INSTALL_LINE}") from error


class Context:
    """An OpenGL context of pyrender's; ``EGL_DEVICE_ID`` chooses among several devices.

    Every use makes it current and puts back what was: another backend of the process may have its own.

    Raises:
        MissingExtraError: pyrender is not installed.
        DeviceError: EGL is missing or gives no context.
    """

    def __init__(self) -> None:
        egl = library().platforms.egl
        self._egl: Any = importlib.import_module("OpenGL.EGL")
        self._platform: Any = None
        number = os.environ.get("EGL_DEVICE_ID", "0")
        try:
            with self._restored():
                self._platform = egl.EGLPlatform(1, 1, device=egl.get_device_by_index(int(number)))
                self._platform.init_context()
                self.device = _device()
        except Exception as error:  # pyrender asserts, PyOpenGL has its own kinds
            raise DeviceError(
                f"no OpenGL context through EGL on device {number} ({type(error).__name__}: {error}). "
                f"EGL_DEVICE_ID chooses another; in software, on Debian or Ubuntu: {INSTALL_LINE}"
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
            if context:
                egl.eglMakeCurrent(display, *surfaces, context)
            else:
                self._release()

    def _release(self) -> None:
        if self._platform is None:
            return
        nothing = self._egl.EGL_NO_SURFACE
        display = self._platform._egl_display
        self._egl.eglMakeCurrent(display, nothing, nothing, self._egl.EGL_NO_CONTEXT)


def _device() -> Device:
    gl: Any = importlib.import_module("OpenGL.GL")
    vendor, name, version = (
        gl.glGetString(what).decode() for what in (gl.GL_VENDOR, gl.GL_RENDERER, gl.GL_VERSION)
    )
    software = any(known in name.lower() for known in SOFTWARE_RENDERERS)
    return Device("pyrender", vendor, name, version, software)
