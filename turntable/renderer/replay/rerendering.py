"""Some views of a finished data set drawn again from its meshes, and compared with the stored pictures.

Pixels are not equal on every machine: drivers round, and backends sample in other places. Measured on the zoo
between moderngl and embree, at 96 and 256 pixels and after JPEG: 41 dB at the worst and 46 in the middle (38
at 64 pixels and quality "fast"), while a label that is off by one degree of rotation gives 35 to 51 dB: no
bound on PSNR alone tells the two apart. So each picture is also held against views whose label is one step
away in one factor. A backend's error has no direction among labels: of the right label, the neighbours'
squared error was never below 0.91 times its own; with one degree of rotation or 0.01 of floor hue too much,
the right one's was below 0.8 in 95 of 100 views. The light's angles and hue show less in a picture: their
steps are larger.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset, ObjectRecord, Recipe, Split, open_dataset
from turntable.datasets.files import decode_jpeg
from turntable.datasets.labels import STANDARD_BY_NAME, LabelArray, decode_extra, encode_extra
from turntable.datasets.verification import CheckReport
from turntable.errors import IntegrityError, InvalidInputError, MeshError
from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import MeshSource, load_mesh
from turntable.renderer.points import surface_points
from turntable.renderer.scene import scenes_from_labels
from turntable.renderer.views import encode_views, recipe_quality

LEAST_PSNR_DB = 34.0
"""Below it a picture is of another object, label or recipe, whatever drew it."""
NEARER = 0.85
"""A neighbour's squared error below this share of the label's own says that the label is wrong."""
STEPS: dict[str, float] = {
    **{f"rotation_{axis}_rad": math.radians(1) for axis in "xyz"},
    "floor_hue": 0.01,
    "light_theta_rad": math.radians(5),
    "light_phi_rad": math.radians(10),
    "light_hue": 0.03,
    **{f"translation_{axis}": 0.01 for axis in "xyz"},
}
"""How far neighbours are, in each factor that is tried."""
MOST_DIFFERENT = 0.03
"""Share of an output's pixels that may differ by more than its tolerance: those at edges do."""
TOLERANCES = {"mask": 0.5, "depth": 0.01, "normals": 0.1, "coordinates": 0.01}
"""In the units of the decoded outputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerendered(CheckReport):
    """The problems that drawing again found in objects and views, and the amount that it compared."""

    views: int
    """Compared."""
    worst_psnr_db: float
    """Over them; infinite where every picture is the same to the byte, or none was compared."""


@dataclass(slots=True)
class _Tally:
    """A count of what the comparison has found so far."""

    problems: list[str] = field(default_factory=list)
    views: int = 0
    worst_psnr_db: float = math.inf
    unhashed: int = 0


def rerender(
    folder: str | Path,
    source: MeshSource,
    backend: Backend,
    *,
    views: int = 32,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Rerendered:
    """Draw views of a data set again and compare pictures, further outputs, point clouds and meshes.

    Args:
        folder: Of the data set.
        source: Of its meshes.
        backend: What draws; it need not be what drew the data set.
        views: How many, chosen at random, spread over the shards; all of them where there are fewer.
        seed: Another one chooses others.
        progress: Told how many views are done, and of how many.

    Raises:
        IntegrityError: The data set cannot be read; verify it first.
        InvalidInputError: ``views`` is below 1.
    """
    if views < 1:
        raise InvalidInputError(f"--views {views}: there must be at least one")
    dataset = open_dataset(folder)
    recipe = Recipe.from_dict(dataset.manifest.recipe, "in manifest.json")
    found = _Tally()
    chosen = choose_views(dataset, views, seed)
    total, done = sum(len(numbers) for rows in chosen.values() for numbers in rows.values()), 0
    for name, rows in chosen.items():
        with dataset.split(name) as split:
            for row, numbers in rows.items():
                _Object(split, row, recipe, found).compare(source, backend, numbers)
                done += len(numbers)
                if progress is not None:
                    progress(done, total)
    notes = ()
    if found.unhashed:
        notes = (f"{found.unhashed} objects came without the hash of their mesh, so it was not compared",)
    return Rerendered(tuple(found.problems), notes, views=found.views, worst_psnr_db=found.worst_psnr_db)


def choose_views(dataset: Dataset, count: int, seed: int) -> dict[str, dict[int, list[int]]]:
    """Split name to row to view numbers: ``count`` distinct views, the shards taken in turn.

    Args:
        dataset: To choose from.
        count: At least 1; all views where there are fewer.
        seed: Of the choice.
    """
    random = np.random.Generator(np.random.Philox(seed))
    first = dict.fromkeys(dataset.splits, 0)
    pools: list[Iterator[tuple[str, int, int]]] = []
    for shard in dataset.manifest.shards:
        start = first[shard.split]
        first[shard.split] += shard.objects
        pools.append(_in_random_order(random, shard.split, start, (shard.objects, shard.views)))
    random.shuffle(pools)  # pyright: ignore[reportArgumentType]
    chosen: defaultdict[str, defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    left = min(count, dataset.manifest.totals.images)
    while left:
        for pool in pools[:]:
            place = next(pool, None)
            if place is None:
                pools.remove(pool)
            elif left:
                chosen[place[0]][place[1]].append(place[2])
                left -= 1
    return {name: {row: sorted(rows[row]) for row in sorted(rows)} for name, rows in chosen.items()}


def _in_random_order(
    random: np.random.Generator, split: str, start: int, shape: tuple[int, int]
) -> Iterator[tuple[str, int, int]]:
    """The views of a shard, each once."""
    order = random.permutation(shape[0] * shape[1]).tolist()
    return ((split, start + place // shape[1], place % shape[1]) for place in order)


@dataclass(frozen=True, slots=True)
class _Object:
    """One object of the data set, to be compared."""

    split: Split
    row: int
    recipe: Recipe
    found: _Tally

    @property
    def _record(self) -> ObjectRecord:
        return self.split.objects[self.row]

    def _problem(self, text: str) -> None:
        self.found.problems.append(f"{self.split.name}: object {self._record.id}{text}")

    def compare(self, source: MeshSource, backend: Backend, views: Sequence[int]) -> None:
        """Load its mesh, draw the views, and note what differs."""
        record = self._record
        try:
            mesh = load_mesh(source, record.id)
            digest = source.digest(record.id, mesh)
            if record.source_sha256 and digest != record.source_sha256:
                self._problem(
                    f": its mesh is not the one that was rendered (sha256 {digest[:16]}…, then "
                    f"{record.source_sha256[:16]}…); give the meshes the data set was made from"
                )
                return
            self.found.unhashed += not record.source_sha256
            self._points(mesh)
            self._views(mesh, backend, views)
        except MeshError as error:
            self._problem(f": its mesh cannot be used any more: {error}")
        except IntegrityError as error:
            self._problem(f": {error}")

    def _points(self, mesh: Mesh) -> None:
        if not self.recipe.points:
            return
        expected = surface_points(mesh, self.recipe.points, self.recipe.label_digest, self._record.id)
        if not np.allclose(self.split.points(self.row), expected, atol=1e-4):
            self._problem(": its point cloud is not the one its mesh gives")

    def _views(self, mesh: Mesh, backend: Backend, views: Sequence[int]) -> None:
        rows = np.full(len(views), self.row)
        labels = self.split.labels_at(rows, np.array(views))
        names, labels = self.recipe.schema.scene_names, self.recipe.schema.scene_columns(labels)
        size = self.recipe.image_size_px
        quality = recipe_quality(self.recipe)
        drawn = backend.render(mesh, scenes_from_labels(names, labels), size, quality, self.recipe.outputs)
        for at, view in enumerate(views):
            stored = decode_jpeg(self.split.read_jpeg(self.row, view))
            own = _error(stored, self._as_stored(drawn.rgb[at : at + 1])[0])
            self._picture(view, own)
            moved, near = zip(*neighbours(names, labels[at]), strict=True)
            others = backend.render(mesh, scenes_from_labels(names, np.stack(near)), size, quality, ("rgb",))
            errors = [_error(stored, other) for other in self._as_stored(others.rgb)]
            self._neighbour(view, own, list(zip(errors, moved, strict=True)))
            self._outputs(view, {name: getattr(drawn, name)[at] for name in self.recipe.outputs[1:]})
        self.found.views += len(views)

    def _as_stored(self, rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """Through the same JPEG, and in the same order of channels, as the data set's files."""
        return [decode_jpeg(data) for data in encode_views(self.recipe, rgb)]

    def _picture(self, view: int, error: float) -> None:
        psnr = 10 * math.log10(255**2 / error) if error else math.inf
        self.found.worst_psnr_db = min(self.found.worst_psnr_db, psnr)
        if psnr < LEAST_PSNR_DB:
            self._problem(
                f", view {view}: drawn again it differs from the stored picture: PSNR {psnr:.1f} dB, "
                f"at least {LEAST_PSNR_DB:.0f} dB is usual between backends"
            )

    def _neighbour(self, view: int, own: float, others: Sequence[tuple[float, str]]) -> None:
        error, name = min(others)
        if error < NEARER * own:
            self._problem(
                f", view {view}: the stored picture is nearer to a label with another {name}: the label is "
                f"wrong by about a step, {STEPS[name]:.3g}, or more"
            )

    def _outputs(self, view: int, drawn: Mapping[str, NDArray[Any]]) -> None:
        for name, array in drawn.items():
            stored = self.split.read_extra(self.row, view, name)
            again = decode_extra(name, encode_extra(name, array), self.recipe.image_size_px)
            share = _share_beyond(stored, again, TOLERANCES[name])
            if share > MOST_DIFFERENT:
                self._problem(f", view {view}: {share:.1%} of its {name} differ from what its mesh gives")


def neighbours(names: Sequence[str], label: LabelArray) -> Iterable[tuple[str, LabelArray]]:
    """Labels a step forth and a step back in one factor of a label [L], each with the factor's name.

    Those that physics does not allow are left out.
    """
    for at, name in enumerate(names):
        if name not in STEPS:
            continue
        standard = STANDARD_BY_NAME[name]
        for sign in (1, -1):
            moved = label.copy()
            moved[at] += sign * np.float32(STEPS[name])
            if standard.factor.unit == "turn":
                moved[at] %= 1
            if standard.minimum <= moved[at] <= standard.maximum:
                yield name, moved


def _error(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Mean squared error; infinite between pictures of other sizes."""
    if first.shape != second.shape:
        return math.inf
    difference = first.astype(np.int32) - second.astype(np.int32)
    return float((difference**2).mean())


def _share_beyond(first: NDArray[Any], second: NDArray[Any], tolerance: float) -> float:
    beyond = np.abs(first.astype(np.float64) - second.astype(np.float64)) > tolerance
    return float(beyond.reshape(*first.shape[:2], -1).any(axis=-1).mean())
