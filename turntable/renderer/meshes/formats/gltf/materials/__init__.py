"""The materials of a glTF file, with their textures."""

from turntable.renderer.meshes.formats.gltf.materials.material_reader import GltfMaterials, MappedMaterial
from turntable.renderer.meshes.formats.gltf.materials.textures import GltfTextures

__all__ = ["GltfMaterials", "GltfTextures", "MappedMaterial"]
