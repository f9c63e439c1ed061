"""Batches of views that are rendered beside the trainer, when it wants them, and never come again.

Nothing of the renderer is imported here: its processes are started by name, and speak through the ring.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np

from turntable.choices import QualityName, SourceName, check_choice
from turntable.datasets import Recipe, load_recipe
from turntable.datasets.draws import (
    LATENTS,
    OBJECT_INDEX,
    VIEW_INDEX,
    Blocks,
    IntArray,
    Inventory,
    ObjectQuery,
    RenderSetup,
    Unusable,
    ViewRequest,
)
from turntable.datasets.files import sha256_of
from turntable.datasets.labels import LabelSchema
from turntable.datasets.objects import SPLITS
from turntable.errors import DeviceLostError, InvalidInputError
from turntable.loaders.augmentation import Augmentation
from turntable.loaders.batch_config import BatchConfig, check_config
from turntable.loaders.engines import (
    Arrays,
    BatchEngine,
    BatchLoader,
    BatchPlan,
    CorruptView,
    MadeBatch,
    Order,
    RingEngine,
    Wanted,
    picture_specs,
)
from turntable.loaders.fields import (
    BatchFields,
    FieldSource,
    LeadingAxes,
    Named,
    SampledViews,
    named_batch,
    resolve_fields,
)
from turntable.loaders.sampling import Fresh, Sampler, whole_split
from turntable.processes import ArraySpec, Crew, Layout

_RENDERER = "turntable.renderer.online:open_filler"
_PLANNER = "turntable.renderer.online:open_planner"
_STALL_S = 3600.0
"""Meshes that time out, one after the other, take long, and so do large pictures in software."""
_LOG = getLogger("turntable.loaders")


class OnlinePairs(BatchLoader):
    """Batches as ``Loader`` gives them, of views that renderers draw beside the trainer: no view comes twice.

    Fields, labels and types are those of :class:`~turntable.loaders.Loader` over a data set that was rendered
    of the same recipe and meshes; rows of objects are those that it would have, were no object left out. View
    numbers go on without end, and a view's label depends on its object and number alone (``draw_factors``):
    so the order, the labels and, on one kind of device, the pixels are a pure function of (seed, epoch) for
    any number of ranks and renderers, and ``state_dict`` resumes them exactly.

    Args:
        recipe: a shipped one's name, a TOML file, or a Recipe. One whose draws end (of a published stream,
            or imported with its pictures) is refused.
        meshes: their folder; None for the zoo.
        config: what batches are to be, of renderers as many as it has workers, one at least, which take the
            devices in turn. Its sampler is ``Fresh``: how many views make a sample, and how often an object
            comes; with ``samples_per_visit`` above 1 its mesh is loaded and laid out once for all of them.
            Its split is as ``turntable render`` divides objects, its seed is not that of the views, which is
            the recipe's. ``max_corrupt_views`` bounds objects that turn out unusable, each counted once, by
            the first of its views that was wanted. The next usable object of the split takes the place, with
            views that never come otherwise, and its own labels.
        source: what kind of meshes, if not as the recipe says.
        backend: what draws: "moderngl", "embree", "pyrender", or "auto" for the best there is.
        device: where: "software", "egl:N" or "cuda:N", several with commas, or "auto" for every GPU.
        quality: how much work goes into a picture, if not as the recipe says.
        objects: at most so many (of all splits, in turn from every category), or the ids of some.
        split_files: SIE's val_images.npy and train_images.npy, in place of our own division.
        window_objects: the order goes through so many objects at a time; None: through all of them at once.
        through_jpeg: whether pictures go through the recipe's JPEG, as those of a stored data set.
        load_seconds: an object whose files take longer to load cannot be used.
        load_memory: nor one that takes more memory to load, in GiB.

    Raises:
        InvalidInputError: an argument cannot be right, there are no objects, or an epoch has not one batch.
        DeviceError: nothing here can draw.
        MissingExtraError: what the backend needs is not installed.
    """

    def __init__(
        self,
        recipe: Recipe | str | Path,
        meshes: str | Path | None = None,
        config: BatchConfig = BatchConfig(sampler=Fresh()),
        *,
        source: SourceName | None = None,
        backend: str = "auto",
        device: str = "auto",
        quality: QualityName | None = None,
        objects: int | Sequence[str] | None = None,
        split_files: Sequence[str | Path] = (),
        window_objects: int | None = 64,
        through_jpeg: bool = True,
        load_seconds: float = 120.0,
        load_memory: float = 8.0,
    ) -> None:
        check_config(config)
        sampler = _fresh(config.sampler)
        _check(config.split, window_objects)
        changes = {"source": source, "quality": quality, "image_size_px": config.image_size}
        self.recipe = _endless(recipe, {name: value for name, value in changes.items() if value is not None})
        """Of all views."""
        blocks = _blocks(self.recipe, sampler)
        source_of_fields = FieldSource.of_recipe(self.recipe)
        fields = resolve_fields(config.fields, source_of_fields, sampler.views, config.quaternion_sign)
        drawn = self.recipe.replace(outputs=["rgb", *(item.name for item in fields.stored)])
        plan = config.plan()
        query = ObjectQuery(
            drawn,
            None if meshes is None else str(Path(meshes).resolve()),
            config.split,
            objects if isinstance(objects, int) else None,
            None if objects is None or isinstance(objects, int) else tuple(objects),
            tuple(str(Path(path).resolve()) for path in split_files),
            backend,
            device,
        )
        self.inventory = _asked(query)
        """The objects of the split, by row, and the classes."""
        for text in self.inventory.warnings:
            _LOG.warning("%s", text)
        count = len(self.inventory.ids)
        limits = (load_seconds, int(load_memory * 2**30))
        self._setup = RenderSetup(query, self.inventory, blocks, through_jpeg, *limits)
        self._lead = LeadingAxes.of(fields, sampler.views)
        self._completion = _Completion(
            fields, self._lead, drawn.schema, self.inventory, config.augmentation, config.seed
        )
        self._workers = max(1, config.num_workers)
        length = source_of_fields.sequence_length
        super().__init__(
            f"{self.recipe.name}, rendered online",
            _fingerprint(self.recipe, self.inventory, through_jpeg),
            Order(
                whole_split([1] * count, sampler.views, length),
                sampler,
                config.seed,
                window_objects,
                config.split,
            ),
            plan,
            output=config.output,
            pin_memory=config.pin_memory,
            max_corrupt_views=config.max_corrupt_views,
        )

    def _make_engine(self) -> BatchEngine:
        return _RenderRing(self._setup, self._completion, self._plan, self._workers, pinned=self._pinned)

    def _named(self, made: MadeBatch, rows: int) -> Named:
        return named_batch(made.arrays, self._lead, self.sampler.naming, rows)

    def _count(self, corrupt: Iterable[CorruptView]) -> None:
        """Each object once, however often it was wanted."""
        known = {row for row, _ in self.corrupt_views}
        firsts: dict[int, CorruptView] = {}
        for view in corrupt:
            firsts.setdefault(view.object, view)
        super()._count(view for row, view in firsts.items() if row not in known)


@dataclass(frozen=True, slots=True, eq=False)
class _Completion:
    """What a batch holds besides what renderers write: it follows from that and from its samples."""

    fields: BatchFields
    lead: LeadingAxes
    schema: LabelSchema
    inventory: Inventory
    augmentation: Augmentation | None
    seed: int

    def complete(self, arrays: Arrays, wanted: Wanted) -> dict[str, Any]:
        """The arrays of a batch as its leading axes say; only its own rows."""
        count = len(wanted.samples)
        whole = {
            name: array[:count] if name == OBJECT_INDEX else array[:, :count]
            for name, array in arrays.items()
            if name != LATENTS
        }
        labels = arrays[LATENTS][:, :count].swapaxes(0, 1)
        computed = self.fields.compute(SampledViews(self.schema, labels, whole[OBJECT_INDEX]))
        if self.augmentation is not None:
            views = self.lead.views
            computed |= self.augmentation.parameters(self.seed, wanted.epoch, wanted.positions, views)
        for name, values in computed.items():
            whole[name] = np.ascontiguousarray(values.swapaxes(0, 1) if self.lead(name) else values)
        return whole | {"category": self.inventory.classes[whole[OBJECT_INDEX]]}


class _RenderRing(RingEngine):
    """The ring, with renderers for workers: an object's samples go to the one that has its mesh."""

    def __init__(
        self, setup: RenderSetup, completion: _Completion, plan: BatchPlan, workers: int, *, pinned: bool
    ) -> None:
        layout = _layout(setup, completion.fields, plan.rows)
        super().__init__(_RENDERER, {"setup": setup}, layout, workers, pinned=pinned, stall_s=_STALL_S)
        self._completion = completion
        self._routes = Routes(workers, setup.blocks)
        self._first = plan.rank * workers
        """Number of the first renderer among those of all ranks."""

    def make(self, wanted: Iterable[Wanted]) -> Iterator[MadeBatch]:
        """Each batch by all renderers that it has objects for."""
        begun = deque[Wanted]()
        with closing(self._crew.run(self._jobs(wanted, begun))) as filled:
            try:
                for job in filled:
                    unusable: list[Unusable] = [item for report in job.reports for item in report]
                    corrupt = (CorruptView(item.object, item.view, item.reason) for item in unusable)
                    arrays = self._completion.complete(job.arrays, begun.popleft())
                    del job  # else its slot would be held until the next one is there
                    yield MadeBatch(arrays, tuple(sorted(corrupt, key=lambda view: (view.object, view.view))))
                    del arrays
            except DeviceLostError as error:
                raise DeviceLostError(
                    f"{error}. The position is not lost: go on from the last state_dict()"
                ) from error

    def _jobs(self, wanted: Iterable[Wanted], begun: "deque[Wanted]") -> Iterator[list[ViewRequest | None]]:
        for batch in wanted:
            begun.append(batch)
            objects, views = batch.samples.objects, batch.samples.views
            yield [
                ViewRequest(rows, objects[rows], views[rows], self._first + number) if len(rows) else None
                for number, rows in enumerate(self._routes.share_out(objects, views[:, 0]))
            ]


