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
from turntable.datasets.draws import DrawnColumn, compute_symmetry_degrees, find_distribution_faults
from turntable.datasets.files import FolderFiles
from turntable.datasets.fingerprint import compute_fingerprint
from turntable.datasets.labels import Factor, LabelArray
from turntable.datasets.manifest import Manifest, read_manifest
from turntable.datasets.objects import ObjectRecord, PartSummary, is_twin, summarize_parts
from turntable.datasets.recipes import Recipe
from turntable.datasets.shards import ShardRecord
from turntable.datasets.stores import LocalStore, open_store
from turntable.datasets.verification.files import find_file_problems, find_stray_files, find_table_problems
from turntable.datasets.verification.report import CheckReport
from turntable.datasets.verification.shard import ShardFindings, has_drawn_labels, verify_shard
from turntable.datasets.verification.stored_files import StoredFiles
from turntable.datasets.writing import compute_totals
from turntable.errors import IntegrityError, RecipeError, RejectedResponseError, TurntableError, format_text

_MAX_QUOTED_LENGTH = 1000
"""Characters of a value that a report quotes at most."""

_DEGREE_TOLERANCE = 0.002
"""Maximum difference of a stated degree of symmetry: it is rounded to 0.001, and processors round sines."""

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
    path_or_url: str | Path,
    progress: Progress | None = None,
    *,
    deep: bool = False,
    num_threads: int | None = None,
    links_under: Sequence[str | Path] = (),
) -> VerificationReport:
    """Check a data set: hashes, archives, labels, table, totals, fingerprint, other files, and stray files.

    Nothing is changed. A broken file does not hide the problems of others. A data set in a store is fetched
    to the machine's temporary folder (TMPDIR), a few shards at a time, and not kept; stray files are not
    looked for there.

    Args:
        path_or_url: The data set, in any place that ``open_dataset`` reads.
        progress: Function called after each shard.
        deep: True to also decode every image, draw every label again, and test the labels' distributions.
        num_threads: Number of threads that check shards; None: one per core. Hashing and decoding release the
            interpreter's lock, so threads run in parallel.
        links_under: Folders into which links of the data set may lead, beside its own and the hub's cache.

    Returns:
        A report. Faults of the data set are never raised as errors.

    Raises:
        StoreError: The store cannot be reached, or there is no space for a shard in TMPDIR.
        InvalidInputError: ``path_or_url`` is no place.
    """
    store = open_store(path_or_url)
    if isinstance(store, LocalStore):
        check = _DatasetCheck(make_folder_files(store.folder, links_under), deep, num_threads, progress)
        return check.run()
    try:
        with StoredFiles.open(store) as stored:
            return _DatasetCheck(stored.files, deep, num_threads, progress, stored).run()
    except IntegrityError as error:  # there is no manifest
        return VerificationReport((str(error),))


@dataclass(frozen=True, slots=True)
class _DatasetCheck:
    """One verification of a data set."""

    files: FolderFiles
    deep: bool
    num_threads: int | None
    progress: Progress | None
    stored: StoredFiles | None = None
    """The store that the files are fetched from; None if they lie in their own folder."""

    def run(self) -> VerificationReport:
        """Check the whole data set and return the report."""
        try:
            manifest = read_manifest(self.files)
            recipe = Recipe.from_dict(manifest.recipe, "in manifest.json")
        except (TurntableError, RecipeError) as error:
            return VerificationReport((str(error),))
        findings = self._check_shards(manifest, recipe)
        findings.problems += _find_manifest_problems(manifest, recipe)
        findings.problems += _find_degree_problems(manifest, recipe)
        if self.stored is not None:
            self.stored.fetch_descriptions(manifest)
        if not findings.problems:  # after a problem in a shard these would only repeat that it is broken
            findings.problems += _find_dataset_problems(self.files, manifest, findings)
            if self.deep:
                _add_distribution_problems(manifest, recipe, findings)
        findings.problems += find_file_problems(
            self.files, manifest, (item.id for item in findings.objects), deep=self.deep
        )
        if self.stored is None:
            findings.problems += find_stray_files(self.files.root, manifest)
        return VerificationReport(
            tuple(findings.problems),
            tuple(findings.notes),
            num_shards=len(manifest.shards),
            num_objects=len(findings.objects),
            num_images=findings.num_images,
        )

    def _check_shards(self, manifest: Manifest, recipe: Recipe) -> _DatasetFindings:
        findings = _DatasetFindings()
        check = partial(self._check_shard, manifest, recipe)
        with ThreadPoolExecutor(self.num_threads or _count_cores()) as pool:
            for number, result in enumerate(pool.map(check, manifest.shards), start=1):
                findings.add_shard(result)
                if self.progress is not None:
                    self.progress(number, len(manifest.shards))
        return findings

    def _check_shard(self, manifest: Manifest, recipe: Recipe, shard: ShardRecord) -> ShardFindings:
        check = partial(verify_shard, self.files, manifest, recipe, shard, deep=self.deep)
        return check() if self.stored is None else _check_fetched(self.stored, manifest, shard, check)


