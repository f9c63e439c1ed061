"""The scene of a glTF file: nodes, instances, skins and morph targets, and the parts they place."""

from turntable.renderer.meshes.formats.gltf.scene.parts import Part, build_part
from turntable.renderer.meshes.formats.gltf.scene.scene_reader import SceneReader

__all__ = ["Part", "SceneReader", "build_part"]
