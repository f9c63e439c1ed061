"""The arrays that a shard holds of an object and of each view: their forms and meanings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import decode_npy

VIEWS_AXIS = "views"
"""Name of the axis of an object's views, whose size is the data set's."""


@dataclass(frozen=True, slots=True)
class ArrayForm:
    """The form of an array that is stored as a .npy file."""

    dtype: str
    """Type as numpy names it: "float32"."""
    axes: tuple[int | str, ...]
    """Size of each axis, or its name if its size may differ between objects. Axes of one name have one
    size."""
    meaning: str
    """The text of the manifest: unit, frame and encoding. It must not change."""

    def measure_axes(self, array: NDArray[Any]) -> Mapping[str, int]:
        """Return the sizes of an array's named axes.

        Raises:
            ValueError: The array is not of this form.
        """
        return _measure_axes(self.axes, self.dtype, array.dtype, array.shape)

    def decode(self, data: bytes, num_views: int) -> NDArray[Any]:
        """Return an array from the bytes of its .npy file, as memory of its own.

        Args:
            data: Bytes of the file.
            num_views: Number of views of the data set.

        Raises:
            ValueError: The bytes are not an array of this form and number of views.
        """
        array = decode_npy(data)
        size = self.measure_axes(array).get(VIEWS_AXIS, num_views)
        if size != num_views:
            raise ValueError(f"numbers of {size} views, not of {num_views}")
        return array.copy()


@lru_cache(maxsize=1024)  # the arrays of most objects have one of a few shapes
def _measure_axes(
    axes: tuple[int | str, ...], wanted: str, dtype: "np.dtype[Any]", shape: tuple[int, ...]
) -> Mapping[str, int]:
    named = [(axis, size) for axis, size in zip(axes, shape, strict=False)]
    sizes = {axis: size for axis, size in named if isinstance(axis, str)}
    fits = (
        dtype == np.dtype(wanted)
        and len(shape) == len(axes)
        and all(size == sizes.get(str(axis), axis) for axis, size in named)
    )
    if not fits:
        raise ValueError(f"{dtype} {shape}, not {wanted} [{', '.join(map(str, axes))}]")
    return MappingProxyType(sizes)


# Meanings are stored in manifests, so their wording must not change.
OBJECT_ARRAYS: dict[str, ArrayForm] = {
    "points": ArrayForm(
        "float32",
        ("points", 6),
        "KEY.points.npy, float32 [points, 6]: points spread evenly over the object's surface, in its own "
        "frame with the bounding box centred, and unit shading normals there",
    ),
    "part_pose": ArrayForm(
        "float32",
        (VIEWS_AXIS, "parts", 4, 4),
        "KEY.part_pose.npy, float32 [views, parts, 4, 4]: pose in the world of the own frame of each part of "
        "an object that has parts, in diagonals; the parts are listed in KEY.meta.json",
    ),
    "joint_values": ArrayForm(
        "float32",
        (VIEWS_AXIS, "joints"),
        "KEY.joint_values.npy, float32 [views, joints]: value of each joint of an object that has joints, in "
        "the order of the parts that they move: radians of a hinge, diagonals of a slide, 0 at rest",
    ),
    "boxes": ArrayForm(
        "float32",
        (VIEWS_AXIS, "boxes", 7),
        "KEY.boxes.npy, float32 [views, boxes, 7]: box around each object that the scanner may meet, in the "
        "sensor's frame: center x, y, z, length, width, height in meters, and yaw in radians from the "
        "sensor's x to its y axis; upright, the length along the yaw; the row is the index of the part",
    ),
    "ego_pose": ArrayForm(
        "float32",
        (VIEWS_AXIS, 4, 4),
        "KEY.ego_pose.npy, float32 [views, 4, 4]: pose of the scanner's sensor (x forward, y left, z up) in "
        "the world in meters, whose ground is z = 0",
    ),
    "point_parts": ArrayForm(
        "uint8",
        ("points",),
        "KEY.point_parts.npy, uint8 [points]: index of the part of an object that has parts on which each "
        "point of KEY.points.npy lies, which has the object at rest",
    ),
    "tracks": ArrayForm(
        "float32",
        (VIEWS_AXIS, "agents", 3),
        "KEY.tracks.npy, float32 [views, agents, 3]: place of each keypoint of the object, or of each of its "
        "particles, in the world, in diagonals; the views of a sequence are its frames",
    ),
    "velocities": ArrayForm(
        "float32",
        (VIEWS_AXIS, "agents", 3),
        "KEY.velocities.npy, float32 [views, agents, 3]: exact velocity of each agent of the tracks, in the "
        "world, in diagonals a frame; where the law of a motion changes, that by which the view was reached",
    ),
    "track_part": ArrayForm(
        "uint8",
        ("agents",),
        "KEY.track_part.npy, uint8 [agents]: index of the part that each keypoint is fixed to, or that each "
        "particle is; 0 for an object of one piece",
    ),
    "charge": ArrayForm(
        "int8",
        ("agents",),
        "KEY.charge.npy, int8 [agents]: charge of each particle, -1 or 1; 0 where particles have none",
    ),
    "interaction": ArrayForm(
        "int8",
        ("agents", "agents"),
        "KEY.interaction.npy, int8 [agents, agents]: kind of each pair's interaction, symmetric, zeros on "
        "the diagonal: the product of the two charges, 1 for a pair that a spring joins, else 0",
    ),
    "track_center": ArrayForm(
        "float64",
        ("sequences", 3),
        "KEY.track_center.npy, float64 [sequences, 3]: place in the particles' own world, in its unit of "
        "length, that stands at the object's origin; a particle at y in that world is at dynamics.scale "
        "times (y - center) in the object's frame",
    ),
    "vertices": ArrayForm(
        "float32",
        ("vertices", 6),
        "KEY.vertices.npy, float32 [vertices, 6]: vertices of the object's surface, simplified, in its own "
        "frame with the bounding box centered, in diagonals, and unit normals there",
    ),
    "edges": ArrayForm(
        "int32",
        ("edges", 2),
        "KEY.edges.npy, int32 [edges, 2]: pairs of vertices that a face joins, in both directions, without "
        "loops, sorted",
    ),
    "faces": ArrayForm(
        "int32",
        ("faces", 3),
        "KEY.faces.npy, int32 [faces, 3]: vertices of each face, counter-clockwise from outside, the least "
        "first, sorted",
    ),
    "vertex_permutation": ArrayForm(
        "int32",
        ("vertices",),
        "KEY.vertex_permutation.npy, int32 [vertices]: the drawn order of the vertices: vertex i is vertex "
        "vertex_permutation[i] of the order before the draw",
    ),
    "vertex_parts": ArrayForm(
        "uint8",
        ("vertices",),
        "KEY.vertex_parts.npy, uint8 [vertices]: part of each vertex of an object that has parts",
    ),
    "atom_positions": ArrayForm(
        "float32",
        ("atoms", 3),
        "KEY.atom_positions.npy, float32 [atoms, 3]: places of the atoms of a molecule in angstroms, in a "
        "frame with the axes of the object's and the mean of the atoms as its origin",
    ),
    "bonds": ArrayForm(
        "uint8",
        ("atoms", "atoms"),
        "KEY.bonds.npy, uint8 [atoms, atoms]: bond of each pair of atoms of a molecule, symmetric: 0 none, 1 "
        "single, 2 double, 3 triple, 4 aromatic",
    ),
    "elements": ArrayForm(
        "uint8", ("atoms",), "KEY.elements.npy, uint8 [atoms]: atomic numbers of a molecule's atoms"
    ),
    "formal_charges": ArrayForm(
        "int8", ("atoms",), "KEY.formal_charges.npy, int8 [atoms]: formal charges of a molecule's atoms, in e"
    ),
}
"""The arrays that a shard may hold of an object, by name; each is the member ``KEY.NAME.npy``."""

FIRST_ARRAYS = ("points", "part_pose", "joint_values")
"""Names of the arrays that come first among an object's, each with columns of its own in the index."""

