"""The facts about a published folder that its pictures and labels do not state.

They come from settings, from the ``export.json`` of a folder that turntable has exported, or are those of the
published 3DIEBench, in this order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from turntable.choices import ChannelOrder, SourceName
from turntable.datasets.convert.export_record import (
    EXPORT_NAME,
    DatasetFacts,
    ObjectFacts,
    describe_object_path,
    read_export_record,
)
from turntable.datasets.files import FolderFiles
from turntable.datasets.recipes import Recipe, load_recipe
from turntable.errors import InvalidInputError, format_text

PUBLISHED_LICENSE = "ShapeNet terms of use (non-commercial research); see shapenet.org/terms"


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """Settings of an import: facts that the files themselves do not state.

    A fact that is None is that of the folder's ``export.json`` if turntable has exported it; else the default
    below.
    """

    channel_order: ChannelOrder | None = None
    """Channel order of the JPEGs; by default "bgr": the published generators exchange red and blue."""
    like: str | None = None
    """Recipe whose ranges the labels keep; by default 3diebench or 3diebench-t, by the number of labels."""
    name: str | None = None
    """Name of the data set; by default the recipe's name with "-imported"."""
    source: SourceName | None = None
    """Source of the meshes; by default "shapenet"."""
    license: str | None = None
    """License of the meshes; by default ShapeNet's terms of use."""
    num_views: int | None = None
    """Number of views of each object; None: as many as most of the first objects have."""


@dataclass(frozen=True, slots=True)
class ImportOrigin:
    """Everything about a published folder that its pictures and labels do not state."""

    channel_order: ChannelOrder
    recipe: Recipe | None
    """Recipe whose ranges the labels keep; None to choose by the number of labels."""
    name: str | None
    source: dict[str, Any]
    """The source of the meshes, for the manifest."""
    source_name: SourceName
    split_lists: tuple[Path, ...]
    num_views: int | None
    facts: DatasetFacts | None = None
    """Facts of the folder's ``export.json``."""

    @property
    def is_exported(self) -> bool:
        """True if the folder's own record describes it."""
        return self.facts is not None

    def describe_object(self, path: str) -> ObjectFacts:
        """Return the id, category and license of the object in a folder."""
        known = {} if self.facts is None else self.facts.objects
        return known.get(path) or describe_object_path(path)


def find_origin(
    files: FolderFiles, settings: ImportSettings, split_lists: Sequence[Path], warn: Callable[[str], None]
) -> ImportOrigin:
    """Find the facts about a published folder.

    Args:
        files: Files of the folder.
        settings: Facts that the user gives. They have precedence.
        split_lists: Lists of the splits that the user gives.
        warn: Function called with a text about each setting that contradicts ``export.json``.

    Raises:
        InvalidInputError: There is no such recipe, or the export is not finished.
        IntegrityError: ``export.json`` is damaged.
    """
    record = read_export_record(files)
    facts = None if record is None else record.facts
    if record is not None and facts is None:
        warn(
            f"{files.format_name(EXPORT_NAME)} is of an earlier version, which did not record recipe, "
            "channel order and license; export again, or give --like, --channel-order, --source and --licence"
        )
    for text in _find_contradictions(settings, facts):
        warn(f"{text}, as {files.format_name(EXPORT_NAME)} has it; your option is used")
    source_name = settings.source or (cast("SourceName", facts.recipe.get("source")) if facts else "shapenet")
    return ImportOrigin(
        settings.channel_order or (facts.channel_order if facts else "bgr"),
        _find_recipe(files, settings.like, facts),
        settings.name or (facts.name if facts else None),
        _describe_source(settings, facts, source_name),
        source_name,
        tuple(split_lists) or _find_lists(files, facts),
        settings.num_views,
        facts,
    )


def _find_contradictions(settings: ImportSettings, facts: DatasetFacts | None) -> list[str]:
    if facts is None:
        return []
    pairs = (
        ("--channel-order", settings.channel_order, facts.channel_order),
        ("--source", settings.source, facts.recipe.get("source")),
        ("--licence", settings.license, facts.source.get("licence")),
    )
    return [
        f"{option} {given} is not {format_text(str(stated))}"
        for option, given, stated in pairs
        if given is not None and given != stated
    ]


def _find_recipe(files: FolderFiles, like: str | None, facts: DatasetFacts | None) -> Recipe | None:
    if like is not None or facts is None:
        return None if like is None else load_recipe(like)
    return Recipe.from_dict(facts.recipe, f"in {files.format_name(EXPORT_NAME)}")


def _describe_source(
    settings: ImportSettings, facts: DatasetFacts | None, source_name: SourceName
) -> dict[str, Any]:
    known = {"name": source_name, "licence": PUBLISHED_LICENSE} if facts is None else dict(facts.source)
    given = {"name": settings.source, "licence": settings.license}
    return known | {key: value for key, value in given.items() if value is not None}


def _find_lists(files: FolderFiles, facts: DatasetFacts | None) -> tuple[Path, ...]:
    """Return the paths of the lists that an export has written; none if the folder is not one."""
    paths = [files.root / f"{split}_images.npy" for split in (facts.splits if facts else ())]
    for path in paths:
        if not path.exists():
            raise InvalidInputError(
                f"{path} is missing, so the export in this folder is not finished; run turntable convert "
                "export again, or give lists with --split"
            )
    return tuple(paths)


def describe_imported(like: Recipe) -> Recipe:
    """Return the recipe of labels and pictures that were imported, without what only drawing them needs.

    The columns that a rule determines (rotations on SO(3), motions) become factors of the same ranges. The
    published layout has pictures alone, so there are no other outputs.

    Args:
        like: Recipe whose ranges the labels keep.
    """
    left_out = ("rotation", "sequence", "scene", "joints", "chunks", "outputs", "points")
    table = {key: value for key, value in like.to_dict().items() if key not in left_out}
    ranges = {factor.name: {"low": factor.low, "high": factor.high} for factor in like.factors}
    return Recipe.from_dict(
        {**table, "draws": "imported", "factors": ranges | table["factors"]}, f"{like.name} (imported)"
    )