class Routes:
    """Which of several renderers draws what: each gets as much, and an object stays where its mesh is.

    Args:
        workers: renderers.
        blocks: what is drawn at once, and costs nothing when it is wanted again.
    """

    def __init__(self, workers: int, blocks: Blocks) -> None:
        self._workers, self._blocks = workers, blocks
        self._latest: dict[int, tuple[int, int]] = {}
        """Of each object its renderer, and the block that it has drawn last."""

    def share_out(self, objects: IntArray, views: IntArray) -> list[IntArray]:
        """The rows [b] of a batch that each renderer is to draw.

        Args:
            objects: [B] rows in the split.
            views: [B] numbers of the first views.
        """
        keys = [
            (row, self._blocks.first(view))
            for row, view in zip(objects.tolist(), views.tolist(), strict=True)
        ]
        fresh = {(row, first) for row, first in keys if self._latest.get(row, (0, -1))[1] != first}
        share, loads = -(-len(fresh) // self._workers), [0] * self._workers
        rows: list[list[int]] = [[] for _ in loads]
        for at, (row, first) in enumerate(keys):
            worker, latest = self._latest.get(row, (-1, -1))
            if latest != first:
                if worker < 0 or loads[worker] >= share:
                    worker = loads.index(min(loads))
                loads[worker] += 1
                self._latest[row] = (worker, first)
            rows[worker].append(at)
        return [np.array(chosen, dtype=np.int64) for chosen in rows]


def _endless(recipe: Recipe | str | Path, changes: dict[str, Any]) -> Recipe:
    """The recipe, without what belongs to stored data sets alone.

    Raises:
        InvalidInputError: its views end.
    """
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    changed = loaded.replace(**changes, outputs=["rgb"], points=0)
    if changed.draws == "imported":
        raise InvalidInputError(
            f"recipe {changed.name}: its labels came with its pictures, and none can be drawn; load the data "
            "set, or take a recipe of our own"
        )
    if changed.draws == "numpy-legacy":
        raise InvalidInputError(
            f"recipe {changed.name}: the published stream has {changed.views} views of each object, and no "
            'other can be drawn; render it (turntable render), or take one with draws = "philox", such as '
            "3diebench"
        )
    return changed


def _blocks(recipe: Recipe, sampler: Fresh) -> Blocks:
    length = 0 if recipe.sequence is None else recipe.sequence.length
    if length and sampler.views > length:
        raise InvalidInputError(
            f"Fresh({sampler.views}): the sequences of {recipe.name} have {length} views; take fewer"
        )
    return Blocks(sampler.views, max(sampler.views, length), sampler.samples_per_visit)


def _fresh(sampler: Sampler | None) -> Fresh:
    """The sampler, if views that never come again can be drawn by it."""
    if sampler is None:
        return Fresh()
    if not isinstance(sampler, Fresh):
        raise InvalidInputError(
            f"sampler {sampler!r}: views that never come again are drawn by Fresh(views, visits, "
            "samples_per_visit); for others render a data set"
        )
    return sampler


def _check(split: str, window_objects: int | None) -> None:
    check_choice("split", split, SPLITS)
    if window_objects is not None and window_objects < 1:
        raise InvalidInputError(f"window_objects {window_objects}: must be at least 1, or None for all")


def _asked(query: ObjectQuery) -> Inventory:
    """What a process that can see the meshes answers."""
    crew = Crew(_PLANNER, {}, {"nothing": ArraySpec((1,), "uint8")}, workers=1, ahead=1)
    try:
        (answer,) = crew.run([[query]])
        return answer.reports[0]
    finally:
        crew.close()


def _layout(setup: RenderSetup, fields: BatchFields, rows: int) -> Layout:
    recipe, lead = setup.query.recipe, (setup.blocks.views, rows)
    of_views = picture_specs(recipe.image_size_px, fields.stored) | {
        LATENTS: ArraySpec((len(recipe.factors),), "float32"),
        VIEW_INDEX: ArraySpec((), "int64"),
    }
    layout = {name: ArraySpec((*lead, *spec.shape), spec.dtype) for name, spec in of_views.items()}
    return layout | {OBJECT_INDEX: ArraySpec((rows,), "int64")}


def _fingerprint(recipe: Recipe, inventory: Inventory, through_jpeg: bool) -> str:
    """What decides views, labels and pictures, the device apart."""
    return sha256_of(
        {
            "recipe": recipe.digest,
            "objects": list(inventory.ids),
            "classes": inventory.classes.tolist(),
            "through_jpeg": through_jpeg,
        }
    )
