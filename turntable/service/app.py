"""The HTTP application: addresses to answers. Nothing outside the manifests' own files can be reached."""

import asyncio
import functools
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from turntable.datasets import MANIFEST_NAME
from turntable.datasets.shards import INDEX_SUFFIX, SHARD_SUFFIX
from turntable.errors import MeshError, TurntableError
from turntable.service import contents
from turntable.service.answers import http_problem, json_bytes, turntable_problem
from turntable.service.catalogue import Catalogue, CatalogueEntry, OpenedFile, open_file
from turntable.service.doors import (
    COOKIE,
    AccessFile,
    Careful,
    Endpoint,
    Guard,
    KnownPeers,
    Need,
    asker_of_request,
    checked,
    guarded,
    json_body,
    number,
    numbers,
    render_query,
    texts,
)
from turntable.service.files import cache_control, file_answer, not_modified
from turntable.service.openapi import description
from turntable.service.queries import (
    Answered,
    Queries,
    TooManyQueriesError,
    condition_of,
    etag_of,
    subset_name,
)
from turntable.service.records import Metrics, Recorded
from turntable.service.renders import (
    QueueIsFullError,
    RenderFailedError,
    RenderingIsOffError,
    RenderService,
    render_job,
)
from turntable.service.settings import ServiceSettings

GALLERY = Path(__file__).with_name("gallery")
_LOG = logging.getLogger("turntable.service")
_FILE_THREADS = 16
_P = ParamSpec("_P")
_T = TypeVar("_T")


def create_app(catalogue: Catalogue, settings: ServiceSettings | None = None) -> Starlette:
    """The application over these data sets; ``/openapi.json`` describes it.

    Args:
        catalogue: What is on offer.
        settings: Who may ask for what, and how often; by default anyone, and nothing is drawn.
    """
    settings = settings or ServiceSettings()
    renders = RenderService(settings.renders)
    queries = Queries(settings.query_seconds)
    metrics = Metrics(catalogue, renders)
    access = settings.open_access()
    routes = _Routes(catalogue, renders, queries, metrics, access)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        yield
        renders.close()
        queries.close()

    app = Starlette(
        routes=routes.all(),
        middleware=[
            Middleware(Recorded, metrics=metrics),
            Middleware(Careful, has_keys=access is not None),
            Middleware(KnownPeers, peers=settings.open_peers()),
            Middleware(
                Guard,
                access=access,
                public=frozenset(settings.public),
                rate=settings.open_rate(),
                gate=settings.open_gate(),
            ),
        ],
        exception_handlers={HTTPException: http_problem, TurntableError: turntable_problem},
        lifespan=lifespan,
    )
    # An address with a slash too many is none: a redirect would repeat the Host that was sent.
    app.router.redirect_slashes = False
    return app


def _route(path: str, need: Need, endpoint: Endpoint, *methods: str) -> Route:
    """An address, what is needed to ask for it, and what answers."""
    return Route(path, guarded(need, endpoint), methods=methods or ("GET",))


def _in_a_thread(
    answer: Callable[_P, _T],
) -> Callable[_P, Awaitable[_T]]:
    """What reads disks must not hold up who waits for something else."""

    @functools.wraps(answer)
    async def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await anyio.to_thread.run_sync(functools.partial(answer, *args, **kwargs))

    return run


