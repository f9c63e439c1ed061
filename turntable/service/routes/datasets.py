"""Data sets, their files, objects and views."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from turntable.datasets import MANIFEST_NAME
from turntable.datasets.shards import INDEX_SUFFIX, SHARD_SUFFIX
from turntable.service import contents
from turntable.service.answers import json_bytes
from turntable.service.catalogue import Catalogue, CatalogueEntry, OpenedFile, open_file
from turntable.service.documents import (
    About,
    Broken,
    DatasetLine,
    FactorHistogram,
    Label,
    ObjectsPage,
    ObjectViews,
    Pair,
)
from turntable.service.doors import Asked, Whole, asker_of_request
from turntable.service.files import file_answer
from turntable.service.renders import RenderService
from turntable.service.routes.finding import entry_in_path, place_of
from turntable.service.routes.replies import File, Jpeg, Kept, ManifestFile, caching, kept

_FILE_THREADS = 16
Limit = Annotated[int, Field(ge=1, le=contents.MOST_LISTED)]
"""Rows that are wanted at most."""
SplitOrFirst = Annotated[str | None, Field(description="The first one if left out")]
Listed = list[DatasetLine | Broken]
Histograms = list[FactorHistogram]


class ObjectsAsked(Asked):
    """Some objects of a split."""

    split: SplitOrFirst = None
    category: str | None = None
    offset: Whole = 0
    limit: Limit = 100


class PairAsked(Asked):
    """A place of an epoch."""

    split: SplitOrFirst = None
    seed: Whole = 0
    epoch: Whole = 0
    index: Whole = 0


class DatasetEndpoints:
    """Answers about data sets, their files, objects and views."""

    def __init__(self, catalogue: Catalogue, renders: RenderService) -> None:
        self._catalogue, self._renders = catalogue, renders
        # Threads of their own: files are sent whatever else the others are busy with.
        self._file_threads = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="files")

    def list(self, request: Request) -> Kept[Listed]:
        """Return the data sets that the asker may read; one that cannot be served has its reason."""
        asker = asker_of_request(request)
        told = {
            entry.name: entry.once("summary", lambda entry=entry: json_bytes(entry.summary()))
            for entry in self._catalogue.all()
        }
        for name, why in self._catalogue.problems().items():
            told[name] = json_bytes(Broken(name=name, problem=why))
        rows = (told[name] for name in sorted(told) if asker.may("read", name))
        return Kept(b"[" + b", ".join(rows) + b"]", request)

    async def manifest(self, request: Request) -> ManifestFile:
        """Return the manifest of a data set."""
        return await self._file(request, MANIFEST_NAME)

    async def file(self, request: Request) -> File:
        """Return a file of a data set, or a part of it."""
        return await self._file(request, request.path_params["path"])

    def about(self, request: Request) -> Kept[About]:
        """Return what a person wants to know of a data set."""
        entry = entry_in_path(self._catalogue, request)

        def told() -> bytes:
            return json_bytes(About(**contents.described(entry), renders=self._renders.offers(entry)))

        return Kept(entry.once("about", told), request)

    def factors(self, request: Request) -> Kept[Histograms]:
        """Return the histograms of all factors of a data set."""
        entry = entry_in_path(self._catalogue, request)
        return kept(entry.once("factors", partial(contents.histograms, entry)), request)

    def objects(self, request: Request, asked: ObjectsAsked) -> Kept[ObjectsPage]:
        """Return objects of a split."""
        entry = entry_in_path(self._catalogue, request)
        split = asked.split or entry.dataset.splits[0]
        found = contents.objects(entry, split, asked.category, asked.offset, asked.limit)
        return kept(found, request)

    def object(self, request: Request) -> Kept[ObjectViews]:
        """Return an object with the labels of its views."""
        entry = entry_in_path(self._catalogue, request)
        place = place_of(entry, request.path_params["key"])
        return kept(contents.object_views(entry, *place), request)

    def view(self, request: Request) -> Jpeg:
        """Return one view, straight from its shard."""
        entry, place, view = self._view(request)
        return Kept(entry.jpeg(*place, view), request, "image/jpeg")

    def label(self, request: Request) -> Kept[Label]:
        """Return the label of one view: its factors by name, and its pose."""
        entry, place, view = self._view(request)
        return kept(contents.view_label(entry, *place, view), request)

    def pair(self, request: Request, asked: PairAsked) -> Kept[Pair]:
        """Return the pair that a loader gives at a place of an epoch."""
        entry = entry_in_path(self._catalogue, request)
        split = asked.split or entry.dataset.splits[0]
        return kept(contents.pair(entry, split, asked.seed, asked.epoch, asked.index), request)

    def _view(self, request: Request) -> tuple[CatalogueEntry, tuple[str, int], int]:
        """Return where a view lies."""
        entry, view = entry_in_path(self._catalogue, request), request.path_params["view"]
        place = place_of(entry, request.path_params["key"])
        if view >= entry.dataset.manifest.views:
            raise HTTPException(404, f"objects of {entry.name} have {entry.dataset.manifest.views} views")
        return entry, place, view

    async def _file(self, request: Request, path: str) -> Response:
        def opened() -> OpenedFile:
            entry = entry_in_path(self._catalogue, request)
            found = open_file(entry, path)
            if found is None:
                raise HTTPException(404, f"{entry.name} has no file {path[:80]!r}")
            return found

        file = await asyncio.get_running_loop().run_in_executor(self._file_threads, opened)
        by_content = path.endswith((SHARD_SUFFIX, INDEX_SUFFIX))
        return file_answer(file, caching(request, request.path_params["name"], by_content), request)
