"""True rays on the CPU: no OpenGL, one wheel from PyPI.

It is the fallback without OpenGL, and the reference that the OpenGL backend is compared with.
"""

from turntable.renderer.backends.embree.backend import EmbreeBackend
from turntable.renderer.backends.embree.library import probe_device
from turntable.renderer.backends.embree.traced_mesh import TracedMesh

__all__ = [
    "EmbreeBackend",
    "TracedMesh",
    "probe_device",
]
