"""Online rendering: renders the views that a trainer asks for and writes them into its batches.

The label and pixels of a view depend only on the object and the view's number, so it does not matter which
renderer draws it, or when. Two caches make it fast. One holds meshes. The other holds pictures: the first
sample of an object's visit renders the whole block of views that the visit's other samples take theirs from.
"""

import weakref
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import ObjectRecord, Recipe
from turntable.datasets.draws import (
    IMAGES,
    LATENTS,
    OBJECT_INDEX,
    VIEW_INDEX,
    FillReport,
    IntArray,
    ObjectInventory,
    ObjectQuery,
    RenderSetup,
    UnusableObject,
    ViewRequest,
)
from turntable.datasets.files import decode_jpeg
from turntable.datasets.labels import EXTRA_OUTPUTS, OUTPUT_FIELDS, LabelArray, to_channels_first
from turntable.datasets.objects import WarningRecord
from turntable.errors import IntegrityError, InvalidInputError, MeshError
from turntable.renderer.backends import Backend, open_backend, select_backend
from turntable.renderer.lru_cache import LRUCache
from turntable.renderer.meshes import Mesh, format_warning_examples, make_warning_records
from turntable.renderer.meshes.sources import (
    MeshSource,
    find_folder_problems,
    open_recipe_source,
    with_twins,
)
from turntable.renderer.runs import LoadedObject, LoadLimits, MeshLoader, ObjectSelection, plan_run
from turntable.renderer.views import RenderedViews, begin_views, encode_views

Arrays = Mapping[str, NDArray[Any]]

MESH_CACHE_BYTES = 2**30
"""Size of a renderer's mesh cache."""
BLOCK_CACHE_BYTES = 2**29
"""Size of a renderer's cache of rendered blocks."""
MAX_CONSECUTIVE_FAILURES = 16
"""Number of consecutive objects that may be unusable. If more fail, the cause is not the objects."""


def open_inventory_worker() -> "InventoryWorker":
    """Open a worker that answers queries for objects; called in the worker's process."""
    return InventoryWorker()


def open_view_renderer(setup: RenderSetup) -> "ViewRenderer":
    """Open a renderer of views; called in the renderer's process."""
    return ViewRenderer(setup, open_backend)


class InventoryWorker:
    """A worker that answers queries for the objects of a split. It writes into no batch."""

    def fill(self, arrays: Arrays, part: ObjectQuery) -> ObjectInventory:
        """Return the answer to a query; ``arrays`` is not used."""
        del arrays
        return take_inventory(part)


def take_inventory(query: ObjectQuery) -> ObjectInventory:
    """List the objects of a split as a data set made with the same recipe and meshes would hold them.

    Raises:
        InvalidInputError: The split has no objects or lacks a named one, or the backend is unknown.
        DeviceError: The backend finds no device it can use.
    """
    selection = ObjectSelection(query.max_objects, tuple(map(Path, query.split_files)))
    source = _open_source(query)
    planned = plan_run(query.recipe, source, selection)
    records = [record for shard in planned.shards for record in shard.objects]
    chosen = _select_records(records, query)
    categories = tuple(sorted({record.category for record in records}))
    category_index = {name: index for index, name in enumerate(categories)}
    choice = select_backend(query.backend, query.device)
    return ObjectInventory(
        tuple(record.id for record in chosen),
        np.array([category_index[record.category] for record in chosen], dtype=np.int64),
        categories,
        choice.backend,
        choice.devices,
        (*choice.warnings, *format_warning_examples(make_warning_records("", find_folder_problems(source)))),
    )


def _open_source(query: ObjectQuery) -> MeshSource:
    meshes = None if query.mesh_folder is None else Path(query.mesh_folder)
    return open_recipe_source(query.recipe, meshes, query.max_objects, links_under=query.links_under)


