"""Numbers to pixels: meshes, the scene as a function of a label, backends, and generation. No torch."""

from turntable.renderer.backends import open_backend
from turntable.renderer.generate import generate, generate_share
from turntable.renderer.merge import merge
from turntable.renderer.meshes.open import open_source
from turntable.renderer.views import encode_views, render_views

__all__ = [
    "encode_views",
    "generate",
    "generate_share",
    "merge",
    "open_backend",
    "open_source",
    "render_views",
]
