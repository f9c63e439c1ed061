"""From parts with skins to one mesh of the renderer."""

from dataclasses import dataclass, field

import numpy as np

from turntable.renderer.meshes.mesh import Material, Mesh
from turntable.renderer.meshes.zoo.palette import Skin
from turntable.renderer.meshes.zoo.shading import crease_normals
from turntable.renderer.meshes.zoo.solid import Array, Solid, join

_GRID = 2.0**-20

TOWARDS_CAMERA = np.array([-1.0, -1.0, 1.0])
"""Objects are built with their front towards -y, as one draws them, and turned half about z when finished: in
the world the camera stands at +y, and it is there that ShapeNet's objects look."""


@dataclass(frozen=True, slots=True, eq=False)
class Assembly:
    """An object in the making: solids, each with the skin it wears."""

    parts: list[tuple[Solid, Skin]] = field(default_factory=list[tuple[Solid, Skin]])

    def add(self, skin: Skin, *solids: Solid) -> "Assembly":
        """Put on solids of one skin; answers itself."""
        self.parts.extend((solid, skin) for solid in solids)
        return self

    def pair(self, skin: Skin, *solids: Solid) -> "Assembly":
        """Put on solids and their left-to-right mirror images; answers itself."""
        return self.add(skin, *solids, *(solid.mirror() for solid in solids))

    def placed(self, *, turn_z: float = 0.0, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> "Assembly":
        """A copy, every part turned about z by degrees and then shifted."""
        return Assembly([(solid.turn(z=turn_z).at(*at), skin) for solid, skin in self.parts])

    def include(self, other: "Assembly") -> "Assembly":
        """Put on all parts of another assembly; answers itself."""
        self.parts.extend(other.parts)
        return self

    def mesh(self) -> Mesh:
        """The finished mesh: bounding box centred on the origin, its diagonal 1."""
        whole = join(*(solid for solid, _ in self.parts))
        positions = _normalised(whole.positions * TOWARDS_CAMERA)
        number = np.arange(len(self.parts))
        part_of_vertex = np.repeat(number, [len(solid.positions) for solid, _ in self.parts])
        part_of_triangle = np.repeat(number, [len(solid.triangles) for solid, _ in self.parts])
        creases = np.array([solid.crease for solid, _ in self.parts])[part_of_triangle]
        normals = crease_normals(positions, whole.triangles, part_of_vertex, creases)
        tile = np.array([skin.tile for _, skin in self.parts])[part_of_vertex, None]
        materials, material_of_part = _materials([skin for _, skin in self.parts])
        vertex, triangles, vertex_normals = _unshared(whole.triangles, normals)
        return Mesh(
            positions=_rounded(positions[vertex]),
            triangles=triangles,
            normals=_rounded(vertex_normals),
            texcoords=_rounded((whole.texcoords / tile)[vertex]),
            material_index=material_of_part[part_of_triangle].astype(np.int32),
            materials=materials,
        )


def _normalised(positions: Array) -> Array:
    low, high = positions.min(axis=0), positions.max(axis=0)
    return (positions - (low + high) / 2) / np.linalg.norm(high - low)


def _rounded(values: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """To a grid of one millionth: sines differ in their last bit from one processor to the next."""
    return (np.rint(values / _GRID) * _GRID).astype(np.float32)


def _materials(skins: list[Skin]) -> tuple[tuple[Material, ...], np.ndarray]:
    """The distinct materials in order of appearance, and the index of each skin's."""
    index: dict[int, int] = {}
    materials: list[Material] = []
    for skin in skins:
        if id(skin.material) not in index:
            index[id(skin.material)] = len(materials)
            materials.append(skin.material)
    return tuple(materials), np.array([index[id(skin.material)] for skin in skins])


def _unshared(triangles: np.ndarray, normals: Array) -> tuple[np.ndarray, np.ndarray, Array]:
    """Split vertices where the normals of their corners differ.

    Returns:
        The old vertex of each new one [M], the new triangles [T, 3], the normals [M, 3].
    """
    corners = normals.reshape(-1, 3)
    cell = np.rint((corners + 1.0) * 1000).astype(np.int64)
    key = ((triangles.reshape(-1) * 2003 + cell[:, 0]) * 2003 + cell[:, 1]) * 2003 + cell[:, 2]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return triangles.reshape(-1)[first], inverse.reshape(-1, 3).astype(np.int32), corners[first]
