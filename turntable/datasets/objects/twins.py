"""The mirrored twins of objects: their ids, and their records.

A twin is the mirror image of an object, x to -x in the object's frame. It is in the same category and split,
and its views have the labels of the object's.
"""

from collections.abc import Iterable
from dataclasses import replace

from turntable.datasets.files import MAX_ID_LENGTH
from turntable.datasets.objects.records import ObjectRecord
from turntable.errors import InvalidInputError, format_text

TWIN_SUFFIX = "~mirrored"
"""End of a twin's id, after the id of its object."""


def make_twin_id(object_id: str) -> str:
    """Return the id of an object's mirrored twin."""
    return object_id + TWIN_SUFFIX


def is_twin(object_id: str) -> bool:
    """Return True for the id of a mirrored twin, in a set that has twins."""
    return object_id.endswith(TWIN_SUFFIX)


def get_base_id(object_id: str) -> str:
    """Return the id of the object of which a twin is the mirror image; of another object, its own."""
    return object_id.removesuffix(TWIN_SUFFIX)


def add_twins(records: Iterable[ObjectRecord]) -> list[ObjectRecord]:
    """Return records, each followed by that of its twin.

    Raises:
        InvalidInputError: An object has the id of a twin, or one that is too long for a twin.
    """
    listed = list(records)
    for record in listed:
        if is_twin(record.id):
            raise InvalidInputError(
                f"{format_text(record.id, 200)}: with mirrored = true, ids that end in {TWIN_SUFFIX} are "
                "those of twins; rename the object, or leave mirrored out of the recipe"
            )
        if len(make_twin_id(record.id)) > MAX_ID_LENGTH:
            raise InvalidInputError(
                f"{format_text(record.id, 200)}: its id is too long for a mirrored twin, which may have "
                f"{MAX_ID_LENGTH} characters; rename the object, or leave mirrored out of the recipe"
            )
    return [item for record in listed for item in (record, replace(record, id=make_twin_id(record.id)))]
