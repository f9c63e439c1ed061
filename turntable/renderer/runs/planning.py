"""What a run sets out to make: which object goes into which shard of which split. Pure but for two lists."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from turntable.datasets import ObjectRecord, Recipe
from turntable.datasets.files import canonical_json, file_sha256
from turntable.datasets.objects import (
    ShardPlan,
    objects_a_shard,
    plan_shards,
    read_lists,
    read_split,
    split_objects,
    stream_places,
    unmatched,
    whole_shapenet,
)
from turntable.errors import InvalidInputError, shown
from turntable.renderer.meshes.sources import MeshSource, SourceObject, twins_of

MOST_DIFFERENCES = 8


@dataclass(frozen=True, slots=True)
class ObjectSelection:
    """A selection of a source's objects for a run, and the lists by which they are divided."""

    objects: int | None = None
    """At most so many, taken in turn from every category."""
    split_files: tuple[Path, ...] = ()
    """Copies of SIE's ``val_images.npy`` and ``train_images.npy``; without them our own rule divides."""
    object_lists: tuple[Path, ...] = ()
    """The lists that a published data set was drawn along; a recipe with numpy's legacy stream reads them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run intends. Two runs of one plan make the same labels, wherever and however they run."""

    recipe: Recipe
    source: Mapping[str, Any]
    """Of the meshes: name, licence, and what else is known of all of them."""
    split: Mapping[str, Any]
    """By what rule the objects are divided."""
    shards: tuple[ShardPlan, ...]

    def to_text(self) -> str:
        """As a file that a resumed run must equal."""
        return canonical_json(self._table()) + "\n"

    def differences(self, text: str) -> list[str]:
        """What another plan, as text, says otherwise: a few words a difference."""
        try:
            other = cast("dict[str, Any]", json.loads(text))
            theirs, ours = _facts(other), _facts(cast("dict[str, Any]", json.loads(self.to_text())))
        except (ValueError, KeyError, TypeError, AttributeError):
            return ["its plan cannot be read"]
        said = [
            f"{name}: {_short(theirs.get(name))} there, {_short(ours.get(name))} now"
            for name in sorted({*theirs, *ours})
            if theirs.get(name) != ours.get(name)
        ]
        return said[:MOST_DIFFERENCES] or ["the objects of its shards"]

    def _table(self) -> dict[str, Any]:
        shards = [
            {"split": item.split, "name": item.name, "objects": [record.id for record in item.objects]}
            for item in self.shards
        ]
        recipe = self.recipe.to_dict()
        return {"recipe": recipe, "source": dict(self.source), "split": dict(self.split), "shards": shards}


def choose_objects(objects: Sequence[SourceObject], count: int | None) -> tuple[SourceObject, ...]:
    """The first ``count`` objects, taken in turn from every category; all of them without a count."""
    if count is None or count >= len(objects):
        return tuple(objects)
    if count < 1:
        raise InvalidInputError(f"--objects {count}: there must be at least one")
    seen: dict[str, int] = {}
    ranked: list[tuple[int, str, SourceObject]] = []
    for item in sorted(objects, key=lambda item: item.id):
        rank = seen[item.category] = seen.get(item.category, -1) + 1
        ranked.append((rank, item.category, item))
    chosen = sorted(ranked, key=lambda entry: entry[:2])[:count]
    return tuple(sorted((item for _, _, item in chosen), key=lambda item: item.id))


