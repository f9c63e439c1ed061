"""Colors of vertices in meshes that are joined though they come from files of different formats."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from turntable.renderer.meshes.formats import srgb_to_linear
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.mesh_warnings import MeshWarning


def unify_colors(meshes: Sequence[Mesh]) -> list[Mesh]:
    """Return meshes that can be joined: if some have linear colors of vertices, all have.

    Colors of PLY, OBJ and OFF files are sRGB values and run evenly between the vertices as such. Beside a mesh
    of a glTF file, whose colors are linear, they run evenly in linear light, which a warning says.
    """
    colored = [mesh for mesh in meshes if mesh.colors is not None]
    if all(mesh.has_encoded_colors for mesh in colored):
        return list(meshes)
    return [_to_linear_colors(mesh) if mesh.has_encoded_colors else mesh for mesh in meshes]


def _to_linear_colors(mesh: Mesh) -> Mesh:
    if mesh.colors is None:
        return replace(mesh, has_encoded_colors=False)
    light = srgb_to_linear(mesh.colors[:, :3])
    colors = np.concatenate([light, mesh.colors[:, 3:]], axis=1).astype(np.float32)
    warning = MeshWarning(
        "color-approximated",
        mesh.files[0].name if mesh.files else "",
        "colors of vertices are sRGB values beside an object of the scene whose colors are linear",
        "between the vertices, they run evenly in linear light",
    )
    return replace(mesh, colors=colors, has_encoded_colors=False, warnings=(*mesh.warnings, warning))
