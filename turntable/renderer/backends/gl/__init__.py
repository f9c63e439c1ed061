"""The main renderer: OpenGL through moderngl on a headless EGL device, software or hardware."""

from turntable.renderer.backends.gl.backend import GLBackend
from turntable.renderer.backends.gl.context import find_device

__all__ = [
    "GLBackend",
    "find_device",
]
