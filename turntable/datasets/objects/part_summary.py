"""The parts of all objects of a data set in three facts, as the manifest has them."""

from collections.abc import Iterable
from dataclasses import dataclass

from turntable.datasets.objects.parts import list_joints
from turntable.datasets.objects.records import ObjectRecord


@dataclass(frozen=True, slots=True)
class PartSummary:
    """The categories of parts, and the largest numbers of parts and joints; the names are the manifest's."""

    part_categories: tuple[str, ...] = ()
    """The names of the parts' categories, sorted; none if no object has parts."""
    max_parts: int = 0
    """Largest number of parts of an object; 0 if none has parts."""
    max_joints: int = 0
    """Largest number of joints of an object."""


def summarize_parts(objects: Iterable[ObjectRecord]) -> PartSummary:
    """Return the facts about the parts of objects.

    Among objects of which some have parts, an object of one piece is one part of its own category.
    """
    records = tuple(objects)
    max_parts = max((len(item.parts) for item in records), default=0)
    if not max_parts:
        return PartSummary()
    names = {part.category for item in records for part in item.parts}
    names |= {item.category for item in records if not item.parts}
    max_joints = max(len(list_joints(item.parts)) for item in records)
    return PartSummary(tuple(sorted(names)), max_parts, max_joints)
