"""Renders the views that a trainer wants when it wants them: the renderer's end of a loader's ring.

A view's label and pixels depend on the object and the view's number alone, so it does not matter which
renderer draws it, nor when. What makes it fast is kept at hand: meshes, and the pictures of a visit's other
samples, which were drawn with those of the first.
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
    IntArray,
    Inventory,
    ObjectQuery,
    RenderSetup,
    Unusable,
    ViewRequest,
)
from turntable.datasets.files import decode_jpeg
from turntable.datasets.labels import EXTRAS, LabelArray, channels_first
from turntable.errors import IntegrityError, InvalidInputError, MeshError
from turntable.renderer.backends import Backend, choose, open_backend
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import MeshSource, open_source
from turntable.renderer.recent import Recent
from turntable.renderer.runs import Loaded, LoadLimits, MeshLoader, ObjectSelection, plan
from turntable.renderer.views import RenderedViews, begin_views, encode_views

Arrays = Mapping[str, NDArray[Any]]

MESH_BYTES = 2**30
"""Of the meshes that a renderer keeps for a later visit."""
DRAWN_BYTES = 2**29
"""Of the pictures that it keeps for samples to come."""
MOST_IN_A_ROW = 16
"""So many objects that follow one another may be unusable: beyond, it is not the objects' fault."""


def open_planner() -> "Planner":
    """What answers queries, in a process of its own."""
    return Planner()


def open_filler(setup: RenderSetup) -> "ViewRenderer":
    """A renderer, in the process that renders."""
    return ViewRenderer(setup, open_backend)


class Planner:
    """Answers queries for objects. It fills nothing."""

    def fill(self, arrays: Arrays, part: ObjectQuery) -> Inventory:
        """The answer."""
        del arrays
        return take_inventory(part)


def take_inventory(query: ObjectQuery) -> Inventory:
    """The objects of a split, as a data set made of the same recipe and meshes would hold them.

    Raises:
        InvalidInputError: there are none, or not the ones that were named; or there is no such backend.
        DeviceError: the backend finds no device it can use.
    """
    selection = ObjectSelection(query.count, tuple(map(Path, query.split_files)))
    planned = plan(query.recipe, _source(query), selection)
    records = [record for shard in planned.shards for record in shard.objects]
    chosen = _chosen(records, query)
    categories = tuple(sorted({record.category for record in records}))
    number = {name: place for place, name in enumerate(categories)}
    choice = choose(query.backend, query.device)
    return Inventory(
        tuple(record.id for record in chosen),
        np.array([number[record.category] for record in chosen], dtype=np.int64),
        categories,
        choice.backend,
        choice.devices,
        choice.warnings,
    )


def _source(query: ObjectQuery) -> MeshSource:
    meshes = None if query.meshes is None else Path(query.meshes)
    return open_source(query.recipe.source, meshes, query.count)


def _chosen(records: Sequence[ObjectRecord], query: ObjectQuery) -> list[ObjectRecord]:
    there = [record for record in records if record.split == query.split]
    if query.only is not None:
        wanted = set(query.only)
        if missing := sorted(wanted - {record.id for record in there}):
            raise InvalidInputError(
                f"{len(missing)} of {len(wanted)} objects are not in the split {query.split} of these "
                f"meshes, such as {missing[0]}; turntable inspect lists ids"
            )
        there = [record for record in there if record.id in wanted]
    if not there:
        raise InvalidInputError(
            f"none of the {len(records)} objects is in the split {query.split!r}; take more objects, or "
            "another split"
        )
    return there


_Key: TypeAlias = tuple[int, int]
"""An object's row, and where the block of its views begins."""


