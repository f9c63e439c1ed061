"""Meshes: the data model, the file formats, the sources, and the procedural zoo."""

from turntable.renderer.meshes.coincident_faces import (
    COINCIDENT_LIGHT_SHARE,
    group_coincident_faces,
    mark_coincident_faces,
)
from turntable.renderer.meshes.limits import Limits
from turntable.renderer.meshes.mesh import (
    FloatArray,
    IntArray,
    Material,
    Mesh,
    Texture,
    center_vertices,
    compute_bounds,
    compute_center,
    compute_face_normals,
    join_meshes,
    normalize_vectors,
    with_flat_normals,
)
from turntable.renderer.meshes.mesh_warnings import MeshWarning

__all__ = [
    "COINCIDENT_LIGHT_SHARE",
    "FloatArray",
    "IntArray",
    "Limits",
    "Material",
    "Mesh",
    "MeshWarning",
    "Texture",
    "center_vertices",
    "compute_bounds",
    "compute_center",
    "compute_face_normals",
    "group_coincident_faces",
    "join_meshes",
    "mark_coincident_faces",
    "normalize_vectors",
    "with_flat_normals",
]
