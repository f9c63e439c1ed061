"""The loader of online views: batches are rendered during training, and no view comes twice.

This module does not import the renderer. Worker processes import it by name, and write their views into
shared memory like the workers of ``Loader``.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np

from turntable.choices import QualityName, SourceName, check_choice
from turntable.datasets import Recipe, Selection, load_recipe
from turntable.datasets.draws import (
    LATENTS,
    OBJECT_INDEX,
    VIEW_INDEX,
    FillReport,
    ObjectInventory,
    ObjectQuery,
    RenderBlocks,
    RenderSetup,
    ViewRequest,
)
from turntable.datasets.files import compute_json_sha256
from turntable.datasets.labels import OUTPUT_FIELDS, LabelSchema
from turntable.datasets.objects import SPLITS
from turntable.errors import DeviceLostError, InvalidInputError
from turntable.home import expand_home
from turntable.loaders.argument_checks import (
    check_flag,
    check_integer,
    check_number,
    check_paths,
    check_texts,
    check_type,
    is_integer,
)
from turntable.loaders.batch_config import BatchConfig, check_config
from turntable.loaders.draws import SampleDraws
from turntable.loaders.engines import (
    Arrays,
    BatchEngine,
    BatchLoader,
    BatchPlan,
    BatchRequest,
    CorruptView,
    RawBatch,
    SampleOrder,
    SharedMemoryEngine,
    fill_crops,
    make_image_specs,
)
from turntable.loaders.fields import (
    IMAGES,
    BatchFields,
    DataDescription,
    LeadingAxes,
    NamedArrays,
    SampledViews,
    format_crop_field,
    name_arrays,
    resolve_fields,
)
from turntable.loaders.renderer_scheduler import RendererScheduler
from turntable.loaders.sampling import Fresh, Sampler, select_all_views
from turntable.loaders.warning_tally import WarningTally
from turntable.processes import ArraySpec, Layout, WorkerPool

_RENDERER = "turntable.renderer.online:open_view_renderer"
_PLANNER = "turntable.renderer.online:open_inventory_worker"
_STALL_S = 3600.0
"""Seconds of silence after which a renderer counts as hung.