class ViewRenderer:
    """Draws samples into batches.

    Args:
        setup: what there is to draw.
        open_device: makes the backend, of its name and device, when the first request comes.
    """

    def __init__(self, setup: RenderSetup, open_device: Callable[[str, int | None], Backend]) -> None:
        self._setup, self._open_device = setup, open_device
        self._opened = ExitStack()
        limits = LoadLimits(setup.load_seconds, setup.load_bytes)
        loader = self._opened.enter_context(MeshLoader(_source(setup.query), limits))
        self._meshes = _Meshes(loader)
        self._drawn = Recent[_Key, _Drawn](DRAWN_BYTES)
        self._backend: Backend | None = None
        # The loader's process must be gone before this one waits for its children.
        weakref.finalize(self, self._opened.close)

    def fill(self, arrays: Arrays, part: ViewRequest) -> tuple[Unusable, ...]:
        """Draw the samples of a request.

        Returns:
            The objects that cannot be drawn; the next usable ones of the split were drawn in their place.

        Raises:
            IntegrityError: so many in a row cannot be drawn that something else must be wrong.
            DeviceError: there is no device, or it was lost.
        """
        self._open(part.renderer)
        blocks = self._setup.blocks
        samples = defaultdict[_Key, list[int]](list)
        for at, (row, view) in enumerate(zip(part.objects.tolist(), part.views[:, 0].tolist(), strict=True)):
            samples[row, blocks.first(view)].append(at)
        failed: dict[_Key, MeshError] = {}
        for key, drawn in self._blocks(list(samples)):
            if isinstance(drawn, MeshError):
                failed[key] = drawn
            else:
                chosen = samples[key]
                self._write(arrays, part.rows[chosen], key[0], part.views[chosen], drawn)
        for (row, first), error in failed.items():
            chosen = samples[row, first]
            moved = blocks.in_place_of(row)
            other, drawn = self._replacement(row, first + moved, error)
            self._write(arrays, part.rows[chosen], other, part.views[chosen] + moved, drawn)
        return tuple(
            Unusable(row, int(part.views[samples[row, first][0], 0]), str(error))
            for (row, first), error in failed.items()
        )

    def _open(self, renderer: int) -> Backend:
        if self._backend is None:
            stock = self._setup.inventory
            device = stock.devices[renderer % len(stock.devices)]
            self._backend = self._opened.enter_context(self._open_device(stock.backend, device))
        return self._backend

    def _blocks(self, keys: Sequence[_Key]) -> "Iterator[tuple[_Key, _Drawn | MeshError]]":
        """Each block of views: from those at hand, or drawn, each begun before the one before it is done."""
        missing: list[_Key] = []
        for key in sorted(keys):
            drawn = self._drawn.get(key)
            if drawn is None:
                missing.append(key)
            else:
                yield key, drawn
        ids = [self._setup.inventory.ids[row] for row, _ in missing]
        begun = deque[tuple[_Key, Callable[[], RenderedViews] | MeshError]]()
        with closing(self._meshes.of(ids)) as meshes:
            for key, mesh in zip(missing, meshes, strict=True):
                begun.append((key, self._begin(key, mesh)))
                if len(begun) > 1:
                    yield self._done(*begun.popleft())
        while begun:
            yield self._done(*begun.popleft())

    def _begin(self, key: _Key, mesh: Mesh | MeshError) -> Callable[[], RenderedViews] | MeshError:
        if isinstance(mesh, MeshError):
            return mesh
        assert self._backend is not None
        row, first = key
        object_id, recipe = self._setup.inventory.ids[row], self._setup.query.recipe
        numbers = self._setup.blocks.numbers(first)
        try:
            return begin_views(self._backend, recipe, object_id, mesh, numbers.tolist())
        except MeshError as error:
            self._meshes.refuse(object_id, error)
            return error

    def _done(
        self, key: _Key, begun: Callable[[], RenderedViews] | MeshError
    ) -> "tuple[_Key, _Drawn | MeshError]":
        if isinstance(begun, MeshError):
            return key, begun
        drawn = self._as_kept(begun())
        self._drawn.put(key, drawn, drawn.nbytes)
        return key, drawn

    def _as_kept(self, views: RenderedViews) -> "_Drawn":
        recipe = self._setup.query.recipe
        pictures = encode_views if self._setup.through_jpeg else _in_order
        extras = {
            name: [EXTRAS[name].encode(image) for image in images] for name, images in views.extras.items()
        }
        return _Drawn(views.labels, pictures(recipe, views.rgb), extras)

    def _replacement(self, row: int, first: int, error: MeshError) -> "tuple[int, _Drawn]":
        """The next object of the split that can be drawn, and its views of a block."""
        count = len(self._setup.inventory.ids)
        tries = min(count, MOST_IN_A_ROW)
        for step in range(1, tries):
            key = ((row + step) % count, first)
            drawn = dict(self._blocks([key]))[key]
            if not isinstance(drawn, MeshError):
                return key[0], drawn
        raise IntegrityError(
            f"{tries} objects that follow one another cannot be drawn; are the meshes still there? The "
            f"first: {error}"
        )

    def _write(self, arrays: Arrays, rows: IntArray, row: int, views: IntArray, drawn: "_Drawn") -> None:
        """Samples [b, k] of one object into their rows of a batch."""
        places = self._setup.blocks.places(views)
        for sample, at in enumerate(rows.tolist()):
            for number, place in enumerate(places[sample].tolist()):
                drawn.show(place, arrays[IMAGES][number, at])
                for name, images in drawn.extras.items():
                    arrays[name][number, at] = channels_first(name, EXTRAS[name].decode(images[place]))
            arrays[LATENTS][:, at] = drawn.labels[places[sample]]
            arrays[VIEW_INDEX][:, at] = views[sample]
            arrays[OBJECT_INDEX][at] = row


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """A block's V views as they are kept."""

    labels: LabelArray
    """[V, L]."""
    pictures: Sequence[bytes] | Sequence[NDArray[np.uint8]]
    """Of each view the JPEG, or the picture [S, S, 3]."""
    extras: dict[str, list[NDArray[Any]]]
    """Of each other output and view the image that a data set stores."""

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        images = [image for images in self.extras.values() for image in images]
        return self.labels.nbytes + sum(map(_nbytes, self.pictures)) + sum(map(_nbytes, images))

    def show(self, place: int, out: NDArray[np.uint8]) -> None:
        """Write a picture."""
        picture = self.pictures[place]
        if isinstance(picture, bytes):
            decode_jpeg(picture, out)
        else:
            out[:] = picture


