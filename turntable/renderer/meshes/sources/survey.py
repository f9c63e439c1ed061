"""A folder of meshes looked over before anything is rendered: what it is, what it holds, what is wrong."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from turntable.errors import shown
from turntable.renderer.meshes.sources.detect import detect_source
from turntable.renderer.meshes.sources.known_shapenet import known_bad, names_of
from turntable.renderer.meshes.sources.opening import open_source
from turntable.renderer.meshes.sources.source import MeshSource
from turntable.renderer.meshes.sources.twins import twins_of

MOST_ROWS = 12
"""Of one kind; how many more there are is said."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found."""

    source: str
    licence: str
    facts: Mapping[str, Any]
    """As the source describes itself."""
    categories: Mapping[str, int]
    """Objects of each category."""
    twins: tuple[tuple[str, ...], ...]
    """Groups of ids that are one mesh."""
    conflicts: Mapping[tuple[str, str], int]
    """How many meshes stand in both of two categories."""
    bad: Mapping[str, str]
    """Objects that are known to have a fault, and which."""
    conflicting: int
    """Objects whose mesh has another label too."""

    @property
    def num_objects(self) -> int:
        """All of them."""
        return sum(self.categories.values())


def survey_folder(path: Path) -> Survey:
    """Look over a folder, whatever source it is for.

    Raises:
        InvalidInputError: It holds no meshes, or is not whole.
    """
    return survey(open_source(detect_source(path), path))


def survey(source: MeshSource) -> Survey:
    """Look over a source. Files of equal size are read to see whether they are equal; no mesh is loaded.

    Raises:
        InvalidInputError: It has no objects, or is not whole.
    """
    objects = source.objects()
    category = {item.id: item.category for item in objects}
    twins = twins_of(source, objects)
    bad = known_bad() if source.name in ("shapenet", "shapenet-v1") else {}
    labels = [sorted({category[name] for name in group}) for group in twins]
    conflicts = Counter(pair for names in labels for pair in combinations(names, 2))
    return Survey(
        source=source.name,
        licence=source.licence,
        facts=source.describe(),
        categories=dict(sorted(Counter(category.values()).items())),
        twins=twins,
        conflicts=dict(sorted(conflicts.items(), key=lambda entry: (-entry[1], entry[0]))),
        bad={name: bad[name] for name in sorted(bad) if name in category},
        conflicting=sum(len(group) for group, names in zip(twins, labels, strict=True) if len(names) > 1),
    )


def survey_rows(found: Survey) -> tuple[str, ...]:
    """The survey as lines of text."""
    rows = [
        f"source: {found.source}",
        f"licence: {found.licence}",
        f"objects: {found.num_objects:,} in {len(found.categories)} categories",
        *(
            f"{name.replace('_', ' ')}: {_value(value)}"
            for name, value in found.facts.items()
            if _telling(name, value)
        ),
        *_some([f"  {_named(name)}: {count:,}" for name, count in found.categories.items()], "categories"),
        f"objects that share a mesh: {sum(map(len, found.twins)):,}, of {len(found.twins):,} meshes",
        f"of them under several labels: {found.conflicting:,}",
        *_some(
            [
                f"  {_named(one)} and {_named(two)}: {count:,}"
                for (one, two), count in found.conflicts.items()
            ],
            "pairs of categories",
        ),
        f"known to have faults: {len(found.bad)}",
        *_some([f"  {name}: {fault}" for name, fault in found.bad.items()], "objects"),
    ]
    return tuple(rows)


def _telling(name: str, value: object) -> bool:
    return name not in ("objects", "categories") and value not in ([], 0)


def _value(value: object) -> str:
    if not isinstance(value, list):
        return f"{value:,}" if isinstance(value, int) else str(value)
    shown = ", ".join(_named(str(item)) for item in value[:5])
    return shown if len(value) <= 5 else f"{shown} and {len(value) - 5} more"


def _named(category: str) -> str:
    names = names_of(category)
    return f"{category} ({names[0]})" if names else shown(category)


def _some(rows: list[str], what: str) -> list[str]:
    return (
        rows if len(rows) <= MOST_ROWS else [*rows[:MOST_ROWS], f"  and {len(rows) - MOST_ROWS} more {what}"]
    )
