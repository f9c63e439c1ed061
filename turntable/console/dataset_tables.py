"""Tables that describe a data set or a recipe."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from rich.table import Column, Table

from turntable.console.plain_table import make_plain_table
from turntable.datasets import Dataset, ObjectRecord
from turntable.datasets.describing import describe_columns, describe_interventions
from turntable.datasets.draws import compute_histogram, compute_symmetry_degrees, format_histogram
from turntable.datasets.objects import DuplicateCounts, count_duplicates
from turntable.errors import format_text
from turntable.sizes import format_bytes

NUM_HISTOGRAM_BINS = 24
"""Number of bins of a histogram."""
_MAX_FACT_LENGTH, _MAX_CATEGORIES = 1000, 2000
"""Maximum number of characters of a fact, and of rows of categories, that are shown."""

if TYPE_CHECKING:
    from turntable.datasets import Recipe
    from turntable.datasets.labels import LabelArray


def build_dataset_tables(dataset: Dataset) -> list[Table]:
    """Build tables that describe a data set: its facts, factors and categories."""
    manifest, records = dataset.manifest, _read_records(dataset)
    facts = Table("", Column(overflow="fold"), show_header=False, title=manifest.name, title_justify="left")
    totals = manifest.totals
    jpeg = f"{manifest.image_size_px} px, JPEG quality {manifest.jpeg_quality}, {manifest.channel_order}"
    rows = {
        "views": f"{totals.images} ({totals.objects} objects, {manifest.views} each)",
        "image": jpeg if manifest.has_pictures else "none",
        **({"arrays": ", ".join(manifest.arrays)} if manifest.arrays else {}),
        "size": f"{format_bytes(totals.bytes)} in {len(manifest.shards)} shards",
        "left out": str(manifest.quarantined),
        "meshes": manifest.mesh_source_text,
        "equal meshes": _format_equal_meshes(count_duplicates(records)),
        **_format_symmetry(records),
        "rendered with": ", ".join(f"{name} {value}" for name, value in manifest.device.items()),
        "fingerprint": manifest.fingerprint,
    }
    for name, value in rows.items():
        facts.add_row(name, format_text(value, _MAX_FACT_LENGTH))
    return [facts, _build_factor_table(dataset), _build_category_table(dataset, records)]


def _format_equal_meshes(counts: DuplicateCounts) -> str:
    if not counts.num_objects:
        return "none"
    return (
        f"{counts.num_objects} objects share {counts.num_meshes} meshes; {counts.num_conflicting} of "
        f"the meshes have several categories, {counts.num_divided} are in several splits"
    )


def _format_symmetry(records: Sequence[ObjectRecord]) -> dict[str, str]:
    """Return the row about the objects' symmetry, if it was measured."""
    groups = Counter(record.symmetry.group for record in records if record.symmetry is not None)
    if not groups:
        return {}
    return {"symmetry": ", ".join(f"{name} {count}" for name, count in groups.most_common())}


def _read_records(dataset: Dataset) -> list[ObjectRecord]:
    """Read the records of all objects, each from a file of its own, so this is slow for a large data set."""
    records: list[ObjectRecord] = []
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            records += split.objects
    return records


def build_recipe_tables(recipe: "Recipe", labels: "LabelArray | None") -> list[Table]:
    """Build tables that describe a recipe: its facts, its label columns, and histograms of given labels.

    Args:
        recipe: The recipe.
        labels: [N, L] labels drawn by it, one row per view; None if it draws none.
    """
    facts = Table("", Column(overflow="fold"), show_header=False, title=recipe.name, title_justify="left")
    rows = {
        "": recipe.description,
        "views": _describe_views(recipe),
        "meshes": recipe.source,
        **({} if recipe.scene is None else {"scenes": str(recipe.scene)}),
        **({} if recipe.street is None else {"streets": str(recipe.street)}),
        **({} if recipe.scan is None else {"scanner": str(recipe.scan)}),
        **({} if recipe.molecules is None else {"molecules": str(recipe.molecules)}),
        "splits": ", ".join(recipe.splits),
        "draws": f"{recipe.draws}, seed {recipe.seed}",
        "label digest": recipe.label_digest,
        **describe_interventions(recipe),
    }
    if recipe.joints is not None:
        rows["joints"] = recipe.joints.describe(in_sequences=recipe.sequence is not None)
    if recipe.tracks is not None:
        rows["tracks"] = recipe.tracks.describe()
    if recipe.graph is not None:
        rows["surface graphs"] = recipe.graph.describe()
    if degrees := compute_symmetry_degrees(recipe):
        rows["symmetry degrees"] = ", ".join(f"{name} {degree:.3f}" for name, degree in degrees.items())
    for name, value in rows.items():
        facts.add_row(name, value)
    columns, meanings = make_plain_table("column", "unit", "values"), make_plain_table("column")
    columns.add_column("distribution")
    meanings.add_column("meaning")
    for row in describe_columns(recipe):
        columns.add_row(row.column, row.unit, row.values, row.distribution)
        meanings.add_row(row.column, row.meaning)
    return [facts, columns, meanings] + ([] if labels is None else [_build_histogram_table(recipe, labels)])


def _describe_views(recipe: "Recipe") -> str:
    count = f"{recipe.views} of each object"
    if not recipe.has_pictures:
        return f"{count}, {', '.join(recipe.outputs) or 'labels alone'}"
    return f"{count}, {recipe.image_size_px} px, {recipe.channel_order}"


def _build_histogram_table(recipe: "Recipe", labels: "LabelArray") -> Table:
    title = f"labels of {len(labels)} views of invented objects"
    table = make_plain_table("column", "low", "", "high")
    table.title, table.title_justify = title, "left"
    table.columns[1].justify = "right"
    for column, factor in enumerate(recipe.factors):
        counts = compute_histogram(factor, labels[:, column], NUM_HISTOGRAM_BINS)
        table.add_row(factor.name, f"{factor.low:.4g}", format_histogram(counts), f"{factor.high:.4g}")
    return table


def _build_factor_table(dataset: Dataset) -> Table:
    table = Table("factor", "unit", "low", "high")
    for factor in dataset.manifest.factors:
        table.add_row(factor.name, factor.unit, f"{factor.low:.4g}", f"{factor.high:.4g}")
    return table


def _build_category_table(dataset: Dataset, records: Sequence[ObjectRecord]) -> Table:
    table = Table("category", *dataset.splits)
    counts: dict[str, dict[str, int]] = {name: {} for name in dataset.categories}
    for record in records:
        counts.setdefault(record.category, {})
        counts[record.category][record.split] = counts[record.category].get(record.split, 0) + 1
    for category, by_split in islice(counts.items(), _MAX_CATEGORIES):
        table.add_row(category, *(str(by_split.get(split, 0)) for split in dataset.splits))
    if len(counts) > _MAX_CATEGORIES:
        table.add_row(f"and {len(counts) - _MAX_CATEGORIES:,} more")
    return table
