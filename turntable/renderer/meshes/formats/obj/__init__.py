"""Wavefront OBJ files: statements, faces and colors of vertices."""

from turntable.renderer.meshes.formats.obj.loading import load_obj

__all__ = ["load_obj"]
