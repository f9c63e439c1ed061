"""Materials and faces that let light through or are absent in places.

An alpha is that of the material, times those of its texture and of the vertices.
"""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import Material, Mesh

ALPHA_ROUNDING = 1e-5
"""Relative error that interpolation may leave in an alpha; thresholds forgive it."""

MaterialMask = NDArray[np.bool_]
"""Mask [M] of some materials of a mesh."""


def find_transparent_materials(mesh: Mesh, solid_alpha: float = 1.0) -> MaterialMask:
    """Return a mask [M], true for materials through which light passes in part.

    Args:
        mesh: Mesh of the M materials.
        solid_alpha: Alpha from which a surface counts as opaque.
    """
    return _find_clear_materials(mesh, solid_alpha) & np.isnan(_list_cutoffs(mesh))


def find_cut_materials(mesh: Mesh) -> MaterialMask:
    """Return a mask [M], true for materials whose surface may be absent in places: they have a cutoff.

    A cutoff that no alpha falls below cuts nothing away.
    """
    cutoffs = _list_cutoffs(mesh)
    return ((cutoffs > 0) & _find_clear_materials(mesh, 1.0)) | (cutoffs > 1)


def find_opaque_faces(mesh: Mesh) -> NDArray[np.bool_]:
    """Return a mask [T], true for triangles that no light passes where they are present."""
    clear = np.array([_is_clear(material, 1.0) for material in mesh.materials], dtype=np.bool_)
    opaque = ~clear[mesh.material_index]
    if mesh.colors is not None:
        opaque &= (mesh.colors[:, 3] >= 1)[mesh.triangles].all(axis=1)
    return opaque | ~np.isnan(_list_cutoffs(mesh))[mesh.material_index]


def find_absent_faces(mesh: Mesh) -> NDArray[np.bool_]:
    """Return a mask [T], true for triangles that cannot be seen anywhere, whatever their texture."""
    alpha = np.array([material.alpha for material in mesh.materials])
    cutoff = _list_cutoffs(mesh)[mesh.material_index]
    largest = alpha[mesh.material_index]
    if mesh.colors is not None:
        largest = largest * mesh.colors[:, 3][mesh.triangles].max(axis=1)
    return np.where(np.isnan(cutoff), largest <= 0, largest * (1 + ALPHA_ROUNDING) < cutoff)


def _list_cutoffs(mesh: Mesh) -> NDArray[np.float64]:
    """Return the alpha cutoffs [M] of the materials, NaN for a material without one."""
    return np.array([material.alpha_cutoff for material in mesh.materials], dtype=np.float64)


def _find_clear_materials(mesh: Mesh, solid_alpha: float) -> MaterialMask:
    """Return a mask [M], true for materials whose alpha may be below 1, at any texel and vertex."""
    clear = np.array([_is_clear(material, solid_alpha) for material in mesh.materials], dtype=np.bool_)
    if mesh.colors is not None:
        faces = (mesh.colors[:, 3] < solid_alpha)[mesh.triangles].any(axis=1)
        clear[mesh.material_index[faces]] = True
    return clear


def _is_clear(material: Material, solid_alpha: float) -> bool:
    """Return True if a material or its texture is transparent."""
    texture = material.texture
    return material.alpha < solid_alpha or (texture is not None and texture.pixels.shape[2] == 4)