Large images rendered in software take long, and so do several meshes in a row that run into their time limit.
"""
_LOG = getLogger("turntable.loaders")


class OnlineLoader(BatchLoader):
    """Batches like those of ``Loader``, of views that are rendered during training. No view comes twice.

    Fields, labels and types are those that :class:`~turntable.loaders.Loader` would give for a data set
    rendered from the same recipe and meshes. ``object_index`` is the row that an object would have in that
    data set if no object were left out.

    View numbers go on without end. A view's labels depend on its object and its number alone
    (``draw_factors``). So the order, the labels and (on one kind of device) the pixels are a pure function of
    (seed, epoch) for any number of ranks and renderers, and ``state_dict`` resumes them exactly.

    Args:
        recipe: Name of a shipped recipe, path of a TOML file, or a Recipe. Recipes with a limited number of
            views (those of a published stream, and those imported with their images) are refused.
        meshes: Folder of the meshes; None if the source generates them.
        config: Settings of the batches. ``num_workers`` renderers are started, at least one; they take the
            devices in turn. ``sampler`` must be ``Fresh``; with ``samples_per_visit`` above 1 a mesh is
            loaded once for several samples. ``split`` divides objects as ``turntable render`` does. ``seed``
            decides the order of samples; the seed of the views is the recipe's. ``max_corrupt_views`` limits
            the number of unusable objects, each of which counts once, with the first view that was requested.
            The next usable object of the split takes its place, with its own labels and with views that are
            not used elsewhere.
        source: Kind of meshes; None: as the recipe says.
        backend: Rendering backend: "moderngl", "embree", "pyrender", or "auto" for the best one available.
        device: Rendering device: "software", "egl:N" or "cuda:N", several separated by commas, or "auto" for
            all GPUs.
        quality: Amount of work that goes into an image; None: as the recipe says.
        objects: Largest number of objects (of all splits together, taken in turn from every category), or the
            ids of the objects to use.
        split_files: Paths of SIE's val_images.npy and train_images.npy, which then replace turntable's own
            division into splits.
        window_objects: Number of objects that samples are drawn from at a time; None: all objects at once.
        through_jpeg: True if images are compressed as JPEG and decoded again, like those of a stored data
            set.
        load_seconds: Time limit in seconds for loading an object's files; a slower object is unusable.
        load_memory: Memory limit in GiB for loading an object's files; a larger object is unusable.
        links_under: Folders into which links in the folder of the meshes may lead, besides that folder.

    Raises:
        InvalidInputError: An argument is wrong, there are no objects, or an epoch has less than one batch.
        DeviceError: No device can render.
        MissingExtraError: A library that the backend needs is not installed.
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
        links_under: Sequence[str | Path] = (),
    ) -> None:
        check_config(config)
        sampler = _check_sampler(config.sampler)
        check_choice("split", config.split, SPLITS)
        _check_selection(config.selection)
        if window_objects is not None:
            window_objects = check_integer("window_objects", window_objects, 1, ", or None for all")
        load_limits = (
            check_number("load_seconds", load_seconds, above_zero=True),
            int(check_number("load_memory", load_memory, above_zero=True) * 2**30),
        )
        through_jpeg = check_flag("through_jpeg", through_jpeg)
        _check_types(recipe, meshes, backend, device)
        config.make_plan()  # ranks that cannot share a batch are an error before any process is started
        changes = {"source": source, "quality": quality, "image_size_px": config.image_size}
        self.recipe = _prepare_recipe(
            recipe, {name: value for name, value in changes.items() if value is not None}
        )
        """Recipe of the views, with the changes that the arguments ask for."""
        blocks = _make_blocks(self.recipe, sampler)
        data = DataDescription.from_recipe(self.recipe)
        fields = resolve_fields(config.fields, data, sampler.views, config.quaternion_sign)
        outputs = dict.fromkeys(OUTPUT_FIELDS[item.name].output for item in fields.stored)
        drawn = self.recipe.replace(outputs=["rgb", *outputs])
        query = ObjectQuery(
            drawn,
            None if meshes is None else str(expand_home(meshes).resolve()),
            config.split,
            *_split_objects(objects),
            check_paths("split_files", split_files),
            backend,
            device,
            check_paths("links_under", links_under),
        )
        self.inventory = _query_inventory(query)
        """The objects of the split, by row, and their categories."""
        self.mesh_warnings = WarningTally()
        """Warnings about the meshes of the objects met so far. The first of each kind is logged."""
        for text in self.inventory.warnings:
            _LOG.warning("%s", text)
        num_objects = len(self.inventory.object_ids)
        self._setup = RenderSetup(query, self.inventory, blocks, through_jpeg, *load_limits)
        draws = config.make_draws(self.recipe.image_size_px, sampler.views)
        self._leading_axes = LeadingAxes.from_fields(
            (*fields, *draws.list_fields(sampler.views)), sampler.views
        )
        self._completer = _BatchCompleter(fields, self._leading_axes, drawn.schema, self.inventory, draws)
        self._num_workers = max(1, config.num_workers)

        super().__init__(
            f"{self.recipe.name}, rendered online",
            _compute_fingerprint(self.recipe, self.inventory, through_jpeg),
            SampleOrder(
                # One object per "shard": windows are then counted in objects.
                select_all_views([1] * num_objects, sampler.views, data.sequence_length),
                sampler,
                config.seed,
                window_objects,
                config.split,
            ),
            config.make_plan,
            output=config.output,
            pin_memory=config.pin_memory,
            max_corrupt_views=config.max_corrupt_views,
        )

    def _make_engine(self) -> BatchEngine:
        return _OnlineEngine(
            self._setup,
            self._completer,
            self._plan,
            self._num_workers,
            self.mesh_warnings,
            pinned=self._pin_memory,
        )

    def _name_arrays(self, raw: RawBatch, num_rows: int) -> NamedArrays:
        return name_arrays(raw.arrays, self._leading_axes, self.view_sampler.naming, num_rows)

    def close(self) -> None:
        """End all workers, and log the sums of the warnings about meshes."""
        super().close()
        self.mesh_warnings.log_sums()

    def _record_corrupt_views(self, corrupt: Iterable[CorruptView]) -> None:
        """Record each unusable object once, however many of its views were requested."""
        recorded = {row for row, _ in self.corrupt_views}
        first_by_object: dict[int, CorruptView] = {}
        for view in corrupt:
            first_by_object.setdefault(view.object, view)
        super()._record_corrupt_views(view for row, view in first_by_object.items() if row not in recorded)


