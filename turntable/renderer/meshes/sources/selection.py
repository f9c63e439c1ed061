"""The choice of some of a source's objects, evenly among its categories."""

from collections.abc import Sequence

from turntable.errors import InvalidInputError
from turntable.renderer.meshes.sources.source import SourceObject


def select_objects(
    objects: Sequence[SourceObject], num_objects: int | None, option: str = "--objects"
) -> tuple[SourceObject, ...]:
    """Return the first ``num_objects`` objects, taken in turn from every category; all of them if None.

    Raises:
        InvalidInputError: ``num_objects`` is below 1.
    """
    if num_objects is None or num_objects >= len(objects):
        return tuple(objects)
    if num_objects < 1:
        raise InvalidInputError(f"{option} {num_objects}: there must be at least one")
    ranks: dict[str, int] = {}  # of the last object of each category so far
    ranked: list[tuple[int, str, SourceObject]] = []
    for item in sorted(objects, key=lambda item: item.id):
        rank = ranks[item.category] = ranks.get(item.category, -1) + 1
        ranked.append((rank, item.category, item))
    chosen = sorted(ranked, key=lambda entry: entry[:2])[:num_objects]
    return tuple(sorted((item for _, _, item in chosen), key=lambda item: item.id))
