"""The rigid parts of a glTF scene: what its animations and skins move, and the joints that they move by."""

from turntable.renderer.meshes.formats.gltf.motion.rigid_parts import find_rigid_parts

__all__ = ["find_rigid_parts"]