def plan(recipe: Recipe, source: MeshSource, selection: ObjectSelection | None = None) -> Plan:
    """Which object goes into which shard; the meshes' digests are filled in when they are loaded.

    Args:
        recipe: What to make.
        source: Of the meshes. Their files' sizes are read, and files of equal size are compared.
        selection: Which of them.

    Raises:
        InvalidInputError: There are no objects, or a list does not fit them.
    """
    selection = selection or ObjectSelection()
    known = source.objects()
    _check_names(known)
    chosen = choose_objects(known, selection.objects)
    splits, rule = _splits(recipe, source, known, chosen, selection.split_files)
    streams = _streams(recipe, known, selection.object_lists)
    records = [
        ObjectRecord(
            item.id, item.category, splits[item.id], source.name, "", stream=_stream(streams, item.id)
        )
        for item in chosen
        if splits[item.id] in recipe.splits
    ]
    if not records:
        raise InvalidInputError(
            f"none of the {len(chosen)} objects is in the split {', '.join(recipe.splits)}; take more objects"
        )
    per_shard = objects_a_shard(recipe.objects_per_shard, len(records))
    described = {"name": source.name, "licence": source.licence, **source.describe()}
    return Plan(recipe, described, rule, plan_shards(records, per_shard, recipe.split_seed))


def _check_names(objects: Sequence[SourceObject]) -> None:
    """Make sure that labels can hold every id; what else is odd in one is its object's fault alone."""
    names = [item.id for item in objects if item.id.encode("utf-8", "ignore").decode() != item.id]
    if names:
        raise InvalidInputError(
            f"{len(names):,} names of meshes are not in UTF-8, such as {shown(names[0])}; rename them"
        )


def _splits(
    recipe: Recipe,
    source: MeshSource,
    known: Sequence[SourceObject],
    chosen: Sequence[SourceObject],
    files: Sequence[Path],
) -> tuple[Mapping[str, str], dict[str, Any]]:
    """The split of each object, and what the plan says of it."""
    if files:
        ids = [item.id for item in known]
        if unmatched(read_split(files), ids).unlisted == len(ids):
            raise InvalidInputError(
                f"no object of {source.name} is in {', '.join(map(str, files))} (there are ids like "
                f"{chosen[0].id}); is it the split of these meshes?"
            )
        listed = read_split(files, ids)
        hashes = {path.name: file_sha256(path) for path in files}
        return {item.id: listed.get(item.id, "unlisted") for item in chosen}, {"rule": "files", **hashes}
    twins = twins_of(source, chosen)
    categories = {item.id: item.category for item in chosen}
    rule = {"rule": "by object, equal meshes on one side", "equal": sum(map(len, twins))}
    return split_objects(categories, recipe.val_fraction, recipe.split_seed, twins), rule


def _streams(
    recipe: Recipe, known: Sequence[SourceObject], files: Sequence[Path]
) -> Mapping[str, tuple[int, int]] | None:
    """Each object's place in the published stream, for a recipe that is drawn along it."""
    if recipe.draws != "numpy-legacy":
        if files:
            raise InvalidInputError(
                f"--object-lists: the recipe {recipe.name} draws every object by itself, along no list; "
                'leave them out, or set draws = "numpy-legacy"'
            )
        return None
    ids = [item.id for item in known]
    lists = read_lists(files, recipe.chunks) if files else whole_shapenet(ids, recipe.chunks)
    return stream_places(lists, recipe.seed)


def _stream(streams: Mapping[str, tuple[int, int]] | None, object_id: str) -> tuple[int, int] | None:
    if streams is None:
        return None
    if object_id not in streams:
        raise InvalidInputError(
            f"{object_id} is not in the object lists, so its published labels are not known; give the lists "
            "that hold it, or leave it out"
        )
    return streams[object_id]


def _facts(table: dict[str, Any]) -> dict[str, Any]:
    """A plan's table, flat, with counts in place of the lists of objects."""
    recipe = dict(table["recipe"])
    factors = {f"factor {name}": value for name, value in recipe.pop("factors").items()}
    split = {f"split {name}": value for name, value in table["split"].items()}
    counted = {
        "objects": sum(len(item["objects"]) for item in table["shards"]),
        "shards": len(table["shards"]),
    }
    source = {f"meshes {name}": value for name, value in table["source"].items()}
    return {**recipe, **factors, **split, **counted, **source}


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