def _select_records(records: Sequence[ObjectRecord], query: ObjectQuery) -> list[ObjectRecord]:
    in_split = [record for record in records if record.split == query.split]
    if query.object_ids is not None:
        ids = set(query.object_ids)
        if missing := sorted(ids - {record.id for record in in_split}):
            raise InvalidInputError(
                f"{len(missing)} of {len(ids)} objects are not in the split {query.split} of these "
                f"meshes, such as {missing[0]}; turntable inspect lists ids"
            )
        in_split = [record for record in in_split if record.id in ids]
    if not in_split:
        raise InvalidInputError(
            f"none of the {len(records)} objects is in the split {query.split!r}; take more objects, or "
            "another split"
        )
    return in_split


_BlockKey: TypeAlias = tuple[int, int]
"""The key of a block of views: the object's row and the number of the block's first view."""


class ViewRenderer:
    """A renderer that draws samples into batches.

    Args:
        setup: Recipe, objects and limits of the loader.
        backend_opener: Function that makes the backend from its name and device; called at the first request.
    """

    def __init__(self, setup: RenderSetup, backend_opener: Callable[[str, int | None], Backend]) -> None:
        self._setup, self._backend_opener = setup, backend_opener
        self._opened = ExitStack()
        limits = LoadLimits(setup.max_load_seconds, setup.max_load_bytes)
        source = with_twins(_open_source(setup.query), mirrored=setup.query.recipe.mirrored)
        loader = self._opened.enter_context(MeshLoader(source, limits))
        self._mesh_cache = _MeshCache(loader)
        self._blocks = LRUCache[_BlockKey, _RenderedBlock](BLOCK_CACHE_BYTES)
        self._backend: Backend | None = None
        # Close the mesh loader also when this process exits without a word: the loader's child process must
        # have ended before this process waits for its children.
        weakref.finalize(self, self._opened.close)

    def fill(self, arrays: Arrays, part: ViewRequest) -> FillReport:
        """Render the samples of a request into a batch.

        Returns:
            The objects that cannot be drawn, and the warnings about the objects that were loaded. In place
            of an object that cannot be drawn, the next usable one of the split is.

        Raises:
            IntegrityError: So many consecutive objects cannot be drawn that something else must be wrong.
            DeviceError: There is no device, or it was lost.
        """
        self._open_backend(part.renderer_index)
        blocks = self._setup.blocks
        samples = defaultdict[_BlockKey, list[int]](list)
        for index, (row, view) in enumerate(
            zip(part.objects.tolist(), part.views[:, 0].tolist(), strict=True)
        ):
            samples[row, blocks.get_block_start(view)].append(index)
        failed: dict[_BlockKey, MeshError] = {}
        for key, block in self._iter_blocks(list(samples)):
            if isinstance(block, MeshError):
                failed[key] = block
            else:
                chosen = samples[key]
                self._write_samples(arrays, part.rows[chosen], key[0], part.views[chosen], block)
        for (row, first), error in failed.items():
            chosen = samples[row, first]
            # The replacement shows views that no other sample shows: their numbers are moved by an offset.
            offset = blocks.compute_replacement_offset(row)
            other, block = self._render_replacement(row, first + offset, error)
            self._write_samples(arrays, part.rows[chosen], other, part.views[chosen] + offset, block)
        unusable = (
            UnusableObject(row, int(part.views[samples[row, first][0], 0]), str(error))
            for (row, first), error in failed.items()
        )
        return FillReport(tuple(unusable), self._mesh_cache.take_warnings())

    def _open_backend(self, renderer: int) -> Backend:
        if self._backend is None:
            inventory = self._setup.inventory
            device = inventory.devices[renderer % len(inventory.devices)]
            self._backend = self._opened.enter_context(self._backend_opener(inventory.backend, device))
        return self._backend

    def _iter_blocks(
        self, keys: Sequence[_BlockKey]
    ) -> "Iterator[tuple[_BlockKey, _RenderedBlock | MeshError]]":
        """Yield each block of views, or the error of its mesh: first the cached ones, then the rendered ones.

        Each block is begun on the device before the one before it is read back and encoded.
        """
        missing: list[_BlockKey] = []
        for key in sorted(keys):  # sorted: blocks of one object follow each other, so its mesh loads once
            block = self._blocks.get(key)
            if block is None:
                missing.append(key)
            else:
                yield key, block
        ids = [self._setup.inventory.object_ids[row] for row, _ in missing]
        begun = deque[tuple[_BlockKey, Callable[[], RenderedViews] | MeshError]]()
        with closing(self._mesh_cache.iter_meshes(ids)) as meshes:
            for key, mesh in zip(missing, meshes, strict=True):
                begun.append((key, self._begin_block(key, mesh)))
                if len(begun) > 1:
                    yield self._finish_block(*begun.popleft())
        while begun:
            yield self._finish_block(*begun.popleft())

    def _begin_block(self, key: _BlockKey, mesh: Mesh | MeshError) -> Callable[[], RenderedViews] | MeshError:
        if isinstance(mesh, MeshError):
            return mesh
        assert self._backend is not None
        row, first = key
        inventory, recipe = self._setup.inventory, self._setup.query.recipe
        object_id, category = inventory.object_ids[row], inventory.get_category(row)
        numbers = self._setup.blocks.list_rendered_views(first)
        try:
            return begin_views(self._backend, recipe, object_id, mesh, numbers.tolist(), None, category)
        except MeshError as error:
            self._mesh_cache.refuse(object_id, error)
            return error

    def _finish_block(
        self, key: _BlockKey, begun: Callable[[], RenderedViews] | MeshError
    ) -> "tuple[_BlockKey, _RenderedBlock | MeshError]":
        if isinstance(begun, MeshError):
            return key, begun
        block = self._to_rendered_block(begun())
        self._blocks.put(key, block, block.nbytes)
        return key, block

    def _to_rendered_block(self, views: RenderedViews) -> "_RenderedBlock":
        recipe = self._setup.query.recipe
        make_pictures = encode_views if self._setup.through_jpeg else _order_channels
        extras = {
            name: [EXTRA_OUTPUTS[name].encode(image) for image in images]
            for name, images in views.extras.items()
        }
        return _RenderedBlock(views.labels, make_pictures(recipe, views.rgb), extras)

    def _render_replacement(self, row: int, first: int, error: MeshError) -> "tuple[int, _RenderedBlock]":
        """Return the row of the next object of the split that can be drawn, and its block of views."""
        num_objects = len(self._setup.inventory.object_ids)
        num_tries = min(num_objects, MAX_CONSECUTIVE_FAILURES)
        for step in range(1, num_tries):
            key = ((row + step) % num_objects, first)
            block = dict(self._iter_blocks([key]))[key]
            if not isinstance(block, MeshError):
                return key[0], block
        raise IntegrityError(
            f"{num_tries} consecutive objects cannot be drawn; check that the meshes are still there. The "
            f"first error: {error}"
        )

    def _write_samples(
        self, arrays: Arrays, rows: IntArray, object_row: int, views: IntArray, block: "_RenderedBlock"
    ) -> None:
        """Write samples of one object, with views [b, k], into rows [b] of a batch."""
        positions = self._setup.blocks.compute_positions(views)
        for sample, row in enumerate(rows.tolist()):
            for number, position in enumerate(positions[sample].tolist()):
                block.write_picture(position, arrays[IMAGES][number, row])
                extras = block.decode_extras(position)
                for name in OUTPUT_FIELDS.keys() & arrays.keys():
                    image = extras[OUTPUT_FIELDS[name].output]
                    arrays[name][number, row] = to_channels_first(name, image)
            arrays[LATENTS][:, row] = block.labels[positions[sample]]
            arrays[VIEW_INDEX][:, row] = views[sample]
            arrays[OBJECT_INDEX][row] = object_row


