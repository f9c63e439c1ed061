"""True rays on the CPU: no OpenGL, one wheel from pip. The fallback, and the oracle of the OpenGL backend."""

from turntable.renderer.backends.embree.backend import EmbreeBackend

__all__ = [
    "EmbreeBackend",
]
