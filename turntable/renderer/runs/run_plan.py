"""The plan of a run: which object goes into which shard of which split.

Planning reads no meshes. It depends on the recipe and on the lists of objects and files alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from turntable.datasets import ObjectRecord, Recipe
from turntable.datasets.files import compute_file_sha256, to_canonical_json
from turntable.datasets.objects import (
    SCENES_TEXT,
    SPLIT_RULE_TEXTS,
    ShardPlan,
    add_twins,
    compute_objects_per_shard,
    count_unmatched,
    find_stream_positions,
    make_shapenet_lists,
    plan_shards,
    read_lists,
    read_split,
    split_objects,
)
from turntable.errors import InvalidInputError, format_text
from turntable.renderer.meshes.sources import (
    MeshSource,
    SceneSource,
    SourceObject,
    SplitFinder,
    SymmetrySource,
    check_scene_source,
    find_duplicates,
    select_objects,
)
from turntable.renderer.runs.split_warnings import find_split_warnings, suggest_split_remedy

MAX_DIFFERENCES = 8
"""Largest number of differences between two plans that a message lists."""


@dataclass(frozen=True, slots=True)
class ObjectSelection:
    """A selection of a source's objects for a run, and the lists that split them."""

    num_objects: int | None = None
    """Largest number of objects, taken in turn from every category; all of them if None."""
    split_files: tuple[Path, ...] = ()
    """Copies of SIE's ``val_images.npy`` and ``train_images.npy``; without them the recipe's rule splits."""
    object_lists: tuple[Path, ...] = ()
    """Lists that a published data set was drawn along; for recipes that use numpy's legacy random stream."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The plan of a run. Two runs with equal plans make the same labels, wherever and however they run."""

    recipe: Recipe
    source: Mapping[str, Any]
    """Facts about the meshes: the source's name, the license, and more that holds for all of them."""
    split: Mapping[str, Any]
    """Rule that splits the objects."""
    shards: tuple[ShardPlan, ...]
    warnings: tuple[str, ...] = ()
    """Texts on splits that came out empty, and on categories that only val has."""

    def to_text(self) -> str:
        """Return the plan as the text of ``plan.json``; a resumed run must have the same text."""
        return to_canonical_json(self._to_table()) + "\n"

    def list_differences(self, text: str) -> list[str]:
        """List the differences to another plan, given as text: at most ``MAX_DIFFERENCES`` short texts."""
        try:
            theirs, ours = (
                _flatten_table(cast("dict[str, Any]", json.loads(plan))) for plan in (text, self.to_text())
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return ["its plan cannot be read"]
        differences = [
            f"{name}: {_format_short(theirs.get(name))} there, {_format_short(ours.get(name))} now"
            for name in sorted({*theirs, *ours})
            if theirs.get(name) != ours.get(name)
        ]
        return differences[:MAX_DIFFERENCES] or ["the objects of its shards"]

    def _to_table(self) -> dict[str, Any]:
        shards = [
            {"split": item.split, "name": item.name, "objects": [record.id for record in item.objects]}
            for item in self.shards
        ]
        recipe = self.recipe.to_plain_dict()
        return {"recipe": recipe, "source": dict(self.source), "split": dict(self.split), "shards": shards}


def plan_run(
    recipe: Recipe,
    source: MeshSource,
    selection: ObjectSelection | None = None,
    strict: Sequence[str] = (),
) -> RunPlan:
    """Decide which object goes into which shard. The meshes' digests are filled in when they are loaded.

    Args:
        recipe: Recipe of the data set.
        source: Source of the meshes. The sizes of their files are read, and files of equal size are compared.
        selection: Objects to take; all of them if None.
        strict: Kinds of warnings with which an object is left out. They decide which objects the data set
            has, so the plan and the manifest name them among the facts about the meshes.

    Raises:
        InvalidInputError: There are no objects, or a list does not fit them.
    """
    check_scene_source(recipe, source)
    selection = selection or ObjectSelection()
    known = source.list_objects()
    _check_names(known)
    chosen = select_objects(known, selection.num_objects)
    splits, rule = _assign_splits(recipe, source, known, chosen, selection.split_files)
    categories = {item.id: item.category for item in chosen}
    warnings = find_split_warnings(recipe, categories, splits, by_lists=bool(selection.split_files))
    streams = _find_stream_places(recipe, known, selection.object_lists)
    records = [
        ObjectRecord(
            item.id,
            item.category,
            splits[item.id],
            source.name,
            "",
            stream=_get_stream_place(streams, item.id),
        )
        for item in chosen
        if splits[item.id] in recipe.splits
    ]
    if not records:
        raise InvalidInputError(
            f"none of the {len(chosen):,} objects is in the split {', '.join(recipe.splits)}; "
            f"{suggest_split_remedy(bool(selection.split_files), 'larger')}"
        )
    records = add_twins(records) if recipe.mirrored else records
    per_shard = compute_objects_per_shard(recipe.objects_per_shard, len(records))
    described = {"name": source.name, "licence": source.license, **source.describe()}
    described |= {"strict": list(strict)} if strict else {}
    shards = plan_shards(records, per_shard, recipe.split_seed)
    return RunPlan(recipe, described, rule, shards, warnings)


def _check_names(objects: Sequence[SourceObject]) -> None:
    """Check that labels can hold every object id; whatever else is odd in an id harms its object alone.

    Raises:
        InvalidInputError: An id is not in UTF-8.
    """
    names = [item.id for item in objects if item.id.encode("utf-8", "ignore").decode() != item.id]
    if names:
        raise InvalidInputError(
            f"{len(names):,} names of meshes are not in UTF-8, such as {format_text(names[0])}; rename them"
        )


def _assign_splits(
    recipe: Recipe,
    source: MeshSource,
    known: Sequence[SourceObject],
    chosen: Sequence[SourceObject],
    files: Sequence[Path],
) -> tuple[Mapping[str, str], dict[str, Any]]:
    """Return the split of each object's id, and the plan's entry about the rule that split them."""
    if isinstance(source, SceneSource):
        return _assign_scene_splits(source, chosen, files)
    if files:
        ids = [item.id for item in known]
        if count_unmatched(read_split(files), ids).num_unlisted == len(ids):
            raise InvalidInputError(
                f"no object of {source.name} is in {', '.join(map(str, files))} (there are ids like "
                f"{chosen[0].id}); is it the split of these meshes?"
            )
        listed = read_split(files, ids)
        hashes = {path.name: compute_file_sha256(path) for path in files}
        return {item.id: listed.get(item.id, "unlisted") for item in chosen}, {"rule": "files", **hashes}
    divider = source.source if isinstance(source, SymmetrySource) else source
    if isinstance(divider, SplitFinder):
        return _find_own_splits(recipe, divider, chosen), {"rule": divider.split_text}
    # Objects with equal meshes go to the same split: else the test would hold objects seen in training.
    equal = find_duplicates(source, chosen)
    categories = {item.id: item.category for item in chosen}
    splits = split_objects(categories, recipe.val_fraction, recipe.split_seed, equal, recipe.split_rule)
    return splits, {"rule": SPLIT_RULE_TEXTS[recipe.split_rule], "equal": sum(map(len, equal))}


def _find_own_splits(
    recipe: Recipe, source: SplitFinder, chosen: Sequence[SourceObject]
) -> Mapping[str, str]:
    """Return the split of each object as its source says it."""
    fraction, seed = recipe.val_fraction, recipe.split_seed
    return {item.id: source.find_split(item.id, fraction, seed) for item in chosen}


def _assign_scene_splits(
    source: SceneSource, chosen: Sequence[SourceObject], files: Sequence[Path]
) -> tuple[Mapping[str, str], dict[str, Any]]:
    """Return the split of each scene, which is that of all its objects, and the plan's entry."""
    if files:
        raise InvalidInputError(
            "--split: lists divide objects, and this recipe composes them into scenes, which it divides "
            "itself; leave the option out"
        )
    return {item.id: source.get_split(item.id) for item in chosen}, {"rule": SCENES_TEXT}


def _find_stream_places(
    recipe: Recipe, known: Sequence[SourceObject], files: Sequence[Path]
) -> Mapping[str, tuple[int, int]] | None:
    """Return each object's place in the published stream, for a recipe that draws along it; else None."""
    if recipe.draws != "numpy-legacy":
        if files:
            raise InvalidInputError(
                f"--object-lists: the recipe {recipe.name} draws each object independently and uses no "
                'lists; leave the option out, or set draws = "numpy-legacy"'
            )
        return None
    ids = [item.id for item in known]
    lists = read_lists(files, recipe.chunks) if files else make_shapenet_lists(ids, recipe.chunks)
    return find_stream_positions(lists, recipe.seed)


def _get_stream_place(
    streams: Mapping[str, tuple[int, int]] | None, object_id: str
) -> tuple[int, int] | None:
    """Return an object's place in the published stream; None if the recipe does not draw along it.

    Raises:
        InvalidInputError: The object is not in the lists.
    """
    if streams is None:
        return None
    if object_id not in streams:
        raise InvalidInputError(
            f"{object_id} is not in the object lists, so its published labels are not known; give the lists "
            "that hold it, or leave it out"
        )
    return streams[object_id]


def _flatten_table(table: dict[str, Any]) -> dict[str, Any]:
    """Return a plan's table without nesting, with counts in place of the lists of objects."""
    recipe = dict(table["recipe"])
    factors = {f"factor {name}": value for name, value in recipe.pop("factors").items()}
    split = {f"split {name}": value for name, value in table["split"].items()}
    counts = {
        "objects": sum(len(item["objects"]) for item in table["shards"]),
        "shards": len(table["shards"]),
    }
    facts = dict(table["source"])
    strict = {"strict": facts.pop("strict")} if "strict" in facts else {}
    source = {f"meshes {name}": value for name, value in facts.items()}
    return {**recipe, **factors, **split, **counts, **source, **strict}


def _format_short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
