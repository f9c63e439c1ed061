"""Objects of several rigid parts: assemblies that hinges and slides join."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from turntable.datasets.objects import Joint, ObjectPart, to_pose_rows
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.mesh_parts import join_parts
from turntable.renderer.meshes.zoo.assembly import (
    TOWARDS_CAMERA,
    Assembly,
    Placement,
    compute_placement,
    round_to_grid,
)
from turntable.renderer.meshes.zoo.solid import Array

AxisName = Literal["x", "y", "z"]
Point = tuple[float, float, float]

_AXES: dict[AxisName, Point] = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Hinge:
    """A hinge about a coordinate axis, in the unit and the directions of an object being built."""

    axis: AxisName
    at: Point
    """A point on the axis."""
    low: float
    """Least angle in degrees, counter-clockwise seen against the axis; at 0 the part is as built."""
    high: float
    """Greatest angle in degrees."""

    def make_joint(self, placement: Placement) -> Joint:
        """Return the hinge of the finished mesh."""
        low, high = _round_numbers(np.radians((self.low, self.high)))
        return Joint("hinge", _turn_axis(self.axis), _place_point(self.at, placement), low, high)


@dataclass(frozen=True, slots=True)
class Slide:
    """A slide along a coordinate axis, in the unit and the directions of an object being built."""

    axis: AxisName
    at: Point
    """A point on the axis."""
    low: float
    """Least shift; at 0 the part is as built."""
    high: float
    """Greatest shift."""

    def make_joint(self, placement: Placement) -> Joint:
        """Return the slide of the finished mesh."""
        low, high = _round_numbers(np.array((self.low, self.high)) / placement.diagonal)
        return Joint("slide", _turn_axis(self.axis), _place_point(self.at, placement), low, high)


@dataclass(frozen=True, slots=True)
class _Link:
    """A part of an articulated object being built."""

    name: str
    category: str
    assembly: Assembly
    parent: str | None
    joint: Hinge | Slide | None


@dataclass(frozen=True, slots=True, eq=False)
class Articulation:
    """An articulated object being built: parts as assemblies, and the joint of each to its parent.

    Objects are built facing -y, as those of the zoo are.
    """

    links: list[_Link] = field(default_factory=list[_Link])

    def add_part(
        self,
        name: str,
        assembly: Assembly,
        *,
        category: str = "",
        parent: str | None = None,
        joint: Hinge | Slide | None = None,
    ) -> "Articulation":
        """Add a part, and return the articulation itself.

        Args:
            name: Name of the part.
            assembly: The part where it is at rest.
            category: Role of the part; its name if there is no other.
            parent: Name of the part that carries it, which was added before; None for the first.
            joint: Joint to the parent.
        """
        self.links.append(_Link(name, category or name, assembly, parent, joint))
        return self

    def build_mesh(self, location: str) -> Mesh:
        """Build the finished mesh: at rest, centered on the origin, its diagonal is 1.

        The own frame of a part has the axes of the object's, and its origin on the axis of the part's joint.

        Args:
            location: Object, for messages.
        """
        placement = compute_placement([link.assembly for link in self.links])
        names = [link.name for link in self.links]
        parts = [_make_part(link, names, placement) for link in self.links]
        meshes = [
            _move_origin(link.assembly.build_mesh(placement), part)
            for link, part in zip(self.links, parts, strict=True)
        ]
        return join_parts(meshes, parts, location)


def _make_part(link: _Link, names: list[str], placement: Placement) -> ObjectPart:
    joint = None if link.joint is None else link.joint.make_joint(placement)
    pose = np.eye(4)
    if joint is not None:
        pose[:3, 3] = joint.origin
    parent = None if link.parent is None else names.index(link.parent)
    return ObjectPart(link.name, link.category, parent, joint, to_pose_rows(pose))


def _move_origin(mesh: Mesh, part: ObjectPart) -> Mesh:
    """Return a part's mesh in its own frame. Both are on the grid, so the difference is exact."""
    origin = (0.0, 0.0, 0.0) if part.joint is None else part.joint.origin
    return replace(mesh, positions=mesh.positions - np.array(origin, dtype=np.float32))


def _turn_axis(axis: AxisName) -> Point:
    x, y, z = (np.array(_AXES[axis]) * TOWARDS_CAMERA + 0.0).tolist()
    return x, y, z


def _place_point(point: Point, placement: Placement) -> Point:
    x, y, z = _round_numbers(placement.place_points(np.array([point]))[0])
    return x, y, z


def _round_numbers(values: Array) -> list[float]:
    """Round to the grid of finished meshes, on which numbers are the same everywhere."""
    return [float(value) for value in round_to_grid(values)]
