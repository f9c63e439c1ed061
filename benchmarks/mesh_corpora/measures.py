"""Figures of a mesh that two readers must agree on, and the differences between two such measures."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesh_corpora.independent_readers import linear_to_srgb, srgb_to_linear
from turntable.renderer.meshes import Mesh, compute_bounds

FLAT = 1e-7
"""Twice the area, in squared diagonals, of a triangle that is flat in float32."""
COLOR_SAMPLES = 20_000
"""Points at which the mean color is measured."""
TOLERANCES = {"triangles": 1e-3, "area": 2e-3, "box": 1e-3, "color": 0.04}
"""Largest difference that counts as none: of triangles and area relative, of the box in diagonals, of the
color in sRGB of 0 to 1."""


@dataclass(frozen=True, slots=True)
class MeshMeasure:
    """The figures of a mesh whose bounding box is scaled to a diagonal of 1."""

    triangles: int
    """Number of triangles with an area."""
    area: float
    """Area of the surface, in squared diagonals."""
    box: tuple[float, ...]
    """Extents along x, y and z, in diagonals."""
    color: tuple[float, ...] | None
    """Mean color over the surface in sRGB of 0 to 1, without alpha; None if the reader gives no colors."""


@dataclass(frozen=True, slots=True)
class MeasureDifference:
    """A figure in which another reader differs."""

    what: str
    ours: object
    theirs: object
    amount: float
    """Size of the difference, in multiples of its tolerance."""


def measure_mesh(mesh: Mesh, *, has_colors: bool = True) -> MeshMeasure:
    """Measure a mesh."""
    low, high = (bound.astype(np.float64) for bound in compute_bounds(mesh))
    diagonal = float(np.linalg.norm(high - low))
    mesh = _drop_repeated(mesh, (mesh.positions - low) / diagonal)
    corners = (mesh.positions.astype(np.float64) / diagonal)[mesh.triangles]
    doubled = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    color = _measure_color(mesh, doubled) if has_colors and doubled.sum() > 0 else None
    box = tuple(round(float(extent), 6) for extent in (high - low) / diagonal)
    return MeshMeasure(int(np.count_nonzero(doubled > FLAT)), float(doubled.sum() / 2), box, color)


def _drop_repeated(mesh: Mesh, positions: NDArray[np.float64]) -> Mesh:
    """Leave out triangles that a file has twice: some readers drop them, and none shows them."""
    _, place = np.unique(np.rint(positions * 1e5).astype(np.int64), axis=0, return_inverse=True)
    corners = np.sort(place.reshape(-1)[mesh.triangles], axis=1)
    _, first = np.unique(corners, axis=0, return_index=True)
    first.sort()
    return replace(mesh, triangles=mesh.triangles[first], material_index=mesh.material_index[first])


def list_differences(ours: MeshMeasure, theirs: MeshMeasure) -> list[MeasureDifference]:
    """List the figures that differ by more than their tolerances."""
    triangles = abs(ours.triangles - theirs.triangles) / max(ours.triangles, theirs.triangles, 1)
    area = abs(ours.area - theirs.area) / max(ours.area, theirs.area, 1e-12)
    box = float(np.abs(np.subtract(ours.box, theirs.box)).max())
    found = [
        ("triangles", ours.triangles, theirs.triangles, triangles),
        ("area", round(ours.area, 5), round(theirs.area, 5), area),
        ("box", ours.box, theirs.box, box),
    ]
    if ours.color is not None and theirs.color is not None:
        color = float(np.abs(np.subtract(ours.color, theirs.color)).max())
        found.append(("color", _round(ours.color), _round(theirs.color), color))
    return [
        MeasureDifference(what, one, other, round(amount / TOLERANCES[what], 2))
        for what, one, other, amount in found
        if amount > TOLERANCES[what]
    ]


def _round(color: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(value, 3) for value in color)


def _measure_color(mesh: Mesh, area: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the mean color over the surface, at seeded points spread by area."""
    random = np.random.default_rng(0)
    at = (np.arange(COLOR_SAMPLES) + 0.5) / COLOR_SAMPLES * area.sum()
    triangle = np.minimum(np.searchsorted(np.cumsum(area), at, side="right"), len(area) - 1)
    root, along = np.sqrt(random.random(COLOR_SAMPLES)), random.random(COLOR_SAMPLES)
    weights = np.stack([1 - root, root * (1 - along), root * along], axis=-1)
    corners = mesh.triangles[triangle]
    texcoords = np.einsum("pk,pkx->px", weights, mesh.texcoords[corners].astype(np.float64))
    material = mesh.material_index[triangle]
    color = np.empty((COLOR_SAMPLES, 3))
    for number in np.unique(material):
        chosen = material == number
        given = mesh.materials[number]
        color[chosen] = given.base_color
        if given.texture is not None:
            pixels = given.texture.pixels
            height, width = pixels.shape[:2]
            u, v = texcoords[chosen].T
            column = np.minimum((u % 1 * width).astype(int), width - 1)
            row = np.minimum(((1 - v) % 1 * height).astype(int), height - 1)
            color[chosen] = srgb_to_linear(pixels[row, column, :3] / 255)
    if mesh.colors is not None:
        blended = np.einsum("pk,pkx->px", weights, mesh.colors[corners].astype(np.float64)[..., :3])
        # Readers of PLY, OFF and OBJ files keep colors as sRGB values, which are blended as they are.
        color *= srgb_to_linear(blended) if getattr(mesh, "has_encoded_colors", False) else blended
    return tuple(linear_to_srgb(color.mean(axis=0)).tolist())
