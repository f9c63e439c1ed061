"""The scene of a glTF file: nodes, instances, skins and morph targets, and the parts they place."""

from turntable.renderer.meshes.formats.gltf.scene.nodes import Matrix, NodeTree
from turntable.renderer.meshes.formats.gltf.scene.parts import Part, build_part
from turntable.renderer.meshes.formats.gltf.scene.scene_reader import SceneReader
from turntable.renderer.meshes.formats.gltf.scene.skins import SkinWeights

__all__ = ["Matrix", "NodeTree", "Part", "SceneReader", "SkinWeights", "build_part"]
