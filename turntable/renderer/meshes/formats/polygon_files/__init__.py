"""PLY, STL and OFF files: tables of vertices and polygons."""

from turntable.renderer.meshes.formats.polygon_files.off import load_off
from turntable.renderer.meshes.formats.polygon_files.ply import load_ply
from turntable.renderer.meshes.formats.polygon_files.stl import load_stl

__all__ = ["load_off", "load_ply", "load_stl"]
