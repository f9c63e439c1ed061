"""The solids by name, their groups, and the numbers in which their instances differ.

The marked ones follow SYMSOL (Murphy et al., 2021, "Implicit-PDF"): a tetrahedron with one face of another
color, a cylinder with a spot on its side, and a sphere with an X. Their marks are at +y.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.solids.surfaces import Array
from turntable.renderer.meshes.symmetry import GOLDEN_RATIO

_TETRAHEDRON = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
_CUBE = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
_OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])
_RECTANGLE = np.array([[0, y, z * GOLDEN_RATIO] for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
_ICOSAHEDRON = np.concatenate([np.roll(_RECTANGLE, turn, axis=1) for turn in range(3)])
_DUAL_RECTANGLE = np.array(
    [[0, y * GOLDEN_RATIO, z / GOLDEN_RATIO] for y in (-1.0, 1.0) for z in (-1.0, 1.0)]
)
_DODECAHEDRON = np.concatenate([_CUBE, *(np.roll(_DUAL_RECTANGLE, turn, axis=1) for turn in range(3))])
MARKED_FACE = np.array([1.0, 1.0, -1.0])
"""Normal of the face of a tetrahedron that has another color."""
_CONE_HEIGHTS = (1.3, 2.4)
"""Range of a cone's height, in radii of its base."""
_CYLINDER_HEIGHTS = (1.2, 3.0)
"""Range of a cylinder's height, in radii."""


@dataclass(frozen=True, slots=True)
class SolidKind:
    """A kind of solid."""

    group: str
    """Name of the group of rotations that leave it as it is, its mark included."""
    shape: str
    """Name of the unmarked solid; its own if it has no mark."""


SOLIDS: Mapping[str, SolidKind] = {
    "tetrahedron": SolidKind("T", "tetrahedron"),
    "cube": SolidKind("O", "cube"),
    "octahedron": SolidKind("O", "octahedron"),
    "dodecahedron": SolidKind("I", "dodecahedron"),
    "icosahedron": SolidKind("I", "icosahedron"),
    "cone": SolidKind("Cinf", "cone"),
    "cylinder": SolidKind("Dinf", "cylinder"),
    "sphere": SolidKind("SO3", "sphere"),
    "tetX": SolidKind("C3", "tetrahedron"),
    "cylO": SolidKind("C1", "cylinder"),
    "sphereX": SolidKind("C1", "sphere"),
}
"""The solids by name."""
SOLID_NAMES = tuple(sorted(SOLIDS))

POLYHEDRA: Mapping[str, tuple[Array, Array]] = {
    "tetrahedron": (_TETRAHEDRON, -_TETRAHEDRON),
    "cube": (_CUBE, _OCTAHEDRON),
    "octahedron": (_OCTAHEDRON, _CUBE),
    "dodecahedron": (_DODECAHEDRON, _ICOSAHEDRON),
    "icosahedron": (_ICOSAHEDRON, _DODECAHEDRON),
}
"""Corners and directions of the faces of the polyhedra, in the frame of ``make_polyhedral_group``."""


def check_instance(name: str, instance: int) -> None:
    """Check that a solid has an instance.

    Raises:
        InvalidInputError: There is no such solid, or the instance is negative.
    """
    check_choice("solid", name, SOLID_NAMES)
    if instance < 0:
        raise InvalidInputError(f"instance {instance} of {name!r}: instances are numbered from 0")


def make_generator(name: str, instance: int, purpose: str = "") -> np.random.Generator:
    """Make the generator of an instance, for one purpose."""
    check_instance(name, instance)
    digest = hashlib.sha256(f"solids/{name}/{instance}{purpose}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def draw_height(name: str, instance: int) -> float:
    """Draw the height of a cone or a cylinder in radii; 0 for other solids."""
    ranges = {"cone": _CONE_HEIGHTS, "cylinder": _CYLINDER_HEIGHTS}
    span = ranges.get(SOLIDS[name].shape)
    return 0.0 if span is None else make_generator(name, instance, "/height").uniform(*span)
