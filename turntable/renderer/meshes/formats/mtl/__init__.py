"""MTL files: the materials of OBJ files, and their textures."""

from turntable.renderer.meshes.formats.mtl.loading import LoadedMaterials, load_materials
from turntable.renderer.meshes.formats.mtl.textures import TexcoordMove

__all__ = ["LoadedMaterials", "TexcoordMove", "load_materials"]
