"""Verification of a data set against its manifest, with all problems in one report.

The fast check reads every byte once and decodes no image: hashes, archives against their indices, labels
against ``labels.parquet``, totals, fingerprint, the files beside the shards, and stray files. The deep check
also decodes every image, draws every label again from the recipe, and tests the distributions of the labels.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from turntable.datasets.dataset import make_folder_files
from turntable.datasets.draws import DrawnColumn, find_distribution_faults
from turntable.datasets.files import FolderFiles
from turntable.datasets.fingerprint import compute_fingerprint
from turntable.datasets.labels import Factor, LabelArray
from turntable.datasets.manifest import Manifest, read_manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.recipes import Recipe
from turntable.datasets.verification.files import find_file_problems, find_stray_files, find_table_problems
from turntable.datasets.verification.report import CheckReport
from turntable.datasets.verification.shard import ShardFindings, has_drawn_labels, verify_shard
from turntable.datasets.writing import compute_totals
from turntable.errors import RecipeError, TurntableError, format_text

_MAX_QUOTED_LENGTH = 1000
"""Characters of a value that a report quotes at most."""

Progress = Callable[[int, int], None]
"""A function called with the number of shards done and the number of all shards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport(CheckReport):
    """The problems found in a data set, and the number of shards, objects and images that were checked."""

    num_shards: int = 0
    """Number of shards checked."""
    num_objects: int = 0
    """Number of objects read from them."""
    num_images: int = 0
    """Number of images that are where the index says; after a deep check, of those that decoded."""


@dataclass(slots=True)
class _DatasetFindings:
    """The contents and problems of all shards read so far."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    objects: list[ObjectRecord] = field(default_factory=list)
    labels: list[LabelArray] = field(default_factory=list)
    num_images: int = 0

    def add_shard(self, findings: ShardFindings) -> None:
        """Add the contents and problems of one shard."""
        self.problems += findings.problems
        self.objects += findings.objects
        self.labels.append(findings.labels)
        self.num_images += findings.num_images


def verify_dataset(
    folder: str | Path,
    progress: Progress | None = None,
    *,
    deep: bool = False,
    num_threads: int | None = None,
    links_under: Sequence[str | Path] = (),
) -> VerificationReport:
    """Check a data set: hashes, archives, labels, table, totals, fingerprint, other files, and stray files.

    Nothing is changed. A broken file does not hide the problems of others.

    Args:
        folder: Folder of the data set.
        progress: Function called after each shard.
        deep: True to also decode every image, draw every label again, and test the labels' distributions.
        num_threads: Number of threads that check shards; None: one per core. Hashing and decoding release the
            interpreter's lock, so threads run in parallel.
        links_under: Folders into which links of the data set may lead, beside its own and the hub's cache.

    Returns:
        A report. Faults of the data set are never raised as errors.
    """
    files = make_folder_files(folder, links_under)
    try:
        manifest = read_manifest(files)
        recipe = Recipe.from_dict(manifest.recipe, "in manifest.json")
    except (TurntableError, RecipeError) as error:
        return VerificationReport((str(error),))
    findings = _DatasetFindings()
    check = partial(verify_shard, files, manifest, recipe, deep=deep)
    with ThreadPoolExecutor(num_threads or _count_cores()) as pool:
        for number, result in enumerate(pool.map(check, manifest.shards), start=1):
            findings.add_shard(result)
            if progress is not None:
                progress(number, len(manifest.shards))
    findings.problems += _find_manifest_problems(manifest, recipe)
    if not findings.problems:  # after a problem in a shard these would only repeat that it is broken
        findings.problems += _find_dataset_problems(files, manifest, findings)
        if deep:
            _add_distribution_problems(manifest, recipe, findings)
    findings.problems += find_file_problems(
        files, manifest, (item.id for item in findings.objects), deep=deep
    )
    findings.problems += find_stray_files(files.root, manifest)
    return VerificationReport(
        tuple(findings.problems),
        tuple(findings.notes),
        num_shards=len(manifest.shards),
        num_objects=len(findings.objects),
        num_images=findings.num_images,
    )


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _find_manifest_problems(manifest: Manifest, recipe: Recipe) -> Iterator[str]:
    """Yield the contradictions within the manifest."""
    stated = {
        "recipe_digest": (manifest.recipe_digest, recipe.digest),
        "label_digest": (manifest.label_digest, recipe.label_digest),
        "factors": (manifest.factors, recipe.factors),
        "views": (manifest.views, recipe.views),
        "image_size_px": (manifest.image_size_px, recipe.image_size_px),
        "totals": (manifest.totals, compute_totals(manifest.shards)),
    }
    for name, (value, expected) in stated.items():
        if value != expected:
            yield (
                f"manifest.json: {name} is {_format_value(value)}, but its recipe and shards give "
                f"{_format_value(expected)}"
            )


def _find_dataset_problems(
    files: FolderFiles, manifest: Manifest, findings: _DatasetFindings
) -> Iterator[str]:
    """Yield the problems that only show when all shards are seen together."""
    if compute_fingerprint(manifest.recipe_digest, findings.objects, findings.labels) != manifest.fingerprint:
        yield "manifest.json: fingerprint is not that of the recipe, objects and labels"
    categories = tuple(sorted({item.category for item in findings.objects}))
    if categories != manifest.categories:
        stated = _format_value(manifest.categories)
        yield f"manifest.json: categories are {stated}, but the objects have {_format_value(categories)}"
    repeated = [name for name, count in Counter(item.id for item in findings.objects).items() if count > 1]
    if repeated:
        names = format_text(", ".join(sorted(repeated)), _MAX_QUOTED_LENGTH)
        yield f"manifest.json: objects are there more than once: {names}"
    if categories == manifest.categories:  # the table's category numbers refer to the manifest's list
        yield from find_table_problems(files, manifest)


def _format_value(value: object) -> str:
    return format_text(str(value), _MAX_QUOTED_LENGTH)


def _add_distribution_problems(manifest: Manifest, recipe: Recipe, findings: _DatasetFindings) -> None:
    columns, notes = _select_drawn_columns(manifest, recipe, findings.labels)
    findings.notes += notes
    findings.problems += (f"labels: {problem}" for problem in find_distribution_faults(columns))


def _select_drawn_columns(
    manifest: Manifest, recipe: Recipe, pieces: Sequence[LabelArray]
) -> tuple[list[DrawnColumn], list[str]]:
    """Return the columns that are drawn one by one for each view, and notes on the columns left out."""
    if not has_drawn_labels(recipe):
        return [], ["distributions: not tested, since the labels were imported, not drawn"]
    labels = np.concatenate([piece.reshape(-1, len(manifest.factors)) for piece in pieces])
    columns: list[DrawnColumn] = []
    untested: defaultdict[str, list[str]] = defaultdict(list)
    for column, factor in enumerate(manifest.factors):
        if reason := _find_untested_reason(factor):
            untested[reason].append(factor.name)
        elif factor.distribution != "fixed":
            columns.append(DrawnColumn(factor, labels[:, column]))
    notes = [
        f"not tested: the distribution of what is {reason} ({', '.join(names)})"
        for reason, names in untested.items()
    ]
    return columns, notes


def _find_untested_reason(factor: Factor) -> str:
    """Return why a factor's distribution is not tested, or "" if it is."""
    if factor.role == "derived":
        return "derived from other columns"
    if factor.per == "sequence":
        return "held over each sequence of views"
    return "drawn together with other columns" if factor.distribution == "joint" else ""
