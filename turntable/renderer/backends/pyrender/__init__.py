"""The field's habit: pyrender's own shaders, four samples a pixel and a hard shadow of the spot alone."""

from turntable.renderer.backends.pyrender.backend import PyrenderBackend

__all__ = ["PyrenderBackend"]