@dataclass(frozen=True, slots=True, eq=False)
class _BatchCompleter:
    """The computation of the fields that renderers do not write: labels, categories and what is drawn."""

    fields: BatchFields
    leading_axes: LeadingAxes
    schema: LabelSchema
    inventory: ObjectInventory
    draws: SampleDraws

    def complete(self, arrays: Arrays, request: BatchRequest) -> dict[str, Any]:
        """Return all arrays of a batch, in the layout of ``leading_axes``.

        Args:
            arrays: Arrays as renderers have filled them; a short batch uses only their first rows.
            request: Request that the batch answers.
        """
        num_rows = len(request.samples)
        batch = {
            name: array[:num_rows] if name == OBJECT_INDEX else array[:, :num_rows]
            for name, array in arrays.items()
            if name != LATENTS
        }
        labels = arrays[LATENTS][:, :num_rows].swapaxes(0, 1)
        computed = self.fields.compute(SampledViews(self.schema, labels, batch[OBJECT_INDEX]))
        computed |= self.draws.draw(request.epoch, request.positions, self.leading_axes.num_views)
        for name, values in computed.items():
            batch[name] = np.ascontiguousarray(values.swapaxes(0, 1) if self.leading_axes(name) else values)
        batch |= self._cut_crops(batch)
        return batch | {"category": self.inventory.category_indices[batch[OBJECT_INDEX]]}

    def _cut_crops(self, batch: Arrays) -> dict[str, Any]:
        """Return the images of crops, [B, n, size, size, 3] by name."""
        num_rows = len(batch[OBJECT_INDEX])
        crops = {
            format_crop_field(number): np.empty((num_rows, rule.count, *[rule.size_px] * 2, 3), np.uint8)
            for number, rule in enumerate(self.draws.crops)
        }
        for index in np.ndindex(*batch[IMAGES].shape[:2]) if crops else ():
            fill_crops({**batch, **crops}, self.draws.crops, index, batch[IMAGES][index])
        return crops


class _OnlineEngine(SharedMemoryEngine):
    """The engine whose workers are renderers. An object's samples go to the renderer that has its mesh."""

    def __init__(
        self,
        setup: RenderSetup,
        completer: _BatchCompleter,
        plan: BatchPlan,
        num_workers: int,
        mesh_warnings: WarningTally,
        *,
        pinned: bool,
    ) -> None:
        layout = _make_layout(setup, completer.fields, plan.rank_batch_size)
        super().__init__(_RENDERER, {"setup": setup}, layout, num_workers, pinned=pinned, stall_s=_STALL_S)
        self._completer = completer
        self._mesh_warnings = mesh_warnings
        self._scheduler = RendererScheduler(num_workers, setup.blocks)
        self._first_renderer = plan.rank * num_workers
        """Number of this rank's first renderer among the renderers of all ranks."""

    def make_batches(self, requests: Iterable[BatchRequest]) -> Generator[RawBatch, None, None]:
        """Yield the batches in order. All renderers that have objects of a batch work on it."""
        started = deque[BatchRequest]()
        with closing(self._pool.run(self._iter_jobs(requests, started))) as filled:
            try:
                for job in filled:
                    reports: Sequence[FillReport] = job.reports
                    for report in reports:
                        self._mesh_warnings.add(report.warnings)
                    unusable = (item for report in reports for item in report.unusable)
                    corrupt = [CorruptView(item.row, item.view, item.reason) for item in unusable]
                    arrays = self._completer.complete(job.arrays, started.popleft())
                    del job  # or its slot would be held until the next job is done
                    corrupt.sort(key=lambda view: (view.object, view.view))
                    yield RawBatch(arrays, tuple(corrupt), self._pinned)
                    del arrays
            except DeviceLostError as error:
                raise DeviceLostError(
                    f"{error}. The position is not lost: resume from the last state_dict()"
                ) from error

    def _iter_jobs(
        self, requests: Iterable[BatchRequest], started: "deque[BatchRequest]"
    ) -> Iterator[list[ViewRequest | None]]:
        """Yield the parts of each batch, one for each renderer, and note the batch in ``started``."""
        for batch in requests:
            started.append(batch)
            objects, views = batch.samples.objects, batch.samples.views
            yield [
                ViewRequest(rows, objects[rows], views[rows], self._first_renderer + number)
                if len(rows)
                else None
                for number, rows in enumerate(self._scheduler.assign_rows(objects, views[:, 0]))
            ]


