"""The field's habit: pyrender's own shaders, four samples a pixel and a hard shadow of the spot alone."""

from turntable.renderer.backends.pyrender.backend import PyrenderBackend
from turntable.renderer.backends.pyrender.context import find_device

__all__ = [
    "PyrenderBackend",
    "find_device",
]
