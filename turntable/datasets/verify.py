"""Verification: every byte and every label of a data set against the manifest, all problems in one report."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from turntable.datasets.assemble import totals_of
from turntable.datasets.fingerprint import fingerprint
from turntable.datasets.labels import LabelArray
from turntable.datasets.manifest import Manifest, read_manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.recipe import Recipe
from turntable.datasets.shard_index import INDEX_SUFFIX
from turntable.datasets.shard_writer import SHARD_SUFFIX, ShardRecord
from turntable.datasets.storage import TEMPORARY_SUFFIX
from turntable.datasets.table import TABLE_NAME, read_labels
from turntable.datasets.verify_shard import check_shard
from turntable.errors import RecipeError, TurntableError

Progress = Callable[[int, int], None]
"""Called with shards done and shards in all."""


@dataclass(frozen=True, slots=True)
class Report:
    """What verification found."""

    problems: tuple[str, ...]
    """Each names a file and says what is wrong with it; empty where all is well."""
    shards: int = 0
    """Shards looked at."""
    objects: int = 0
    """Objects read from them."""
    images: int = 0
    """Images that decoded."""

    @property
    def ok(self) -> bool:
        """Whether there is no problem at all."""
        return not self.problems


@dataclass(slots=True)
class _Findings:
    """What has been read so far."""

    problems: list[str] = field(default_factory=list)
    objects: list[ObjectRecord] = field(default_factory=list)
    labels: list[LabelArray] = field(default_factory=list)
    images: int = 0


def verify(folder: str | Path, progress: Progress | None = None) -> Report:
    """Check a data set: hashes, archive members, images, labels, table, totals, fingerprint, stray files.

    Nothing is changed. One broken file does not hide others.

    Args:
        folder: of the data set.
        progress: called after each shard.

    Returns:
        A report; it never raises for what is wrong with the data set.
    """
    path = Path(folder)
    try:
        manifest = read_manifest(path)
        recipe = Recipe.from_dict(manifest.recipe, "in manifest.json")
    except (TurntableError, RecipeError) as error:
        return Report((str(error),))
    found = _Findings()
    for number, shard in enumerate(manifest.shards, start=1):
        _add_shard(found, path, manifest, recipe, shard)
        if progress is not None:
            progress(number, len(manifest.shards))
    found.problems += _check_manifest(manifest, recipe)
    if not found.problems:  # else these would only say again that a shard is broken
        found.problems += _check_whole(path, manifest, found)
    found.problems += _stray_files(path, manifest)
    return Report(tuple(found.problems), len(manifest.shards), len(found.objects), found.images)


def _add_shard(
    found: _Findings, folder: Path, manifest: Manifest, recipe: Recipe, shard: ShardRecord
) -> None:
    check = check_shard(folder, manifest, recipe, shard)
    found.problems += check.problems
    found.objects += check.objects
    found.labels.append(check.labels)
    found.images += check.images


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
            yield f"manifest.json: {name} is {value}, but its recipe and shards give {expected}"


def _check_whole(folder: Path, manifest: Manifest, found: _Findings) -> Iterator[str]:
    """What only all shards together can tell."""
    if fingerprint(manifest.recipe_digest, found.objects, found.labels) != manifest.fingerprint:
        yield "manifest.json: fingerprint is not that of the recipe, objects and labels"
    categories = tuple(sorted({item.category for item in found.objects}))
    if categories != manifest.categories:
        yield f"manifest.json: categories are {manifest.categories}, but the objects have {categories}"
    repeated = [name for name, count in Counter(item.id for item in found.objects).items() if count > 1]
    if repeated:
        yield f"manifest.json: objects are there more than once: {', '.join(sorted(repeated))}"
    yield from _check_table(folder / TABLE_NAME, manifest, found)


def _check_table(path: Path, manifest: Manifest, found: _Findings) -> Iterator[str]:
    try:
        rows = np.concatenate(list(read_labels(path, manifest.schema)))
    except (KeyError, OSError, ValueError) as error:
        yield f"{path}: cannot be read ({error}); run `turntable render` again to write it"
        return
    labels = np.concatenate([piece.reshape(-1, len(manifest.factors)) for piece in found.labels])
    if rows.shape != labels.shape or rows.tobytes() != labels.tobytes():
        yield f"{path}: its labels are not those of the shards; run `turntable render` again to write it"


def _stray_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Files beside the shards that the manifest does not name, and what killed processes left."""
    known = {
        folder / shard.split / f"{shard.name}{suffix}"
        for shard in manifest.shards
        for suffix in (SHARD_SUFFIX, INDEX_SUFFIX)
    }
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(TEMPORARY_SUFFIX):
            yield f"{path}: left by a process that was killed; remove it"
        elif path not in known and path.parent in {item.parent for item in known}:
            yield f"{path}: not in the manifest; remove it, or fetch the manifest that names it"
