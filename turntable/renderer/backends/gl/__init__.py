"""The main backend: OpenGL through moderngl on a headless EGL device, in hardware or software."""

from turntable.renderer.backends.gl.backend import GLBackend
from turntable.renderer.backends.gl.context import probe_device

__all__ = [
    "GLBackend",
    "probe_device",
]
