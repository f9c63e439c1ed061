"""Endpoints of data sets, their files, objects and views."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from turntable.datasets import MANIFEST_NAME
from turntable.datasets.describing import list_drawings
from turntable.datasets.shards import INDEX_SUFFIX, SHARD_SUFFIX
from turntable.service import payloads
from turntable.service.catalog import CatalogEntry, DatasetCatalog, OpenedFile, open_file
from turntable.service.drawings import describe_drawing
from turntable.service.file_responses import make_file_response
from turntable.service.json_responses import encode_json
from turntable.service.output_colors import color_output, encode_png
from turntable.service.rendering import RenderService
from turntable.service.routes.lookup import get_entry_in_path, get_location
from turntable.service.routes.responses import (
    ETagResponse,
    FileResponse,
    JpegResponse,
    ManifestFile,
    PngResponse,
    make_cache_control,
    make_etag_response,
)
from turntable.service.schemas import (
    About,
    Broken,
    DatasetLine,
    DrawingFrames,
    FactorHistogram,
    Label,
    ObjectsPage,
    ObjectViews,
    Pair,
)
from turntable.service.security import NonNegativeInt, RequestParams, get_client

_NUM_FILE_THREADS = 16
Limit = Annotated[int, Field(ge=1, le=payloads.MAX_LISTED)]
"""Largest number of rows of a page."""
SplitOrFirst = Annotated[str | None, Field(description="Name of the split; the first one if left out")]
DatasetLines = list[DatasetLine | Broken]
Histograms = list[FactorHistogram]


class ObjectsParams(RequestParams):
    """Parameters of a page of objects."""

    split: str | None = Field(None, description="Name of the split; all if left out")
    category: str | None = None
    offset: NonNegativeInt = 0
    limit: Limit = 100


class PairParams(RequestParams):
    """Parameters of a pair: a position in an epoch of a loader."""

    split: SplitOrFirst = None
    seed: NonNegativeInt = 0
    epoch: NonNegativeInt = 0
    index: NonNegativeInt = 0


class DatasetEndpoints:
    """Endpoints of data sets, their files, objects and views.

    The name of each method is the label ``route`` of the metrics, and the first line of its docstring is the
    summary in ``/openapi.json``.
    """

    def __init__(self, catalog: DatasetCatalog, renders: RenderService) -> None:
        self._catalog, self._renders = catalog, renders
        # Files have threads of their own, so that streaming goes on while the shared threads are busy.
        self._file_threads = ThreadPoolExecutor(_NUM_FILE_THREADS, thread_name_prefix="files")

    def list(self, request: Request) -> ETagResponse[DatasetLines]:
        """List the data sets that the client may read, with the reason for each that cannot be served.

        Raises HTTPException (401) if there are none because the client sent no token.
        """
        client = get_client(request)
        rows_by_name = {
            entry.name: entry.get_or_make("summary", lambda entry=entry: encode_json(entry.summarize()))
            for entry in self._catalog.list_entries()
        }
        for name, problem in self._catalog.get_problems().items():
            rows_by_name[name] = encode_json(Broken(name=name, problem=problem))
        rows = [rows_by_name[name] for name in sorted(rows_by_name) if client.can_access("read", name)]
        if not rows:
            client.check_identity()
        return ETagResponse(b"[" + b", ".join(rows) + b"]", request)

    async def manifest(self, request: Request) -> ManifestFile:
        """Return the manifest of a data set."""
        return await self._send_file(request, MANIFEST_NAME)

    async def file(self, request: Request) -> FileResponse:
        """Return a file of a data set, or the range of it that Range asks for."""
        return await self._send_file(request, request.path_params["path"])

    def about(self, request: Request) -> ETagResponse[About]:
        """Return the description of a data set."""
        entry = get_entry_in_path(self._catalog, request)

        def make_about() -> bytes:
            return encode_json(
                About(
                    **payloads.describe_dataset(entry),
                    renders=self._renders.can_render(entry),
                    sequence_length=payloads.get_sequence_length(entry.dataset.manifest),
                    drawings=list_drawings(entry.dataset.manifest),
                )
            )

        return ETagResponse(entry.get_or_make("about", make_about), request)

    def factors(self, request: Request) -> ETagResponse[Histograms]:
        """Return the histograms of all factors of a data set."""
        entry = get_entry_in_path(self._catalog, request)
        return make_etag_response(
            entry.get_or_make("factors", partial(payloads.compute_histograms, entry)), request
        )

    def objects(self, request: Request, params: ObjectsParams) -> ETagResponse[ObjectsPage]:
        """Return one page of the objects of a split, or of all."""
        entry = get_entry_in_path(self._catalog, request)
        page = payloads.list_objects(entry, params.split, params.category, params.offset, params.limit)
        return make_etag_response(page, request)

    def object(self, request: Request) -> ETagResponse[ObjectViews]:
        """Return an object with the factors of its views."""
        entry = get_entry_in_path(self._catalog, request)
        location = get_location(entry, request.path_params["key"])
        return make_etag_response(payloads.list_object_views(entry, *location), request)

    def drawing(self, request: Request) -> ETagResponse[DrawingFrames]:
        """Return a drawing of an array of an object: points and lines in space, frame by frame."""
        entry, name = get_entry_in_path(self._catalog, request), request.path_params["drawing"]
        location = get_location(entry, request.path_params["key"])
        known = list_drawings(entry.dataset.manifest)
        if name not in known:
            raise HTTPException(
                404, f"{entry.name} has no drawing {name[:80]!r}; it has {', '.join(known) or 'none'}"
            )
        return make_etag_response(describe_drawing(entry.draw_object(*location, name)), request)

    def view(self, request: Request) -> JpegResponse:
        """Return the JPEG of one view, as it is stored in its shard."""
        entry, location, view = self._get_view(request)
        return ETagResponse(entry.read_jpeg(*location, view), request, "image/jpeg")

    def output(self, request: Request) -> PngResponse:
        """Return another output of one view, such as its depth, as a picture in color."""
        entry, location, view = self._get_view(request)
        output, stored = request.path_params["output"], entry.dataset.manifest.outputs
        if output == "rgb" or output not in stored:
            others = ", ".join(name for name in stored if name != "rgb") or "none"
            raise HTTPException(
                404, f"{entry.name} has no output {output[:80]!r} besides its pictures; it has {others}"
            )
        values = entry.read_output(*location, view, output)
        return ETagResponse(encode_png(color_output(output, values)), request, "image/png")

    def label(self, request: Request) -> ETagResponse[Label]:
        """Return the label of one view: its factors by name, and its pose."""
        entry, location, view = self._get_view(request)
        return make_etag_response(payloads.read_view_label(entry, *location, view), request)

    def pair(self, request: Request, params: PairParams) -> ETagResponse[Pair]:
        """Return the pair of views that a loader yields at one position of an epoch."""
        entry = get_entry_in_path(self._catalog, request)
        split = params.split or entry.dataset.splits[0]
        return make_etag_response(
            payloads.read_pair(entry, split, params.seed, params.epoch, params.index), request
        )

    def _get_view(self, request: Request) -> tuple[CatalogEntry, tuple[str, int], int]:
        """Return the data set, the location (split and row) of the object, and the view that a path names."""
        entry, view = get_entry_in_path(self._catalog, request), request.path_params["view"]
        location = get_location(entry, request.path_params["key"])
        num_views = entry.dataset.manifest.views
        if view >= num_views:
            raise HTTPException(
                404,
                f"there is no view {view}: objects of {entry.name} have {num_views} views, counted from 0",
            )
        return entry, location, view

    async def _send_file(self, request: Request, path: str) -> Response:
        def open_requested_file() -> OpenedFile:
            entry = get_entry_in_path(self._catalog, request)
            opened = open_file(entry, path)
            if opened is None:
                raise HTTPException(404, f"{entry.name} has no file {path[:80]!r}")
            return opened

        opened = await asyncio.get_running_loop().run_in_executor(self._file_threads, open_requested_file)
        # The names of shards and their indexes contain a hash of their content, so they never change.
        is_immutable = path.endswith((SHARD_SUFFIX, INDEX_SUFFIX))
        cache_control = make_cache_control(request, request.path_params["name"], is_immutable)
        return make_file_response(opened, cache_control, request)