def _prepare_recipe(recipe: Recipe | str | Path, changes: dict[str, Any]) -> Recipe:
    """Return the recipe with some changes, without the outputs and points of stored data sets.

    Raises:
        InvalidInputError: The recipe has a limited number of views.
    """
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    changed = loaded.replace(**changes, outputs=["rgb"], points=0)
    if changed.draws == "imported":
        raise InvalidInputError(
            f"recipe {changed.name}: its labels were imported with its images, so no new views can be drawn; "
            "load the data set, or use one of turntable's own recipes"
        )
    if changed.draws == "numpy-legacy":
        raise InvalidInputError(
            f"recipe {changed.name}: the published stream has {changed.views} views of each object, so no "
            'new views can be drawn; render it (turntable render), or use a recipe with draws = "philox", '
            "such as 3diebench"
        )
    return changed


def _make_blocks(recipe: Recipe, sampler: Fresh) -> RenderBlocks:
    length = 0 if recipe.sequence is None else recipe.sequence.length
    if length and sampler.views > length:
        raise InvalidInputError(
            f"Fresh({sampler.views}): the sequences of {recipe.name} have only {length} views; use fewer"
        )
    return RenderBlocks(sampler.views, max(sampler.views, length), sampler.samples_per_visit)


def _check_selection(selection: Selection) -> None:
    if not selection.is_whole:
        raise InvalidInputError(
            f"selection ({selection}): views that are rendered online have no end; render a data set, or "
            "give the ids of objects"
        )


def _check_sampler(sampler: Sampler | None) -> Fresh:
    """Return the sampler, or the default one for None.

    Raises:
        InvalidInputError: It is not a ``Fresh``.
    """
    if sampler is None:
        return Fresh()
    if not isinstance(sampler, Fresh):
        raise InvalidInputError(
            f"sampler {sampler!r}: OnlineLoader needs Fresh(views, visits, samples_per_visit), because its "
            "views never come twice; for other samplers render a data set"
        )
    return sampler


def _check_types(recipe: object, meshes: object, backend: object, device: object) -> None:
    check_type("recipe", recipe, (Recipe, str, Path), "give a name, the path of a TOML file, or a Recipe")
    if meshes is not None:
        check_type("meshes", meshes, (str, Path), "give the path of a folder, or None for the zoo")
    for name, value in (("backend", backend), ("device", device)):
        check_type(name, value, str, "give its name, such as 'auto'")


def _split_objects(objects: object) -> tuple[int | None, tuple[str, ...] | None]:
    """Return the largest number of objects and the ids of the objects, one or both of which are None.

    Raises:
        InvalidInputError: It is neither a number nor a list of ids.
    """
    if objects is None:
        return None, None
    if is_integer(objects):
        return check_integer("objects", objects, 1), None
    return None, check_texts("objects", objects)


def _query_inventory(query: ObjectQuery) -> ObjectInventory:
    """Find the objects of a split in a worker process, which can import the renderer."""
    pool = WorkerPool(_PLANNER, {}, {"nothing": ArraySpec((1,), "uint8")}, num_workers=1, num_ahead=1)
    try:
        (job,) = pool.run([[query]])
        return job.reports[0]
    finally:
        pool.close()


def _make_layout(setup: RenderSetup, fields: BatchFields, num_rows: int) -> Layout:
    """Return the arrays that renderers fill: [k, B, ...] for what each view has, [B] for the objects."""
    recipe, leading_axes = setup.query.recipe, (setup.blocks.num_views, num_rows)
    view_specs = make_image_specs(recipe.image_size_px, fields.stored) | {
        LATENTS: ArraySpec((len(recipe.factors),), "float32"),
        VIEW_INDEX: ArraySpec((), "int64"),
    }
    layout = {name: ArraySpec((*leading_axes, *spec.shape), spec.dtype) for name, spec in view_specs.items()}
    return layout | {OBJECT_INDEX: ArraySpec((num_rows,), "int64")}


def _compute_fingerprint(recipe: Recipe, inventory: ObjectInventory, through_jpeg: bool) -> str:
    """Compute the hash of all that decides labels and images, except the device."""
    return compute_json_sha256(
        {
            "recipe": recipe.digest,
            "objects": list(inventory.object_ids),
            "classes": inventory.category_indices.tolist(),
            "through_jpeg": through_jpeg,
        }
    )
