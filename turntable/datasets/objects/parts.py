"""The rigid parts of an object and the joints between them, as the object's record holds them.

An object with parts is an assembly. The object's own frame is that of the assembly at rest. Every part has
a frame of its own, which ``rest_pose`` places in the object's frame at rest. The ``part_pose`` of a view is
the pose of that frame in the world.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.files import MAX_CATEGORY_LENGTH, MAX_ID_LENGTH, JsonFields
from turntable.errors import InvalidInputError

JointKind = Literal["hinge", "slide"]
"""The motion of a joint: a turn about its axis, in radians, or a shift along it, in diagonals."""
PoseRows = tuple[tuple[float, float, float, float], ...]
"""The four rows of a matrix [4, 4]."""
IDENTITY: PoseRows = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))
MAX_PARTS = 64
"""Largest number of parts of an object. The picture of part indices could hold 255."""
MAX_NAME_LENGTH = 60
"""Largest number of characters of a part's name."""
_MAX_COORDINATE = 1e4
_MAX_VALUE = 100.0


@dataclass(frozen=True, slots=True)
class Joint:
    """A joint by which a part moves relative to its parent."""

    kind: JointKind
    axis: tuple[float, float, float]
    """Unit axis in the object's frame at rest. A positive turn is counter-clockwise seen against the axis."""
    origin: tuple[float, float, float]
    """A point on the axis, in the object's frame at rest."""
    low: float
    """Least value, in radians for a hinge and in diagonals for a slide; at 0 the part is at rest."""
    high: float
    """Greatest value."""

    def compute_motions(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the motions [..., 4, 4], in the object's frame, that the joint's values [...] give."""
        return geometry.exp_se3(self.compute_twists(values))

    def compute_twists(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the twists [..., 6], in the object's frame at rest, that lead to values [...]."""
        axis, origin = np.array(self.axis), np.array(self.origin)
        amounts = np.asarray(values, dtype=np.float64)[..., None] * axis
        if self.kind == "slide":
            return np.concatenate([np.zeros_like(amounts), amounts], axis=-1)
        return np.concatenate([amounts, np.cross(origin, amounts)], axis=-1)

    def mirror(self) -> "Joint":
        """Return the joint of the mirror image, x to -x, whose motions at equal values are mirrored."""
        x, y, z = self.axis
        # A mirror turns the axis of a shift as it turns points, and that of a rotation the other way.
        axis = (-x, y, z) if self.kind == "slide" else (x, -y, -z)
        return replace(self, axis=axis, origin=(-self.origin[0], *self.origin[1:]))

    def to_dict(self) -> dict[str, Any]:
        """Return the joint as a table for JSON."""
        return {
            "kind": self.kind,
            "axis": list(self.axis),
            "origin": list(self.origin),
            "low": self.low,
            "high": self.high,
        }

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "Joint":
        """Read what ``to_dict`` wrote, from untrusted JSON. Raises FieldError."""
        a, b, c = fields.get_numbers("axis", 3, -1, 1)
        x, y, z = fields.get_numbers("origin", 3, -_MAX_COORDINATE, _MAX_COORDINATE)
        low, high = (fields.get_number(name, -_MAX_VALUE, _MAX_VALUE) for name in ("low", "high"))
        return cls(fields.get_choice("kind", get_args(JointKind)), (a, b, c), (x, y, z), low, high)


@dataclass(frozen=True, slots=True)
class ObjectPart:
    """A rigid part of an object."""

    name: str
    """Name of the part, such as "lid"; unique in its object."""
    category: str
    """Category of the part: of a composed scene, that of the object; of an articulated object, its role."""
    parent: int | None = None
    """Index of the part that carries this one, which is less than its own; None if nothing does."""
    joint: Joint | None = None
    """Joint to the parent; None if the part moves with its parent, or is free."""
    rest_pose: PoseRows = IDENTITY
    """[4, 4] pose of the part's own frame in the object's frame at rest."""
    object_id: str = ""
    """Id of the object that the part is, in a composed scene; "" otherwise."""

    def mirror(self) -> "ObjectPart":
        """Return the part of the mirror image, x to -x in the object's frame and in the part's own."""
        reflection = np.diag([-1.0, 1.0, 1.0, 1.0])
        pose = reflection @ np.array(self.rest_pose) @ reflection + 0.0  # without negative zeros
        joint = None if self.joint is None else self.joint.mirror()
        return replace(self, joint=joint, rest_pose=to_pose_rows(pose))

    def to_dict(self) -> dict[str, Any]:
        """Return the part as a table for JSON, without what has its default."""
        table: dict[str, Any] = {"name": self.name, "category": self.category}
        table |= {} if self.parent is None else {"parent": self.parent}
        table |= {} if self.joint is None else {"joint": self.joint.to_dict()}
        table |= {} if self.rest_pose == IDENTITY else {"rest_pose": [*map(list, self.rest_pose)]}
        return table | ({"object_id": self.object_id} if self.object_id else {})

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "ObjectPart":
        """Read what ``to_dict`` wrote, from untrusted JSON. Raises FieldError."""
        return cls(
            name=fields.get_text("name", MAX_NAME_LENGTH),
            category=fields.get_text("category", MAX_CATEGORY_LENGTH),
            parent=fields.get_integer("parent", 0, MAX_PARTS - 1) if fields.has("parent") else None,
            joint=Joint.from_fields(fields.get_fields("joint")) if fields.has("joint") else None,
            rest_pose=_read_pose(fields) if fields.has("rest_pose") else IDENTITY,
            object_id=fields.get_text("object_id", MAX_ID_LENGTH, default=""),
        )


def _read_pose(fields: JsonFields) -> PoseRows:
    rows = fields.get_list("rest_pose", 4)
    numbered = JsonFields({str(place): row for place, row in enumerate(rows)}, "rest_pose.")
    read = [
        numbered.get_numbers(name, 4, -_MAX_COORDINATE, _MAX_COORDINATE) for name in numbered.list_names()
    ]
    if len(read) != 4:
        fields.raise_error("rest_pose", "four rows")
    return to_pose_rows(np.array(read))


def to_pose_rows(matrix: NDArray[np.floating]) -> PoseRows:
    """Convert a matrix [4, 4] to the rows that a part holds."""
    return tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in matrix)


