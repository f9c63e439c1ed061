"""Meshes: the data model, the file formats, the sources, and the procedural zoo."""

from turntable.renderer.meshes.coincident_faces import (
    COINCIDENT_LIGHT_SHARE,
    group_coincident_faces,
    mark_coincident_faces,
)
from turntable.renderer.meshes.farthest_points import choose_farthest_points
from turntable.renderer.meshes.limits import Limits
from turntable.renderer.meshes.mesh import (
    FloatArray,
    IntArray,
    Material,
    Mesh,
    Texture,
    Wrap,
    center_vertices,
    compute_bounds,
    compute_center,
    compute_face_normals,
    compute_mesh_digest,
    join_meshes,
    normalize_vectors,
    with_flat_normals,
)
from turntable.renderer.meshes.mesh_parts import (
    compute_part_boxes,
    get_part_of_vertices,
    join_parts,
    move_parts,
)
from turntable.renderer.meshes.mesh_warnings import FOLDER_KINDS, WARNING_KINDS, MeshWarning, WarningKind
from turntable.renderer.meshes.mirroring import mirror_mesh, mirror_points
from turntable.renderer.meshes.opacity import (
    ALPHA_ROUNDING,
    find_absent_faces,
    find_cut_materials,
    find_transparent_materials,
)
from turntable.renderer.meshes.surface_sampling import sample_surface
from turntable.renderer.meshes.symmetry import SymmetryFacts, measure_symmetry
from turntable.renderer.meshes.trimesh_meshes import from_trimesh
from turntable.renderer.meshes.warning_reports import (
    format_warning_examples,
    format_warning_sums,
    make_warning_records,
)

__all__ = [
    "ALPHA_ROUNDING",
    "COINCIDENT_LIGHT_SHARE",
    "FOLDER_KINDS",
    "WARNING_KINDS",
    "FloatArray",
    "IntArray",
    "Limits",
    "Material",
    "Mesh",
    "MeshWarning",
    "SymmetryFacts",
    "Texture",
    "WarningKind",
    "Wrap",
    "center_vertices",
    "choose_farthest_points",
    "compute_bounds",
    "compute_center",
    "compute_face_normals",
    "compute_mesh_digest",
    "compute_part_boxes",
    "find_absent_faces",
    "find_cut_materials",
    "find_transparent_materials",
    "format_warning_examples",
    "format_warning_sums",
    "from_trimesh",
    "get_part_of_vertices",
    "group_coincident_faces",
    "join_meshes",
    "join_parts",
    "make_warning_records",
    "mark_coincident_faces",
    "measure_symmetry",
    "mirror_mesh",
    "mirror_points",
    "move_parts",
    "normalize_vectors",
    "sample_surface",
    "with_flat_normals",
]
