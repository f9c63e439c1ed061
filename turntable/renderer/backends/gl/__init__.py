"""The main renderer: OpenGL through moderngl on a headless EGL device, software or hardware."""

from turntable.renderer.backends.gl.backend import GLBackend

__all__ = ["GLBackend"]
