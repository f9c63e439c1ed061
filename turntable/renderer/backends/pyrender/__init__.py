"""The pyrender backend, the renderer that the field often uses, to compare with.

It has pyrender's own shaders, four samples per pixel, and a hard shadow of the spot alone.
"""

from turntable.renderer.backends.pyrender.backend import PyrenderBackend
from turntable.renderer.backends.pyrender.context import probe_device

__all__ = [
    "PyrenderBackend",
    "probe_device",
]
