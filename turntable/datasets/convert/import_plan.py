"""The plan of an import: which object goes into which shard of which split, and which are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from turntable.datasets.convert.import_origin import ImportOrigin
from turntable.datasets.files import to_canonical_json
from turntable.datasets.objects import (
    ObjectRecord,
    QuarantineRecord,
    ShardPlan,
    compute_objects_per_shard,
    plan_shards,
    read_split,
    split_objects,
)
from turntable.datasets.recipes import Recipe
from turntable.datasets.writing import FolderDestination
from turntable.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The objects of an import, and the shards that are to hold them."""

    recipe: Recipe
    shards: tuple[ShardPlan, ...]
    paths: Mapping[str, str]
    """The path of each object's folder, by its id."""
    left_out: tuple[QuarantineRecord, ...]

    def to_text(self) -> str:
        """Return the text that marks a folder as this import's."""
        shards = [
            {"split": item.split, "name": item.name, "objects": [record.id for record in item.objects]}
            for item in self.shards
        ]
        plan = {"recipe": self.recipe.to_plain_dict(), "left_out": len(self.left_out), "shards": shards}
        return to_canonical_json(plan) + "\n"


def begin_import(
    destination: FolderDestination, ids: Sequence[str], recipe: Recipe, origin: ImportOrigin
) -> ImportPlan:
    """Mark a folder as this import's, or go on with what an earlier call, or an earlier version, has begun.

    Raises:
        InvalidInputError: The folder holds something else.
    """
    earlier_text = destination.read_plan()
    plan = _plan_import(ids, recipe, origin)
    if earlier_text is None:
        destination.write_plan(plan.to_text())
    elif earlier_text != plan.to_text():
        plan = _plan_import(ids, recipe.replace(split_rule="each-category"), origin)
        if earlier_text != plan.to_text():
            raise InvalidInputError(
                f"{destination.path_or_url} holds an import of other objects, or one with other arguments; "
                "give the arguments it was begun with, or choose another --out"
            )
    return plan


def _plan_import(ids: Sequence[str], recipe: Recipe, origin: ImportOrigin) -> ImportPlan:
    records, left_out = _make_records(ids, recipe, origin)
    per_shard = compute_objects_per_shard(recipe.objects_per_shard, len(records))
    shards = plan_shards(records.values(), per_shard, recipe.split_seed)
    paths = {record.id: path for path, record in records.items()}
    return ImportPlan(recipe, shards, paths, tuple(left_out))


def _make_records(
    ids: Sequence[str], recipe: Recipe, origin: ImportOrigin
) -> tuple[dict[str, ObjectRecord], list[QuarantineRecord]]:
    """Return the records of the objects to import, by path, and of those left out."""
    facts = {name: origin.describe_object(name) for name in ids}
    left_out: list[QuarantineRecord] = []
    if not origin.split_lists and len(recipe.splits) == 1:
        splits = dict.fromkeys(ids, recipe.splits[0])
    elif not origin.split_lists:
        categories = {name: item.category for name, item in facts.items()}
        splits = split_objects(categories, recipe.val_fraction, recipe.split_seed, rule=recipe.split_rule)
    else:
        splits = read_split(origin.split_lists, () if origin.is_exported else ids)
        absent = sorted(splits.keys() - facts.keys())
        left_out += [QuarantineRecord(name, "folder missing", "in the lists, not there") for name in absent]
    unusable = {name for name in ids if not name.isprintable() or "\\" in name}
    left_out += [QuarantineRecord(name, "name not plain", ascii(name)) for name in sorted(unusable)]
    listed = [name for name in ids if splits.get(name) in recipe.splits and name not in unusable]
    unlisted = sorted(set(ids) - set(listed) - unusable)
    left_out += [QuarantineRecord(name, "in no split", "there, not in the lists") for name in unlisted]
    records = {
        name: ObjectRecord(
            facts[name].id, facts[name].category, splits[name], origin.source_name, "", facts[name].licence
        )
        for name in listed
    }
    return records, left_out
