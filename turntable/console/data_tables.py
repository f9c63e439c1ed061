"""Tables of a data set and of a recipe."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from rich.table import Column, Table

from turntable.console.plain_table import plain_table
from turntable.datasets import Dataset, ObjectRecord
from turntable.datasets.describing import label_rows
from turntable.datasets.draws import bars, histogram
from turntable.datasets.objects import EqualMeshes, equal_meshes
from turntable.errors import shown

HISTOGRAM_BINS = 24
_LONGEST_FACT, _MOST_CATEGORIES = 1000, 2000
"""Characters of one fact about a data set, and rows of its categories, that are shown at most."""

if TYPE_CHECKING:
    from turntable.datasets import Recipe
    from turntable.datasets.labels import LabelArray


def dataset_tables(dataset: Dataset) -> list[Table]:
    """Describe a data set in tables to print."""
    manifest, records = dataset.manifest, _records(dataset)
    facts = Table("", Column(overflow="fold"), show_header=False, title=manifest.name, title_justify="left")
    totals = manifest.totals
    jpeg = f"JPEG quality {manifest.jpeg_quality}, {manifest.channel_order}"
    rows = {
        "views": f"{totals.images} ({totals.objects} objects, {manifest.views} each)",
        "image": f"{manifest.image_size_px} px, {jpeg}",
        "size": f"{totals.bytes / 2**20:.1f} MiB in {len(manifest.shards)} shards",
        "left out": str(manifest.quarantined),
        "meshes": manifest.meshes,
        "equal meshes": _equal(equal_meshes(records)),
        "drawn by": ", ".join(f"{name} {value}" for name, value in manifest.device.items()),
        "fingerprint": manifest.fingerprint,
    }
    for name, value in rows.items():
        facts.add_row(name, shown(value, _LONGEST_FACT))
    return [facts, _factor_table(dataset), _category_table(dataset, records)]


def _equal(found: EqualMeshes) -> str:
    if not found.objects:
        return "none"
    return (
        f"{found.objects} objects share {found.meshes} meshes; {found.conflicting} of them stand under "
        f"several labels, {found.divided} in several splits"
    )


def _records(dataset: Dataset) -> list[ObjectRecord]:
    """Read the records of all objects: a file each, so call it once."""
    found: list[ObjectRecord] = []
    for name in dataset.splits:
        with dataset.split(name) as split:
            found += split.objects
    return found


def recipe_tables(recipe: "Recipe", labels: "LabelArray | None") -> list[Table]:
    """Describe a recipe: facts, label columns, and a histogram of each where labels were drawn."""
    facts = Table("", Column(overflow="fold"), show_header=False, title=recipe.name, title_justify="left")
    rows = {
        "": recipe.description,
        "views": f"{recipe.views} of each object, {recipe.image_size_px} px, {recipe.channel_order}",
        "meshes": recipe.source,
        "splits": ", ".join(recipe.splits),
        "draws": f"{recipe.draws}, seed {recipe.seed}",
        "label digest": recipe.label_digest,
    }
    for name, value in rows.items():
        facts.add_row(name, value)
    drawn, meant = plain_table("column", "unit", "values"), plain_table("column")
    drawn.add_column("distribution")
    meant.add_column("meaning")
    for row in label_rows(recipe):
        drawn.add_row(row.column, row.unit, row.values, row.distribution)
        meant.add_row(row.column, row.meaning)
    return [facts, drawn, meant] + ([] if labels is None else [_histogram_table(recipe, labels)])


def _histogram_table(recipe: "Recipe", labels: "LabelArray") -> Table:
    title = f"{len(labels)} views drawn of invented objects"
    table = plain_table("column", "low", "", "high")
    table.title, table.title_justify = title, "left"
    table.columns[1].justify = "right"
    for place, factor in enumerate(recipe.factors):
        counts = histogram(factor, labels[:, place], HISTOGRAM_BINS)
        table.add_row(factor.name, f"{factor.low:.4g}", bars(counts), f"{factor.high:.4g}")
    return table


def _factor_table(dataset: Dataset) -> Table:
    table = Table("factor", "unit", "low", "high")
    for factor in dataset.manifest.factors:
        table.add_row(factor.name, factor.unit, f"{factor.low:.4g}", f"{factor.high:.4g}")
    return table


def _category_table(dataset: Dataset, records: Sequence[ObjectRecord]) -> Table:
    table = Table("category", *dataset.splits)
    counts: dict[str, dict[str, int]] = {name: {} for name in dataset.categories}
    for record in records:
        counts.setdefault(record.category, {})
        counts[record.category][record.split] = counts[record.category].get(record.split, 0) + 1
    for category, by_split in islice(counts.items(), _MOST_CATEGORIES):
        table.add_row(category, *(str(by_split.get(split, 0)) for split in dataset.splits))
    if len(counts) > _MOST_CATEGORIES:
        table.add_row(f"and {len(counts) - _MOST_CATEGORIES:,} more")
    return table
