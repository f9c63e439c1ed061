"""The record of an export, ``export.json``: what the published layout itself has no place for.

With it an exported folder is imported with its name, license, channel order, categories and splits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from turntable.choices import ChannelOrder
from turntable.datasets.convert.folder_layout import make_object_path
from turntable.datasets.files import (
    DATASET_NAME_PATTERN,
    MAX_CATEGORY_LENGTH,
    MAX_ID_LENGTH,
    MAX_LIST_BYTES,
    MAX_OBJECTS,
    FieldError,
    FolderFiles,
    JsonFields,
    parse_json,
    to_canonical_json,
)
from turntable.datasets.manifest import Manifest
from turntable.datasets.manifest_recipe import read_manifest_recipe
from turntable.datasets.objects import SPLITS, ObjectRecord
from turntable.errors import IntegrityError

EXPORT_NAME = "export.json"


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """The id, category and license of an object whose folder's name does not say them."""

    id: str
    category: str
    licence: str = ""


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """Facts about an exported data set."""

    name: str
    recipe: dict[str, Any]
    """The recipe, as ``Recipe.to_dict`` returns it."""
    source: dict[str, Any]
    """The source of the meshes, as the manifest has it."""
    channel_order: ChannelOrder
    """Channel order of the exported pictures."""
    splits: tuple[str, ...]
    """The splits whose lists an export writes at its end."""
    objects: Mapping[str, ObjectFacts]
    """Facts about objects by path; those that their path says are left out."""


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """The contents of ``export.json``."""

    fingerprint: str
    exchange: bool
    """True if red and blue were exchanged."""
    facts: DatasetFacts | None
    """Facts about the data set; None in exports of earlier versions."""

    @classmethod
    def from_manifest(
        cls, manifest: Manifest, objects: Iterable[ObjectRecord], *, exchange: bool
    ) -> "ExportRecord":
        """Make the record of an export.

        Args:
            manifest: Manifest of the data set.
            objects: All of its objects.
            exchange: True to exchange red and blue.
        """
        order = manifest.channel_order
        facts = DatasetFacts(
            manifest.name,
            read_manifest_recipe(manifest).to_dict(),
            manifest.source,
            {"rgb": "bgr", "bgr": "rgb"}[order] if exchange else order,  # pyright: ignore[reportArgumentType]
            manifest.splits,
            dict(_iter_object_facts(objects)),
        )
        return cls(manifest.fingerprint, exchange, facts)

    def is_same_export(self, other: "ExportRecord") -> bool:
        """Return True if another record is of the same data set and channel order."""
        return (self.fingerprint, self.exchange) == (other.fingerprint, other.exchange)

    def to_text(self) -> str:
        """Return the text of the file."""
        table: dict[str, Any] = {"fingerprint": self.fingerprint, "exchange": self.exchange}
        if (facts := self.facts) is not None:
            objects = [
                {"path": path, "id": item.id, "category": item.category, "licence": item.licence}
                for path, item in facts.objects.items()
            ]
            names = ("name", "recipe", "source", "channel_order", "splits")
            table["dataset"] = {name: getattr(facts, name) for name in names} | {"objects": objects}
        return to_canonical_json(table) + "\n"


def read_export_record(files: FolderFiles) -> ExportRecord | None:
    """Read the record of an exported folder; return None if there is none.

    Raises:
        IntegrityError: The file is no such record. The message names the field.
    """
    data = files.read(EXPORT_NAME, MAX_LIST_BYTES)
    if data is None:
        return None
    try:
        fields = JsonFields(parse_json(data))
        fingerprint, exchange = fields.get_digest("fingerprint"), fields.get_flag("exchange")
        facts = _read_facts(fields.get_fields("dataset")) if fields.has("dataset") else None
        fields.check_all_read()
    except FieldError as error:
        raise IntegrityError(
            f"{files.format_name(EXPORT_NAME)}: not the record of an export ({error}); run turntable convert "
            "export again, or remove the file and give the facts as options (--like, --channel-order, ...)"
        ) from None
    return ExportRecord(fingerprint, exchange, facts)


def _iter_object_facts(objects: Iterable[ObjectRecord]) -> Iterable[tuple[str, ObjectFacts]]:
    for item in objects:
        path = make_object_path(item)
        facts = ObjectFacts(item.id, item.category, item.licence)
        if facts != describe_object_path(path):
            yield path, facts


def describe_object_path(path: str) -> ObjectFacts:
    """Return the facts about an object that its path says."""
    return ObjectFacts(path, path.partition("/")[0])


def _read_facts(fields: JsonFields) -> DatasetFacts:
    facts = DatasetFacts(
        name=fields.get_text("name", pattern=DATASET_NAME_PATTERN),
        recipe=fields.get_dict("recipe"),
        source=fields.get_dict("source"),
        channel_order=fields.get_choice("channel_order", get_args(ChannelOrder)),
        splits=fields.get_unique_texts("splits", len(SPLITS), MAX_CATEGORY_LENGTH),
        objects=dict(map(_read_object_facts, fields.iter_fields("objects", MAX_OBJECTS))),
    )
    if not set(facts.splits) <= set(SPLITS):
        fields.raise_error("splits", f"some of {', '.join(SPLITS)}")
    if len({item.id for item in facts.objects.values()}) < len(facts.objects):
        fields.raise_error("objects", "a list of objects with different ids")
    if not isinstance(facts.source.get("licence", ""), str):
        fields.raise_error("source", 'an object whose "licence" is a text')
    fields.check_all_read()
    return facts


def _read_object_facts(fields: JsonFields) -> tuple[str, ObjectFacts]:
    path = fields.get_text("path", MAX_ID_LENGTH)
    facts = ObjectFacts(
        fields.get_text("id", MAX_ID_LENGTH),
        fields.get_text("category", MAX_CATEGORY_LENGTH),
        fields.get_text("licence", default=""),
    )
    fields.check_all_read()
    return path, facts