VIEW_ARRAYS: dict[str, ArrayForm] = {
    "scan": ArrayForm(
        "float32",
        ("returns", 8),
        "KEY.VIEW.scan.npy, float32 [returns, 8]: returns of a scanner: x, y, z in the sensor's frame, "
        "intensity, instance (index of the part, -1 the ground, -2 clutter), and the flow x, y, z to the "
        "next frame, in meters",
    ),
}
"""The outputs of a view that are arrays, by name; each is the member ``KEY.VIEW.NAME.npy``."""


def get_output_suffix(output: str) -> str:
    """Return the suffix of the files of an output other than the picture: "npy" of arrays, else "png"."""
    return "npy" if output in VIEW_ARRAYS else "png"


def order_arrays(names: Iterable[str]) -> list[str]:
    """Return names of an object's arrays in the order of its members: the first ones, then by name."""
    given = set(names)
    return [name for name in FIRST_ARRAYS if name in given] + sorted(given.difference(FIRST_ARRAYS))


def measure_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    """Return the sizes of the named axes of an object's arrays that are not among the first ones.

    Args:
        arrays: Arrays of ``OBJECT_ARRAYS`` by name.

    Raises:
        ValueError: An array is not of its form, or two do not agree on the size of an axis.
    """
    sizes: dict[str, int] = {}
    for name in order_arrays(arrays):
        for axis, size in OBJECT_ARRAYS[name].measure_axes(arrays[name]).items():
            if sizes.setdefault(axis, size) != size:
                raise ValueError(f"{name} has {size} {axis}, and others have {sizes[axis]}")
    others = [OBJECT_ARRAYS[name] for name in arrays if name not in FIRST_ARRAYS]
    named = {axis for form in others for axis in form.axes} - {VIEWS_AXIS}
    return {axis: size for axis, size in sorted(sizes.items()) if axis in named}
