"""Numbers to pixels: meshes, the scene as a function of a label, backends, and generation. No torch."""

from turntable.renderer.backends import open_backend
from turntable.renderer.meshes.sources import open_source
from turntable.renderer.recent import Recent
from turntable.renderer.runs import generate, generate_share, merge
from turntable.renderer.views import encode_views, recipe_quality, render_views

__all__ = [
    "Recent",
    "encode_views",
    "generate",
    "generate_share",
    "merge",
    "open_backend",
    "open_source",
    "recipe_quality",
    "render_views",
]