def check_parts(parts: Sequence[ObjectPart], location: str) -> None:
    """Check that parts can be one object.

    Args:
        parts: Parts of the object, in order.
        location: Object, for the message.

    Raises:
        InvalidInputError: There are too many parts, two have one name, or one has a parent after itself.
    """
    if len(parts) > MAX_PARTS:
        raise InvalidInputError(f"{location}: {len(parts)} parts; at most {MAX_PARTS} are possible")
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        raise InvalidInputError(f"{location}: two parts have the same name among {', '.join(names)}")
    for index, part in enumerate(parts):
        if part.parent is not None and part.parent >= index:
            raise InvalidInputError(f"{location}: part {part.name} stands before its parent {part.parent}")
        if part.joint is not None and part.parent is None:
            raise InvalidInputError(f"{location}: part {part.name} has a joint and no parent")


def list_joints(parts: Iterable[ObjectPart]) -> tuple[Joint, ...]:
    """Return the joints of an object, in the order of the parts that they move."""
    return tuple(part.joint for part in parts if part.joint is not None)


def get_rest_poses(parts: Sequence[ObjectPart]) -> NDArray[np.float64]:
    """Return the poses [K, 4, 4] of the parts' own frames in the object's frame at rest."""
    return np.array([part.rest_pose for part in parts], dtype=np.float64).reshape(-1, 4, 4)


def compute_joint_motions(parts: Sequence[ObjectPart], values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the motion of each part from rest, in the object's frame, by the joints of the object.

    Args:
        parts: Parts of the object; a part without a joint moves with its parent.
        values: Values [V, J] of the joints, in the order of ``list_joints``.

    Returns:
        [V, K, 4, 4]: a point of part k at p, at rest, is at motion[k] p.
    """
    motions = np.tile(np.eye(4), (len(values), len(parts), 1, 1))
    column = 0
    for index, part in enumerate(parts):
        if part.joint is not None:
            motions[:, index] = part.joint.compute_motions(values[:, column])
            column += 1
        if part.parent is not None:
            motions[:, index] = motions[:, part.parent] @ motions[:, index]
    return motions