@dataclass(frozen=True, slots=True, eq=False)
class _RenderedBlock:
    """The rendered V views of a block, as they are cached."""

    labels: LabelArray
    """[V, L] factor values."""
    pictures: Sequence[bytes] | Sequence[NDArray[np.uint8]]
    """One JPEG per view, or one picture [S, S, 3] per view."""
    extras: dict[str, list[NDArray[Any]]]
    """Images of each further output, one per view, encoded as a data set stores them."""

    @property
    def nbytes(self) -> int:
        """Size in bytes of labels, pictures and further outputs."""
        images = [image for images in self.extras.values() for image in images]
        return self.labels.nbytes + sum(map(_count_bytes, self.pictures)) + sum(map(_count_bytes, images))

    def decode_extras(self, position: int) -> dict[str, NDArray[Any]]:
        """Return the further outputs at a position of the block by name, as a data set's would be decoded."""
        return {name: EXTRA_OUTPUTS[name].decode(images[position]) for name, images in self.extras.items()}

    def write_picture(self, position: int, out: NDArray[np.uint8]) -> None:
        """Write the picture at a position of the block into ``out``."""
        picture = self.pictures[position]
        if isinstance(picture, bytes):
            decode_jpeg(picture, out)
        else:
            out[:] = picture


def _order_channels(recipe: Recipe, rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return uncompressed pictures in the recipe's channel order, as its JPEGs have it."""
    return list(rgb[..., ::-1] if recipe.channel_order == "bgr" else rgb)


def _count_bytes(item: bytes | NDArray[Any]) -> int:
    return len(item) if isinstance(item, bytes) else item.nbytes


class _MeshCache:
    """Meshes by object id: recently used ones come from a cache, others from a loader."""

    def __init__(self, loader: MeshLoader) -> None:
        self._loader = loader
        self._cache = LRUCache[str, Mesh](MESH_CACHE_BYTES)
        self._refused: dict[str, MeshError] = {}
        self._warned: set[str] = set()
        self._new_warnings: list[WarningRecord] = []

    def refuse(self, object_id: str, error: MeshError) -> None:
        """Remember that an object cannot be used, so that it is not loaded again."""
        self._refused[object_id] = error

    def take_warnings(self) -> tuple[WarningRecord, ...]:
        """Return the warnings about the objects that were loaded since the last call, each object's once."""
        taken, self._new_warnings = tuple(self._new_warnings), []
        return taken

    def iter_meshes(self, ids: Sequence[str]) -> Generator[Mesh | MeshError, None, None]:
        """Yield the mesh of each object in turn, or the error that makes it unusable.

        Args:
            ids: Object ids; equal ids must stand together. The next mesh is loaded while one is in use.
        """
        # Hold the cached meshes here: loading the missing ones may push them out of the cache.
        held = {object_id: mesh for object_id in ids if (mesh := self._cache.get(object_id)) is not None}
        missing = [
            object_id
            for object_id in dict.fromkeys(ids)
            if object_id not in held and object_id not in self._refused
        ]
        loading = zip(missing, self._loader.iter_loaded(missing), strict=True) if missing else iter(())
        latest, mesh = "", None
        for object_id in ids:
            if object_id in self._refused:
                yield self._refused[object_id]
            elif object_id in held:
                yield held[object_id]
            else:
                if object_id != latest:
                    latest, item = next(loading)
                    mesh = self._keep(latest, item)
                assert mesh is not None
                yield mesh

    def _keep(self, object_id: str, item: LoadedObject | MeshError) -> Mesh | MeshError:
        if isinstance(item, MeshError):
            self.refuse(object_id, item)
            return item
        if object_id not in self._warned:  # an object may be loaded again, after it left the cache
            self._warned.add(object_id)
            self._new_warnings += make_warning_records(object_id, item.mesh.warnings)
        self._cache.put(object_id, item.mesh, compute_mesh_bytes(item.mesh))
        return item.mesh


def compute_mesh_bytes(mesh: Mesh) -> int:
    """Return the number of bytes that a mesh and its distinct textures take in host memory."""
    arrays = [mesh.positions, mesh.triangles, mesh.normals, mesh.texcoords, mesh.material_index]
    arrays += [array for array in (mesh.colors, mesh.part_index) if array is not None]
    named = (texture for item in mesh.materials for texture in (item.texture, item.emission_texture))
    textures = {id(texture): texture for texture in named if texture is not None}
    return sum(array.nbytes for array in arrays) + sum(item.pixels.nbytes for item in textures.values())
