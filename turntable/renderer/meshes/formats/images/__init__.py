"""Images of any format as the textures of a mesh."""

from turntable.renderer.meshes.formats.images.texture_edges import clamp_textures
from turntable.renderer.meshes.formats.images.texture_loader import FALLBACK_TEXT, Mode, TextureLoader

__all__ = ["FALLBACK_TEXT", "Mode", "TextureLoader", "clamp_textures"]
