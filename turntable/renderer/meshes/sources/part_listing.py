"""The parts and joints of a source's objects as lines of text, for ``turntable inspect``."""

import math

from turntable.datasets.objects import Joint, ObjectPart
from turntable.errors import InvalidInputError, MeshError, format_text
from turntable.renderer.meshes.sources.source import MeshSource, load_mesh


def format_parts(source: MeshSource) -> tuple[str, ...]:
    """Load every object of a source, and format its parts and joints: a line for each object and part.

    Raises:
        InvalidInputError: The source has no objects.
    """
    objects = source.list_objects()
    families = len({item.category for item in objects})
    rows = [f"{_count(len(objects), 'object')} of {families} {'family' if families == 1 else 'families'}:"]
    for item in objects:
        try:
            rows += _format_object(item.id, load_mesh(source, item.id).parts)
        except (MeshError, InvalidInputError) as error:
            rows.append(f"  {format_text(item.id)}: would be left out: {format_text(str(error), 400)}")
    return tuple(rows)


def _format_object(object_id: str, parts: tuple[ObjectPart, ...]) -> list[str]:
    num_joints = sum(part.joint is not None for part in parts)
    counts = f"{_count(len(parts), 'part')}, {_count(num_joints, 'joint')}" if parts else "one piece"
    return [f"  {format_text(object_id)}: {counts}", *(f"    {_format_part(part, parts)}" for part in parts)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _format_part(part: ObjectPart, parts: tuple[ObjectPart, ...]) -> str:
    role = "" if part.category == part.name else f" ({format_text(part.category)})"
    on = "" if part.parent is None else f" on {format_text(parts[part.parent].name)}"
    return (
        format_text(part.name) + role + on + ("" if part.joint is None else f": {_format_joint(part.joint)}")
    )


def _format_joint(joint: Joint) -> str:
    axis = ", ".join(f"{value:g}" for value in joint.axis)
    if joint.kind == "hinge":
        low, high = (math.degrees(value) for value in (joint.low, joint.high))
        return f"hinge about ({axis}), {low:.0f} to {high:.0f} degrees"
    return f"slide along ({axis}), {joint.low:.3f} to {joint.high:.3f} diagonals"
