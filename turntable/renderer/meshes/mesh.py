"""What a mesh is to the renderer: triangles, their attributes, and materials in linear light."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """An image wrapped over a surface by repetition, filtered bilinearly."""

    pixels: NDArray[np.uint8]
    """[H, W, 3] sRGB, or [H, W, 4] with alpha; the first row is the top of the image (v = 1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Disney diffuse under a GGX coat, as Blender's importer reads an MTL file (all colours linear)."""

    name: str = "default"
    base_color: tuple[float, float, float] = (0.8, 0.8, 0.8)
    """Linear Rec.709; a texture replaces it."""
    specular: float = 0.5
    """F0 = 0.08 * specular."""
    roughness: float = 0.5
    """GGX alpha = roughness squared."""
    alpha: float = 1.0
    """1 is opaque."""
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    texture: Texture | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles in the world's orientation (z up), before any pose.

    The renderer puts the centre of the axis-aligned bounding box at the origin and scales nothing.
    Vertices are unshared wherever an attribute differs: one index serves position, normal and texture
    coordinate alike.
    """

    positions: FloatArray
    """[N, 3]."""
    triangles: IntArray
    """[T, 3] indices into the vertices; either winding."""
    normals: FloatArray
    """[N, 3] unit shading normals. Where a file gives none: the flat normal of the face."""
    texcoords: FloatArray
    """[N, 2], v upwards; zeros where a mesh has none."""
    material_index: IntArray
    """[T] index into ``materials``."""
    materials: tuple[Material, ...]
    has_normals: bool = True
    """Whether the normals come from the file. Flat ones are two-sided: the winding carries no meaning."""
    warnings: tuple[str, ...] = field(default=())
    """What was missing or mended while loading, for the user."""
