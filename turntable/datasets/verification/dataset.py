"""Verification of a data set against its manifest, all problems in one report.

The fast one reads every byte once and decodes nothing: hashes, archives against indices, labels against
``labels.parquet``, totals, fingerprint, the files beside the shards, stray files. The deep one also decodes
every image, draws every label again from the recipe, and tests how the labels are distributed.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from turntable.datasets.dataset import confined
from turntable.datasets.draws import DrawnColumn, check_columns
from turntable.datasets.files import FolderFiles
from turntable.datasets.fingerprint import fingerprint
from turntable.datasets.labels import Factor, LabelArray
from turntable.datasets.making import totals_of
from turntable.datasets.manifest import Manifest, read_manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.recipes import Recipe
from turntable.datasets.verification.files import check_files, check_table, stray_files
from turntable.datasets.verification.report import CheckReport
from turntable.datasets.verification.shard import ShardCheck, are_drawn, check_shard
from turntable.errors import RecipeError, TurntableError, shown

_LONGEST = 1000
"""Characters of a value that a report quotes at most."""

Progress = Callable[[int, int], None]
"""Called with shards done and shards in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport(CheckReport):
    """The problems that verification found in files, and the amount that it looked at."""

    shards: int = 0
    """Shards looked at."""
    objects: int = 0
    """Objects read from them."""
    images: int = 0
    """Images that are where the index says; of the deep check, those that decoded."""


@dataclass(slots=True)
class _Findings:
    """What has been read so far."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    objects: list[ObjectRecord] = field(default_factory=list)
    labels: list[LabelArray] = field(default_factory=list)
    images: int = 0

    def add(self, check: ShardCheck) -> None:
        """Take in what one shard holds."""
        self.problems += check.problems
        self.objects += check.objects
        self.labels.append(check.labels)
        self.images += check.images


def verify(
    folder: str | Path,
    progress: Progress | None = None,
    *,
    deep: bool = False,
    threads: int | None = None,
    links_under: Sequence[str | Path] = (),
) -> VerificationReport:
    """Check a data set: hashes, archives, labels, table, totals, fingerprint, the other files, stray files.

    Nothing is changed. One broken file does not hide others.

    Args:
        folder: of the data set.
        progress: called after each shard.
        deep: also decode every image, draw every label again, and test the labels' distributions.
        threads: that share the shards out; one a core by default. Hashing and decoding let others run.
        links_under: folders into which links of the data set may lead, beside its own and the hub's cache.

    Returns:
        A report; it never raises for what is wrong with the data set.
    """
    files = confined(folder, links_under)
    try:
        manifest = read_manifest(files)
        recipe = Recipe.from_dict(manifest.recipe, "in manifest.json")
    except (TurntableError, RecipeError) as error:
        return VerificationReport((str(error),))
    found = _Findings()
    check = partial(check_shard, files, manifest, recipe, deep=deep)
    with ThreadPoolExecutor(threads or _cores()) as pool:
        for number, result in enumerate(pool.map(check, manifest.shards), start=1):
            found.add(result)
            if progress is not None:
                progress(number, len(manifest.shards))
    found.problems += _check_manifest(manifest, recipe)
    if not found.problems:  # else these would only say again that a shard is broken
        found.problems += _check_whole(files, manifest, found)
        if deep:
            _check_distributions(manifest, recipe, found)
    found.problems += check_files(files, manifest, (item.id for item in found.objects), deep=deep)
    found.problems += stray_files(files.root, manifest)
    return VerificationReport(
        tuple(found.problems),
        tuple(found.notes),
        shards=len(manifest.shards),
        objects=len(found.objects),
        images=found.images,
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _check_manifest(manifest: Manifest, recipe: Recipe) -> Iterator[str]:
    """The manifest against itself."""
    stated = {
        "recipe_digest": (manifest.recipe_digest, recipe.digest),
        "label_digest": (manifest.label_digest, recipe.label_digest),
        "factors": (manifest.factors, recipe.factors),
        "views": (manifest.views, recipe.views),
        "image_size_px": (manifest.image_size_px, recipe.image_size_px),
        "totals": (manifest.totals, totals_of(manifest.shards)),
    }
    for name, (value, expected) in stated.items():
        if value != expected:
            yield f"manifest.json: {name} is {_told(value)}, but its recipe and shards give {_told(expected)}"


def _check_whole(files: FolderFiles, manifest: Manifest, found: _Findings) -> Iterator[str]:
    """What only all shards together can tell."""
    if fingerprint(manifest.recipe_digest, found.objects, found.labels) != manifest.fingerprint:
        yield "manifest.json: fingerprint is not that of the recipe, objects and labels"
    categories = tuple(sorted({item.category for item in found.objects}))
    if categories != manifest.categories:
        stated = _told(manifest.categories)
        yield f"manifest.json: categories are {stated}, but the objects have {_told(categories)}"
    repeated = [name for name, count in Counter(item.id for item in found.objects).items() if count > 1]
    if repeated:
        names = shown(", ".join(sorted(repeated)), _LONGEST)
        yield f"manifest.json: objects are there more than once: {names}"
    if categories == manifest.categories:  # else the table's class numbers have nothing to be held against
        yield from check_table(files, manifest)


def _told(value: object) -> str:
    return shown(str(value), _LONGEST)


def _check_distributions(manifest: Manifest, recipe: Recipe, found: _Findings) -> None:
    columns, notes = _drawn_columns(manifest, recipe, found.labels)
    found.notes += notes
    found.problems += (f"labels: {problem}" for problem in check_columns(columns))


def _drawn_columns(
    manifest: Manifest, recipe: Recipe, pieces: Sequence[LabelArray]
) -> tuple[list[DrawnColumn], list[str]]:
    """The columns that are drawn one by one and anew for each view; and of which that is not known."""
    if not are_drawn(recipe):
        return [], ["distributions: not tested, since the labels were imported, not drawn"]
    labels = np.concatenate([piece.reshape(-1, len(manifest.factors)) for piece in pieces])
    columns: list[DrawnColumn] = []
    untested: defaultdict[str, list[str]] = defaultdict(list)
    for at, factor in enumerate(manifest.factors):
        if why := _why_untested(factor):
            untested[why].append(factor.name)
        elif factor.distribution != "fixed":
            columns.append(DrawnColumn(factor, labels[:, at]))
    notes = [
        f"not tested: the distribution of what is {why} ({', '.join(names)})"
        for why, names in untested.items()
    ]
    return columns, notes


def _why_untested(factor: Factor) -> str:
    if factor.role == "derived":
        return "derived from other columns"
    if factor.per == "sequence":
        return "held over each sequence of views"
    return "drawn together with other columns" if factor.distribution == "joint" else ""
