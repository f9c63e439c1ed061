"""glTF 2.0 files: their JSON, buffers and numbers, of which materials and the scene are made."""

from turntable.renderer.meshes.formats.gltf.loading import load_gltf

__all__ = ["load_gltf"]
