"""Survey of a folder of meshes before rendering: its source, its objects, and what is wrong with them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from turntable.errors import format_text
from turntable.renderer.meshes.sources.detection import detect_source
from turntable.renderer.meshes.sources.duplicates import find_duplicates
from turntable.renderer.meshes.sources.registry import open_source
from turntable.renderer.meshes.sources.shapenet_facts import get_known_faults, get_synset_names
from turntable.renderer.meshes.sources.source import MeshSource

MAX_ROWS = 12
"""Most rows of a list. One more row says how many are left out."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The findings about a folder of meshes."""

    source: str
    """Name of the source."""
    license: str
    """License of the meshes as a whole."""
    facts: Mapping[str, Any]
    """Description by the source itself (``MeshSource.describe``)."""
    categories: Mapping[str, int]
    """Number of objects of each category."""
    duplicates: tuple[tuple[str, ...], ...]
    """Groups of ids that are one mesh."""
    category_conflicts: Mapping[tuple[str, str], int]
    """Number of meshes that stand in both of two categories."""
    known_faults: Mapping[str, str]
    """Known faults of objects, by id."""
    num_conflicting: int
    """Number of objects whose mesh also stands in another category."""

    @property
    def num_objects(self) -> int:
        """Number of objects."""
        return sum(self.categories.values())


def survey_folder(path: Path, *, links_under: Iterable[str | Path] = ()) -> Survey:
    """Survey a folder, after detecting its source.

    Args:
        path: The folder.
        links_under: Folders that links below it may lead into, besides the folder itself.

    Raises:
        InvalidInputError: The folder holds no meshes, or is incomplete.
    """
    return survey_source(open_detected_source(path, links_under=links_under))


def open_detected_source(
    path: Path, name: str | None = None, *, links_under: Iterable[str | Path] = ()
) -> MeshSource:
    """Open the source of a folder.

    Args:
        path: The folder.
        name: Name of the source; None to detect it.
        links_under: Folders that links below the folder may lead into, besides the folder itself.

    Raises:
        InvalidInputError: The path is not a folder, or the name is not that of a source.
    """
    return open_source(name or detect_source(path), path, links_under=links_under)


def survey_source(source: MeshSource) -> Survey:
    """Survey a source. No mesh is loaded; files of equal size are read to compare them.

    Raises:
        InvalidInputError: The source has no objects, or is incomplete.
    """
    objects = source.list_objects()
    category = {item.id: item.category for item in objects}
    duplicates = find_duplicates(source, objects)
    faults = get_known_faults() if source.name in ("shapenet", "shapenet-v1") else {}
    categories = [sorted({category[name] for name in group}) for group in duplicates]
    conflicts = Counter(pair for names in categories for pair in combinations(names, 2))
    return Survey(
        source=source.name,
        license=source.license,
        facts=source.describe(),
        categories=dict(sorted(Counter(category.values()).items())),
        duplicates=duplicates,
        category_conflicts=dict(sorted(conflicts.items(), key=lambda entry: (-entry[1], entry[0]))),
        known_faults={name: faults[name] for name in sorted(faults) if name in category},
        num_conflicting=sum(
            len(group) for group, names in zip(duplicates, categories, strict=True) if len(names) > 1
        ),
    )


def format_survey(survey: Survey) -> tuple[str, ...]:
    """Format the survey as lines of text."""
    num_duplicates = sum(map(len, survey.duplicates))
    rows = [
        f"source: {survey.source}",
        f"license: {survey.license}",
        f"objects: {survey.num_objects:,} in {len(survey.categories)} categories",
        *(
            f"{name.replace('_', ' ')}: {_format_value(value)}"
            for name, value in survey.facts.items()
            if _is_informative(name, value)
        ),
        *_limit_rows(
            [f"  {_format_category(name)}: {count:,}" for name, count in survey.categories.items()],
            "categories",
        ),
        f"objects that share a mesh: {num_duplicates:,}, of {len(survey.duplicates):,} meshes",
        f"of them in several categories: {survey.num_conflicting:,}",
        *_limit_rows(
            [
                f"  {_format_category(one)} and {_format_category(two)}: {count:,}"
                for (one, two), count in survey.category_conflicts.items()
            ],
            "pairs of categories",
        ),
        # Only ShapeNet has a list. Of others, a zero would read as if their meshes were sound.
        *([f"on the lists of ShapeNet's faults: {len(survey.known_faults)}"] if survey.known_faults else []),
        *_limit_rows([f"  {name}: {fault}" for name, fault in survey.known_faults.items()], "objects"),
    ]
    return tuple(rows)


def _is_informative(name: str, value: object) -> bool:
    """Return True if a fact is worth a row: not a count that has one already, and not empty or zero."""
    return name not in ("objects", "categories") and value not in ([], 0)


def _format_value(value: object) -> str:
    """Format a fact. Of a list, the first five items are shown."""
    if not isinstance(value, list):
        return f"{value:,}" if isinstance(value, int) else str(value)
    shown = ", ".join(_format_category(str(item)) for item in value[:5])
    return shown if len(value) <= 5 else f"{shown} and {len(value) - 5} more"


def _format_category(category: str) -> str:
    """Format a category, with its name if it is a synset."""
    names = get_synset_names(category)
    return f"{category} ({names[0]})" if names else format_text(category)


def _limit_rows(rows: list[str], unit: str) -> list[str]:
    """Return at most ``MAX_ROWS`` rows, and one that says how many more there are."""
    return rows if len(rows) <= MAX_ROWS else [*rows[:MAX_ROWS], f"  and {len(rows) - MAX_ROWS} more {unit}"]
