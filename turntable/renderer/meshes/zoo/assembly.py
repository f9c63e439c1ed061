"""Assembly of parts with skins into one mesh."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from turntable.renderer.meshes.mesh import Material, Mesh
from turntable.renderer.meshes.zoo.skins import Skin
from turntable.renderer.meshes.zoo.solid import Array, Solid, join_solids
from turntable.renderer.meshes.zoo.vertex_normals import compute_crease_normals

_GRID = 2.0**-20
"""Spacing of the grid to which all numbers of a finished mesh are rounded."""

TOWARDS_CAMERA = np.array([-1.0, -1.0, 1.0])
"""Factors that turn a finished object half around z.

Objects are built facing -y. In the world, the camera stands at +y, and ShapeNet's objects face it.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The place of an object's finished mesh: its center in the unit in which it is built, and its size."""

    center: Array
    """[3] center of the bounding box, after the turn toward the camera."""
    diagonal: float
    """Length of the diagonal of the bounding box."""

    def place_points(self, points: Array) -> Array:
        """Convert points [N, 3] as built to points of the finished mesh."""
        return (points * TOWARDS_CAMERA - self.center) / self.diagonal


@dataclass(frozen=True, slots=True, eq=False)
class Assembly:
    """An object being built: solids, each with its skin."""

    parts: list[tuple[Solid, Skin]] = field(default_factory=list[tuple[Solid, Skin]])
    """Solids and their skins, in the order in which they were added."""

    def add(self, skin: Skin, *solids: Solid) -> "Assembly":
        """Add solids with one skin, and return the assembly itself."""
        self.parts.extend((solid, skin) for solid in solids)
        return self

    def add_mirrored(self, skin: Skin, *solids: Solid) -> "Assembly":
        """Add solids and their left-to-right mirror images, and return the assembly itself."""
        return self.add(skin, *solids, *(solid.mirror() for solid in solids))

    def place(self, *, turn_z: float = 0.0, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> "Assembly":
        """Return a copy with every part rotated about z, then shifted.

        Args:
            turn_z: Angle in degrees.
            at: Offset along x, y and z.
        """
        return self.move(lambda solid: solid.rotate(z=turn_z).translate(*at))

    def move(self, move_solid: Callable[[Solid], Solid]) -> "Assembly":
        """Return a copy with every solid moved by a function."""
        return Assembly([(move_solid(solid), skin) for solid, skin in self.parts])

    def add_assembly(self, other: "Assembly") -> "Assembly":
        """Add all parts of another assembly, and return the assembly itself."""
        self.parts.extend(other.parts)
        return self

    def build_mesh(self, placement: Placement | None = None) -> Mesh:
        """Build the finished mesh.

        Args:
            placement: Placement of the whole that this is a part of; without one, the bounding box is
                centered on the origin and its diagonal is 1.
        """
        whole = join_solids(*(solid for solid, _ in self.parts))
        positions = (placement or compute_placement([self])).place_points(whole.positions)
        number = np.arange(len(self.parts))
        part_of_vertex = np.repeat(number, [len(solid.positions) for solid, _ in self.parts])
        part_of_triangle = np.repeat(number, [len(solid.triangles) for solid, _ in self.parts])
        creases = np.array([solid.crease for solid, _ in self.parts])[part_of_triangle]
        normals = compute_crease_normals(positions, whole.triangles, part_of_vertex, creases)
        tile = np.array([skin.tile for _, skin in self.parts])[part_of_vertex, None]
        materials, material_of_part = _collect_materials([skin for _, skin in self.parts])
        vertex, triangles, vertex_normals = _split_vertices(whole.triangles, normals)
        return Mesh(
            positions=round_to_grid(positions[vertex]),
            triangles=triangles,
            normals=round_to_grid(vertex_normals),
            texcoords=round_to_grid((whole.texcoords / tile)[vertex]),
            material_index=material_of_part[part_of_triangle].astype(np.int32),
            materials=materials,
        )


def compute_placement(assemblies: Sequence[Assembly]) -> Placement:
    """Compute the placement that centers the bounding box of all on the origin and makes its diagonal 1."""
    solids = (solid.positions for assembly in assemblies for solid, _ in assembly.parts)
    positions = np.concatenate(list(solids)) * TOWARDS_CAMERA
    low, high = positions.min(axis=0), positions.max(axis=0)
    return Placement((low + high) / 2, float(np.linalg.norm(high - low)))


def round_to_grid(values: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Round to a grid of about one millionth.

    Sines and cosines differ in their last bit between processors. On the grid, a mesh is the same everywhere.
    """
    return (np.rint(values / _GRID) * _GRID).astype(np.float32)


def _collect_materials(skins: list[Skin]) -> tuple[tuple[Material, ...], np.ndarray]:
    """Return the distinct materials in order of appearance, and the index of each skin's material."""
    index: dict[int, int] = {}
    materials: list[Material] = []
    for skin in skins:
        if id(skin.material) not in index:
            index[id(skin.material)] = len(materials)
            materials.append(skin.material)
    return tuple(materials), np.array([index[id(skin.material)] for skin in skins])


def _split_vertices(triangles: np.ndarray, normals: Array) -> tuple[np.ndarray, np.ndarray, Array]:
    """Split vertices where the normals of their corners differ.

    Args:
        triangles: [T, 3] indices into the vertices.
        normals: [T, 3, 3] normal of each corner.

    Returns:
        The old vertex of each new one [M], the new triangles [T, 3], the normals [M, 3].
    """
    corners = normals.reshape(-1, 3)
    # Normals that agree to a thousandth count as equal. Each coordinate of a cell is from 0 to 2000, so 2003
    # keeps the digits of the key apart.
    cell = np.rint((corners + 1.0) * 1000).astype(np.int64)
    key = ((triangles.reshape(-1) * 2003 + cell[:, 0]) * 2003 + cell[:, 1]) * 2003 + cell[:, 2]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return triangles.reshape(-1)[first], inverse.reshape(-1, 3).astype(np.int32), corners[first]