def _in_order(recipe: Recipe, rgb: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Pictures without loss, in the order of channels that JPEGs have."""
    return list(rgb[..., ::-1] if recipe.channel_order == "bgr" else rgb)


def _nbytes(item: bytes | NDArray[Any]) -> int:
    return len(item) if isinstance(item, bytes) else item.nbytes


class _Meshes:
    """Meshes by id: those used last, and all others from a loader."""

    def __init__(self, loader: MeshLoader) -> None:
        self._loader = loader
        self._kept = Recent[str, Mesh](MESH_BYTES)
        self._refused: dict[str, MeshError] = {}

    def refuse(self, object_id: str, error: MeshError) -> None:
        """Never try it again."""
        self._refused[object_id] = error

    def of(self, ids: Sequence[str]) -> Generator[Mesh | MeshError, None, None]:
        """Each in turn, or why it cannot be used.

        Args:
            ids: equal ones stand together. The next is loaded while one is in use.
        """
        held = {object_id: mesh for object_id in ids if (mesh := self._kept.get(object_id)) is not None}
        missing = [
            object_id
            for object_id in dict.fromkeys(ids)
            if object_id not in held and object_id not in self._refused
        ]
        loading = zip(missing, self._loader.loaded(missing), strict=True) if missing else iter(())
        latest, mesh = "", None
        for object_id in ids:
            if object_id in self._refused:
                yield self._refused[object_id]
            elif object_id in held:
                yield held[object_id]
            else:
                if object_id != latest:
                    latest, item = next(loading)
                    mesh = self._taken(latest, item)
                assert mesh is not None
                yield mesh

    def _taken(self, object_id: str, item: Loaded | MeshError) -> Mesh | MeshError:
        if isinstance(item, MeshError):
            self.refuse(object_id, item)
            return item
        self._kept.put(object_id, item.mesh, mesh_bytes(item.mesh))
        return item.mesh


def mesh_bytes(mesh: Mesh) -> int:
    """Memory of a mesh, its textures included."""
    arrays = (mesh.positions, mesh.triangles, mesh.normals, mesh.texcoords, mesh.material_index)
    textures = {id(item.texture): item.texture for item in mesh.materials if item.texture is not None}
    return sum(array.nbytes for array in arrays) + sum(item.pixels.nbytes for item in textures.values())