class _Routes:
    """One method an address."""

    def __init__(
        self,
        catalogue: Catalogue,
        renders: RenderService,
        queries: Queries,
        metrics: Metrics,
        access: AccessFile | None,
    ) -> None:
        self._catalogue, self._renders, self._metrics = catalogue, renders, metrics
        self._access, self._queries = access, queries
        # Threads of their own: files are sent whatever else the others are busy with.
        self._file_threads = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="files")

    def all(self) -> list[BaseRoute]:
        """Return every address of the service; none can be added without saying what it needs."""
        name, view = "/datasets/{name}", "/objects/{key}/views/{view:count}"
        return [
            _route("/", "nothing", self.front),
            _route("/gallery", "nothing", self.front),
            Mount("/gallery", StaticFiles(directory=GALLERY, html=True), name="gallery"),
            _route("/healthz", "nothing", self.health),
            _route("/metrics", "admin", self.metrics),
            _route("/openapi.json", "nothing", self.openapi),
            _route("/login", "nothing", self.login, "POST"),
            _route("/logout", "nothing", self.logout, "POST"),
            _route("/query", "own", self.query, "POST"),
            _route("/render", "own", self.render, "GET", "POST"),
            _route("/datasets", "own", self.list),
            _route(name, "read", self.manifest),
            _route(f"{name}/about", "read", self.about),
            _route(f"{name}/factors", "read", self.factors),
            _route(f"{name}/views", "read", self.views),
            _route(f"{name}/pair", "read", self.pair),
            _route(f"{name}/objects", "read", self.objects),
            _route(f"{name}/objects/{{key}}", "read", self.object),
            _route(f"{name}{view}.jpg", "read", self.view),
            _route(f"{name}{view}.json", "read", self.label),
            _route(f"{name}/subsets/{{subset}}/manifest.json", "read", self.subset),
            _route(f"{name}/subsets/{{subset}}/{{path:path}}", "read", self.file),
            _route(f"{name}/files/{{path:path}}", "read", self.file),
            _route(f"{name}/{{path:path}}", "read", self.file),
        ]

    async def front(self, _: Request) -> Response:
        return RedirectResponse("/gallery/")

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "datasets": len(self._catalogue)})

    async def metrics(self, _: Request) -> Response:
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, _: Request) -> Response:
        return JSONResponse(description())

    async def login(self, request: Request) -> Response:
        """Keep a token in the browser, so that its pictures can be asked for."""
        body = await json_body(request)
        checked(body, {"token": str}, {})
        if self._access is not None and self._access.current().holder(body["token"]) is None:
            raise HTTPException(401, "the token is unknown, expired or revoked")
        answer = JSONResponse({"status": "ok"})
        answer.set_cookie(
            COOKIE, body["token"], httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return answer

    async def logout(self, _: Request) -> Response:
        """Forget it."""
        answer = JSONResponse({"status": "ok"})
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    @_in_a_thread
    def list(self, request: Request) -> Response:
        """The data sets that the asker may read; one that cannot be served has its reason."""
        asker = asker_of_request(request)
        told = {
            entry.name: entry.once("summary", lambda entry=entry: json_bytes(entry.summary()))
            for entry in self._catalogue.all()
        }
        for name, why in self._catalogue.problems().items():
            told[name] = json_bytes({"name": name, "problem": why})
        rows = (told[name] for name in sorted(told) if asker.may("read", name))
        return _answer(b"[" + b", ".join(rows) + b"]", "application/json", request)

    async def manifest(self, request: Request) -> Response:
        return await self._file(request, MANIFEST_NAME)

    async def file(self, request: Request) -> Response:
        return await self._file(request, request.path_params["path"])

    async def subset(self, request: Request) -> Response:
        entry = await anyio.to_thread.run_sync(self._entry, request)
        try:
            where, splits = condition_of(request.path_params["subset"])
        except TurntableError as error:
            raise HTTPException(404, str(error)) from None
        made = await self._asked(request, entry, where, splits)
        return _answer(made.document, "application/json", request)

    @_in_a_thread
    def about(self, request: Request) -> Response:
        entry = self._entry(request)

        def told() -> bytes:
            return json_bytes({**contents.described(entry), "renders": self._renders.offers(entry)})

        return _answer(entry.once("about", told), "application/json", request)

    @_in_a_thread
    def factors(self, request: Request) -> Response:
        entry = self._entry(request)
        return _cached(entry.once("factors", functools.partial(contents.histograms, entry)), request)

    async def views(self, request: Request) -> Response:
        """Views that fulfil a condition, with their labels."""
        values = request.query_params
        offset, limit = number(values, "offset", 0), number(values, "limit", 60, 1, contents.MOST_LISTED)
        splits = (values["split"],) if values.get("split") else ()
        entry = await anyio.to_thread.run_sync(self._entry, request)
        made = await self._asked(request, entry, values.get("where") or "true", splits)
        found = await anyio.to_thread.run_sync(contents.views_of, entry, made.manifest, offset, limit)
        return _cached(found, request)

    @_in_a_thread
    def pair(self, request: Request) -> Response:
        entry, values = self._entry(request), request.query_params
        split = values.get("split") or entry.dataset.splits[0]
        seed, epoch, index = (number(values, name, 0) for name in ("seed", "epoch", "index"))
        return _cached(contents.pair(entry, split, seed, epoch, index), request)

    @_in_a_thread
    def objects(self, request: Request) -> Response:
        entry, values = self._entry(request), request.query_params
        found = contents.objects(
            entry,
            values.get("split") or entry.dataset.splits[0],
            values.get("category") or None,
            number(values, "offset", 0),
            number(values, "limit", 100, 1, contents.MOST_LISTED),
        )
        return _cached(found, request)

    @_in_a_thread
    def object(self, request: Request) -> Response:
        entry = self._entry(request)
        return _cached(contents.object_views(entry, *self._place(entry, request)), request)

    @_in_a_thread
    def view(self, request: Request) -> Response:
        """One JPEG, straight from its place in the shard."""
        entry, place, view = self._view(request)
        return _answer(entry.jpeg(*place, view), "image/jpeg", request)

    @_in_a_thread
    def label(self, request: Request) -> Response:
        """The factors of one view by name."""
        entry, place, view = self._view(request)
        return _cached(contents.view_label(entry, *place, view), request)

    async def query(self, request: Request) -> Response:
        """The manifest of the views that fulfil a condition, and where loaders find it."""
        body = await json_body(request)
        checked(body, {"dataset": str, "where": str}, {"splits": list})
        entry = await self._allowed(request, "read", body["dataset"])
        splits = texts(body, "splits")
        made = await self._asked(request, entry, body["where"], splits)
        address = f"/datasets/{quote(entry.name, safe='')}/subsets/{subset_name(body['where'], splits)}"
        headers = {"Location": address, "Cache-Control": "no-store"}
        return Response(made.document, media_type="application/json", headers=headers)

    async def render(self, request: Request) -> Response:
        """A view that nobody has drawn yet, or whose picture is still at hand."""
        body = await json_body(request) if request.method == "POST" else render_query(request.query_params)
        checked(body, {"dataset": str, "key": str}, {"view": int, "factors": dict, "size": int})
        entry = await self._allowed(request, "render", body["dataset"])
        place = await anyio.to_thread.run_sync(entry.place, body["key"])
        if place is None:
            raise HTTPException(404, f"{entry.name} has no object {body['key'][:80]!r}")
        factors, meshes = numbers(body, "factors"), self._renders.meshes_of(entry)
        try:
            job = render_job(entry, place, body.get("view") or 0, factors, body.get("size"), meshes)
            drawn = await self._renders.draw(entry, job)
        except RenderingIsOffError as error:
            raise HTTPException(501, str(error)) from None
        except QueueIsFullError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "2"}) from None
        except RenderFailedError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "1"}) from None
        except MeshError as error:  # its message names files of this machine
            _LOG.warning("%s: %s", entry.name, error)
            raise HTTPException(422, f"the mesh of this object cannot be used: {error.reason}") from None
        headers = {"ETag": f'"{drawn.digest}"', "Cache-Control": _cache_control(request, entry.name)}
        if request.method != "POST" and not_modified(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(drawn.jpeg, media_type="image/jpeg", headers=headers)

    async def _allowed(self, request: Request, scope: Any, name: str) -> CatalogueEntry:
        """A data set that a body names."""
        asker_of_request(request).check(scope, name)
        entry = await anyio.to_thread.run_sync(self._catalogue.get, name)
        if entry is None:
            raise HTTPException(404, f"no data set {name[:80]!r}; see /datasets")
        return entry

    async def _asked(
        self, request: Request, entry: CatalogueEntry, where: str, splits: tuple[str, ...]
    ) -> Answered:
        """Return the views that fulfil a condition."""
        try:
            return await self._queries.answer(entry, where, splits, asker_of_request(request).name)
        except TooManyQueriesError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "1"}) from None

    def _entry(self, request: Request) -> CatalogueEntry:
        name = request.path_params["name"]
        entry = self._catalogue.get(name)
        if entry is None:
            raise HTTPException(404, f"no data set {name[:80]!r}; see /datasets")
        return entry

    def _place(self, entry: CatalogueEntry, request: Request) -> tuple[str, int]:
        key = request.path_params["key"]
        place = entry.place(key)
        if place is None:
            raise HTTPException(404, f"{entry.name} has no object {key[:80]!r}")
        return place

    def _view(self, request: Request) -> tuple[CatalogueEntry, tuple[str, int], int]:
        """Where a view lies."""
        entry, view = self._entry(request), request.path_params["view"]
        place = self._place(entry, request)
        if view >= entry.dataset.manifest.views:
            raise HTTPException(404, f"objects of {entry.name} have {entry.dataset.manifest.views} views")
        return entry, place, view

    async def _file(self, request: Request, path: str) -> Response:
        def opened() -> OpenedFile:
            entry = self._entry(request)
            found = open_file(entry, path)
            if found is None:
                raise HTTPException(404, f"{entry.name} has no file {path[:80]!r}")
            return found

        file = await asyncio.get_running_loop().run_in_executor(self._file_threads, opened)
        by_content = path.endswith((SHARD_SUFFIX, INDEX_SUFFIX))
        return file_answer(file, _cache_control(request, request.path_params["name"], by_content), request)


def _cache_control(request: Request, dataset: str | None, by_content: bool = False) -> str:
    return cache_control(by_content=by_content, public=asker_of_request(request).is_public(dataset))


def _cached(told: object, request: Request) -> Response:
    return _answer(json_bytes(told), "application/json", request)


def _answer(data: bytes, media_type: str, request: Request) -> Response:
    cache = _cache_control(request, request.path_params.get("name"))
    headers = {"ETag": etag_of(data), "Cache-Control": cache}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=media_type, headers=headers)
