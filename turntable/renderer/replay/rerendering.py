"""Checks of a finished data set: renders some of its views again and compares them with the stored pictures.

Pixels are not equal on every machine: drivers round, and backends sample in different places. Measured on the
zoo between moderngl and embree, at 96 and 256 pixels and after JPEG, the PSNR is 41 dB at worst and 46 dB at
the median (38 dB at 64 pixels and quality "fast"). A label that is wrong by one degree of rotation gives 35
to 51 dB. So no bound on PSNR alone tells the two apart.

Therefore each stored picture is also compared with neighbors: views whose label is one step away in one
factor. The error of a backend has no direction among labels. With the right label, the squared error of the
neighbors was never below 0.91 times that of the label itself. With a label wrong by one degree of rotation or
0.01 of floor hue, the right label, which is then a neighbor, was below 0.8 in 95 of 100 views. The angles and
the hue of the light show less in a picture, so their steps are larger.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset, ObjectRecord, Recipe, Split, open_dataset
from turntable.datasets.files import decode_jpeg
from turntable.datasets.labels import (
    FIRST_ARRAYS,
    PRINCIPAL_POINT_NAMES,
    STANDARD_FACTORS_BY_NAME,
    LabelArray,
    decode_output,
    encode_output,
    order_arrays,
)
from turntable.datasets.verification import CheckReport
from turntable.errors import IntegrityError, InvalidInputError, MeshError
from turntable.renderer.backends import Backend
from turntable.renderer.extra_outputs import begin_outputs, list_drawn_views
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import MeshSource, find_source_arrays, load_mesh, with_twins
from turntable.renderer.object_arrays import ShownObject, compute_object_arrays, compute_view_arrays
from turntable.renderer.posing import PartPoses, pose_parts
from turntable.renderer.scene import Scenes, scenes_from_labels
from turntable.renderer.views import encode_views, quality_from_recipe

MIN_PSNR_DB = 34.0
"""PSNR below which a picture shows another object, label or recipe, whatever backend rendered it."""
NEIGHBOR_ERROR_RATIO = 0.85
"""Ratio of a neighbor's squared error to the label's own below which the label is wrong."""
FACTOR_STEPS: dict[str, float] = {
    **{f"rotation_{axis}_rad": math.radians(1) for axis in "xyz"},
    "floor_hue": 0.01,
    "light_theta_rad": math.radians(5),
    "light_phi_rad": math.radians(10),
    "light_hue": 0.03,
    **{f"translation_{axis}": 0.01 for axis in "xyz"},
    "camera_roll_rad": math.radians(1),
    **dict.fromkeys(PRINCIPAL_POINT_NAMES, 1.0),
}
"""Distance of the neighbors, in each factor that is tried."""
MAX_DIFFERENT_SHARE = 0.03
"""Largest share of an output's pixels that may differ by more than the tolerance: those at edges do."""
TOLERANCES = {"mask": 0.5, "depth": 0.01, "normals": 0.1, "coordinates": 0.01, "parts": 0.5, "flow": 0.5}
"""Largest difference of an output's values that counts as equal, in the units of the decoded output."""
ARRAY_TOLERANCE = 1e-4
"""Largest difference of a number of another array that counts as equal, besides a share of 1e-5 of it."""
PART_POSE_ARRAYS = frozenset({"part_pose", "joint_values"})
"""Arrays that are compared by themselves, with a tolerance of their own."""
_NAMES = {"points": "point cloud"}
"""Names of arrays in messages, where others are plainer."""
POSE_TOLERANCE = 1e-5
"""Largest difference of a number of a part's pose, or of a joint's value, that counts as equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RerenderReport(CheckReport):
    """The problems that rendering again found in objects and views, and the amount that was compared."""

    num_views: int
    """Number of views that were compared."""
    worst_psnr_db: float
    """Lowest PSNR among them; infinite if every picture is the same to the byte, or none was compared."""


@dataclass(slots=True)
class _Tally:
    """The problems and counts of a comparison so far."""

    problems: list[str] = field(default_factory=list)
    num_views: int = 0
    worst_psnr_db: float = math.inf
    num_unhashed: int = 0


def rerender(
    path: str | Path,
    source: MeshSource,
    backend: Backend | None,
    *,
    num_views: int = 32,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> RerenderReport:
    """Render views of a data set again and compare pictures, further outputs, point clouds and meshes.

    Args:
        path: Path of the data set.
        source: Source of its meshes.
        backend: Backend that renders; it need not be the one that rendered the data set. None: images are
            not compared, or there are none.
        num_views: Number of views, chosen at random and spread over the shards; all views if there are fewer.
        seed: Seed of the choice.
        progress: Function called after each object with the number of finished views and of all views.

    Raises:
        IntegrityError: The data set cannot be read; verify it first.
        InvalidInputError: ``num_views`` is below 1.
    """
    if num_views < 1:
        raise InvalidInputError(f"--views {num_views}: there must be at least one")
    dataset = open_dataset(path)
    recipe = Recipe.from_dict(dataset.manifest.recipe, "in manifest.json")
    source, tally = with_twins(source, mirrored=recipe.mirrored), _Tally()
    chosen = select_views(dataset, num_views, seed)
    num_total, num_done = sum(len(views) for rows in chosen.values() for views in rows.values()), 0
    for name, rows in chosen.items():
        with dataset.open_split(name) as split:
            for row, views in rows.items():
                _ObjectComparison(split, row, recipe, tally).compare(source, backend, views)
                num_done += len(views)
                if progress is not None:
                    progress(num_done, num_total)
    notes = ()
    if tally.num_unhashed:
        notes = (f"{tally.num_unhashed} objects came without the hash of their mesh, so it was not compared",)
    return RerenderReport(
        tuple(tally.problems), notes, num_views=tally.num_views, worst_psnr_db=tally.worst_psnr_db
    )


def select_views(dataset: Dataset, num_views: int, seed: int) -> dict[str, dict[int, list[int]]]:
    """Choose ``num_views`` distinct views at random, taking the shards in turn.

    Args:
        dataset: Data set to choose from.
        num_views: Number of views, at least 1; all views if there are fewer.
        seed: Seed of the choice.

    Returns:
        For each split's name, the chosen rows and for each row the view numbers, all sorted.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    first = dict.fromkeys(dataset.splits, 0)
    pools: list[Iterator[tuple[str, int, int]]] = []
    for shard in dataset.manifest.shards:
        start = first[shard.split]
        first[shard.split] += shard.objects
        pools.append(_iter_shuffled(rng, shard.split, start, (shard.objects, shard.views)))
    rng.shuffle(pools)  # pyright: ignore[reportArgumentType]
    chosen: defaultdict[str, defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    num_left = min(num_views, dataset.manifest.totals.images)
    while num_left:
        for pool in pools[:]:
            item = next(pool, None)
            if item is None:
                pools.remove(pool)
            elif num_left:
                split, row, view = item
                chosen[split][row].append(view)
                num_left -= 1
    return {name: {row: sorted(rows[row]) for row in sorted(rows)} for name, rows in chosen.items()}


def _iter_shuffled(
    rng: np.random.Generator, split: str, start: int, shape: tuple[int, int]
) -> Iterator[tuple[str, int, int]]:
    """Return split, row and view of each view of a shard, in random order.

    Args:
        rng: Random generator.
        split: Split of the shard.
        start: Row of the shard's first object in the split.
        shape: Numbers of objects and of views per object.
    """
    # Not a generator function: the permutation must be drawn now, so that all shards draw in their order.
    order = rng.permutation(shape[0] * shape[1]).tolist()
    return ((split, start + index // shape[1], index % shape[1]) for index in order)


@dataclass(frozen=True, slots=True)
class _ObjectComparison:
    """The comparison of one object of the data set."""

    split: Split
    row: int
    recipe: Recipe
    tally: _Tally

    @property
    def _record(self) -> ObjectRecord:
        return self.split.objects[self.row]

    def _add_problem(self, text: str) -> None:
        self.tally.problems.append(f"{self.split.name}: object {self._record.id}{text}")

    def compare(self, source: MeshSource, backend: Backend | None, views: Sequence[int]) -> None:
        """Load the object's mesh, render the views again, and note what differs."""
        record = self._record
        try:
            mesh = load_mesh(source, record.id)
            digest = source.compute_digest(record.id, mesh)
            if record.source_sha256 and digest != record.source_sha256:
                self._add_problem(
                    f": its mesh is not the one that was rendered (sha256 {digest[:16]}…, then "
                    f"{record.source_sha256[:16]}…); give the meshes the data set was made from"
                )
                return
            self.tally.num_unhashed += not record.source_sha256
            self._compare_parts(mesh)
            self._compare_arrays(mesh, find_source_arrays(source, record.id), views)
            if backend is not None:
                self._compare_views(mesh, backend, views)
            self.tally.num_views += len(views)
        except MeshError as error:
            self._add_problem(f": its mesh cannot be used any more: {error}")
        except IntegrityError as error:
            self._add_problem(f": {error}")

    def _compare_arrays(
        self, mesh: Mesh, source_arrays: Mapping[str, NDArray[Any]], views: Sequence[int]
    ) -> None:
        """Compare the arrays of the object, and those of some views, with those that its mesh gives."""
        shown = self._make_shown_object(mesh, source_arrays)
        arrays = compute_object_arrays(shown)
        for name in order_arrays(arrays.keys() - PART_POSE_ARRAYS):
            stored = self.split.read_array(self.row, name) if self._has_array(name) else None
            if stored is None or not _is_close(stored, arrays[name]):
                self._add_problem(f": its {_NAMES.get(name, name)} is not the one that its mesh gives")
        for name, expected in compute_view_arrays(shown).items():
            for view in views:
                if not _is_close(self.split.read_output(self.row, view, name), expected[view]):
                    self._add_problem(f", view {view}: its {name} is not the one that its mesh gives")

    def _has_array(self, name: str) -> bool:
        return name in FIRST_ARRAYS or name in self.split.manifest.arrays

    def _make_shown_object(self, mesh: Mesh, source_arrays: Mapping[str, NDArray[Any]]) -> ShownObject:
        views = np.arange(self.split.num_views)
        labels = self.split.get_labels(np.full(len(views), self.row), views)
        scenes = self._make_scenes(self.recipe.schema.select_scene_columns(labels))
        record = self._record
        return ShownObject(
            self.recipe,
            record.id,
            record.category,
            mesh,
            labels,
            scenes.object_to_world,
            self._read_part_poses(),
            source_arrays,
        )

    def _compare_parts(self, mesh: Mesh) -> None:
        """Compare the stored poses of parts and values of joints with those that the recipe gives."""
        stored = self._read_part_poses()
        if self._record.parts != mesh.parts or (stored is None) != (not mesh.parts):
            raise IntegrityError("its parts are not those of its mesh")
        if stored is None:
            return
        views = np.arange(self.split.num_views)
        scenes = self._make_scenes(self._get_scene_labels(views))
        expected = pose_parts(self.recipe, self._record.id, mesh, views, scenes.object_to_world)
        for name in ("part_pose", "joint_values"):
            one, other = getattr(stored, name), getattr(expected, name)
            if one.shape != other.shape:
                raise IntegrityError(f"its {name} is of other parts than its mesh has")
            if not np.allclose(one, other, rtol=0, atol=POSE_TOLERANCE):
                self._add_problem(f": its {name} is not what the recipe gives for its mesh")

    def _read_part_poses(self) -> PartPoses | None:
        poses, values = self.split.read_part_pose(self.row), self.split.read_joint_values(self.row)
        if poses is None:
            return None
        return PartPoses(poses, np.zeros((len(poses), 0), np.float32) if values is None else values)

    def _get_scene_labels(self, views: NDArray[np.int64]) -> LabelArray:
        labels = self.split.get_labels(np.full(len(views), self.row), views)
        return self.recipe.schema.select_scene_columns(labels)

    def _make_scenes(self, labels: LabelArray) -> Scenes:
        return scenes_from_labels(self.recipe.schema.scene_names, labels)

    def _compare_views(self, mesh: Mesh, backend: Backend, views: Sequence[int]) -> None:
        drawn = list_drawn_views(self.recipe, views)
        numbers = np.array(drawn.numbers, dtype=np.int64)
        labels, parts = self._get_scene_labels(numbers), self._read_part_poses()
        scenes = self._make_scenes(labels)
        scenes = scenes if parts is None else parts[numbers].add_to_scenes(mesh, scenes)
        setting = self.recipe.image_size_px, quality_from_recipe(self.recipe)
        rgb, extras = begin_outputs(backend, mesh, scenes, *setting, self.recipe.drawn_outputs, drawn)()
        for index, view in enumerate(views):
            self._compare_outputs(view, {name: images[index] for name, images in extras.items()})
            if not self.recipe.has_pictures:
                continue
            stored = decode_jpeg(self.split.read_jpeg(self.row, view))
            error = _compute_squared_error(stored, self._to_stored(rgb[index : index + 1])[0])
            self._check_picture(view, error)
            moved, neighbors = zip(
                *iter_neighbors(self.recipe.schema.scene_names, labels[index]), strict=True
            )
            motions = scenes.part_motions
            near = replace(
                self._make_scenes(np.stack(neighbors)),
                part_motions=None if motions is None else np.repeat(motions[index, None], len(moved), axis=0),
            )
            others = backend.render(mesh, near, *setting, ("rgb",))
            errors = [_compute_squared_error(stored, other) for other in self._to_stored(others.rgb)]
            self._check_neighbors(view, error, list(zip(errors, moved, strict=True)))

    def _to_stored(self, rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """Return pictures as the data set's files hold them: in its channel order, after JPEG compression."""
        return [decode_jpeg(data) for data in encode_views(self.recipe, rgb)]

    def _check_picture(self, view: int, error: float) -> None:
        psnr = 10 * math.log10(255**2 / error) if error else math.inf
        self.tally.worst_psnr_db = min(self.tally.worst_psnr_db, psnr)
        if psnr < MIN_PSNR_DB:
            self._add_problem(
                f", view {view}: rendered again, it differs from the stored picture: PSNR {psnr:.1f} dB; "
                f"between backends it is at least {MIN_PSNR_DB:.0f} dB"
            )

    def _check_neighbors(self, view: int, own_error: float, others: Sequence[tuple[float, str]]) -> None:
        error, name = min(others)
        if error < NEIGHBOR_ERROR_RATIO * own_error:
            self._add_problem(
                f", view {view}: the stored picture is nearer to a label with another {name}: the label is "
                f"wrong by about a step, {FACTOR_STEPS[name]:.3g}, or more"
            )

    def _compare_outputs(self, view: int, drawn: Mapping[str, NDArray[Any]]) -> None:
        for name, array in drawn.items():
            stored = self.split.read_output(self.row, view, name)
            # Through the same encoding as the stored ones, so that its rounding makes no difference.
            rendered = decode_output(name, encode_output(name, array), self.recipe.image_size_px)
            share = _compute_share_beyond(stored, rendered, TOLERANCES[name])
            if share > MAX_DIFFERENT_SHARE:
                self._add_problem(
                    f", view {view}: {share:.1%} of its {name} pixels differ from those that its mesh gives"
                )


def iter_neighbors(names: Sequence[str], label: LabelArray) -> Iterable[tuple[str, LabelArray]]:
    """Yield the labels one step up and one step down in each factor of a label [L], with the factor's name.

    Labels outside of a factor's physical range are left out.
    """
    for index, name in enumerate(names):
        if name not in FACTOR_STEPS:
            continue
        standard = STANDARD_FACTORS_BY_NAME[name]
        for sign in (1, -1):
            moved = label.copy()
            moved[index] += sign * np.float32(FACTOR_STEPS[name])
            if standard.factor.unit == "turn":
                moved[index] %= 1
            if standard.minimum <= moved[index] <= standard.maximum:
                yield name, moved


def _compute_squared_error(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the mean squared error of two pictures; infinite if their sizes differ."""
    if first.shape != second.shape:
        return math.inf
    difference = first.astype(np.int32) - second.astype(np.int32)
    return float((difference**2).mean())


def _compute_share_beyond(first: NDArray[Any], second: NDArray[Any], tolerance: float) -> float:
    """Return the share of pixels [S, S] at which any channel differs by more than the tolerance."""
    beyond = np.abs(first.astype(np.float64) - second.astype(np.float64)) > tolerance
    return float(beyond.reshape(*first.shape[:2], -1).any(axis=-1).mean())


def _is_close(first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Return True if two arrays are of one form and differ by rounding at most."""
    if (first.shape, first.dtype) != (second.shape, second.dtype):
        return False
    exact = first.dtype.kind != "f"
    return np.array_equal(first, second) if exact else np.allclose(first, second, atol=ARRAY_TOLERANCE)
