"""The renderer: meshes, scenes computed from labels, backends that draw them, and runs that make data sets.

Nothing here imports torch.
"""

from turntable.renderer.backends import open_backend
from turntable.renderer.lru_cache import LRUCache
from turntable.renderer.meshes.sources import open_recipe_source, open_source
from turntable.renderer.modality_strip import draw_modality_strip
from turntable.renderer.posing import pose_parts
from turntable.renderer.recipe_preview import make_joint_previews, make_path_previews
from turntable.renderer.runs import generate, generate_share, merge
from turntable.renderer.views import encode_views, quality_from_recipe, render_views

__all__ = [
    "LRUCache",
    "draw_modality_strip",
    "encode_views",
    "generate",
    "generate_share",
    "make_joint_previews",
    "make_path_previews",
    "merge",
    "open_backend",
    "open_recipe_source",
    "open_source",
    "pose_parts",
    "quality_from_recipe",
    "render_views",
]
