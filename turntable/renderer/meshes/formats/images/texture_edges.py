"""Textures that nothing repeats, sampled without the opposite edge of their image.

Where a texture repeats, half a texel at each edge takes in the opposite edge. Few samples a pixel exaggerate
this line where they happen to lie on it, although an object whose texture coordinates never leave the image
does not mean it. Without it, pictures are nearer to Blender's on the mean (docs/lab-notebook.md).
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import Mesh, Texture

MIN_SIDE_PX = 64
"""Shortest side of an image that is treated so. Of a smaller one, half a texel is a visible part."""
TOLERANCE = 1e-4
"""Distance outside the image that counts as rounding, as a share of its side."""


def clamp_textures(mesh: Mesh) -> Mesh:
    """Return the mesh with textures clamped that repeat by default and whose image no corner leaves.

    A texture that several materials share is clamped only if no corner of any of them leaves the image.
    """
    textures = {
        id(texture): texture
        for material in mesh.materials
        for texture in (material.texture, material.emission_texture)
        if texture is not None and _is_candidate(texture)
    }
    if not textures:
        return mesh
    distance = np.abs(mesh.texcoords - np.float32(0.5)).max(axis=1)
    is_outside: NDArray[np.bool_] = distance > 0.5 + TOLERANCE
    repeating = set(mesh.material_index[is_outside[mesh.triangles].any(axis=1)].tolist())
    for number, material in enumerate(mesh.materials):
        if number in repeating:
            textures.pop(id(material.texture), None)
            textures.pop(id(material.emission_texture), None)
    clamped = {key: replace(texture, wrap=("clamp", "clamp")) for key, texture in textures.items()}
    materials = tuple(
        replace(
            material,
            texture=clamped.get(id(material.texture), material.texture),
            emission_texture=clamped.get(id(material.emission_texture), material.emission_texture),
        )
        for material in mesh.materials
    )
    return replace(mesh, materials=materials)


def _is_candidate(texture: Texture) -> bool:
    """Return True if a texture repeats in both directions and is large enough."""
    return texture.wrap == ("repeat", "repeat") and min(texture.pixels.shape[:2]) >= MIN_SIDE_PX