def _check_fetched(
    stored: StoredFiles, manifest: Manifest, shard: ShardRecord, check: Callable[[], ShardFindings]
) -> ShardFindings:
    """Return the findings of a check of a shard that is fetched for it."""
    refusal = ""
    try:
        stored.fetch_shard(manifest, shard)
    except RejectedResponseError as error:
        refusal = str(error)
    findings = check()
    if refusal:
        findings.problems.insert(0, refusal)
    stored.release_shard(shard, is_right=not findings.problems)
    return findings


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


def _find_degree_problems(manifest: Manifest, recipe: Recipe) -> Iterator[str]:
    """Yield a message if the degrees of symmetry are not those of the recipe; older sets state none."""
    stated = manifest.symmetry_degrees
    expected = compute_symmetry_degrees(recipe) if stated else {}
    if stated.keys() != expected.keys() or any(
        abs(stated[name] - expected[name]) > _DEGREE_TOLERANCE for name in expected
    ):
        yield f"manifest.json: symmetry_degrees are {dict(stated)}, but its recipe gives {expected}"


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
    parts = summarize_parts(findings.objects)
    if parts != PartSummary(manifest.part_categories, manifest.max_parts, manifest.max_joints):
        yield f"manifest.json: it does not describe the parts of its objects: {_format_value(parts)}"
    repeated = [name for name, count in Counter(item.id for item in findings.objects).items() if count > 1]
    if repeated:
        names = format_text(", ".join(sorted(repeated)), _MAX_QUOTED_LENGTH)
        yield f"manifest.json: objects are there more than once: {names}"
    if categories == manifest.categories:  # the table's category numbers refer to the manifest's list
        yield from find_table_problems(files, manifest)


def _format_value(value: object) -> str:
    return format_text(str(value), _MAX_QUOTED_LENGTH)


def _add_distribution_problems(manifest: Manifest, recipe: Recipe, findings: _DatasetFindings) -> None:
    columns, notes = _select_drawn_columns(manifest, recipe, _select_own_labels(recipe, findings))
    findings.notes += notes
    findings.problems += (f"labels: {problem}" for problem in find_distribution_faults(columns))


def _select_own_labels(recipe: Recipe, findings: _DatasetFindings) -> list[LabelArray]:
    """Return the labels [V, L] of each object, without mirrored twins, which repeat their objects'."""
    labels = [views for piece in findings.labels for views in piece]
    owners = zip(findings.objects, labels, strict=True)
    return [views for record, views in owners if not (recipe.mirrored and is_twin(record.id))]


def _select_drawn_columns(
    manifest: Manifest, recipe: Recipe, pieces: Sequence[LabelArray]
) -> tuple[list[DrawnColumn], list[str]]:
    """Return the columns that are drawn one by one for each view, and notes on the columns left out."""
    if not has_drawn_labels(recipe):
        return [], ["distributions: not tested, since the labels were imported, not drawn"]
    empty = np.empty((0, len(manifest.factors)), dtype=np.float32)
    labels = np.concatenate([empty, *pieces])
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
    if factor.role == "object":
        return "the same in all views of an object"
    if factor.per == "sequence":
        return "held over each sequence of views"
    return "drawn together with other columns" if factor.distribution == "joint" else ""
