"""The HTTP application: addresses to answers. Nothing outside the manifests' own files can be reached."""

import functools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from turntable.errors import MeshError, TurntableError
from turntable.service import contents
from turntable.service.answers import http_problem, turntable_problem
from turntable.service.catalogue import Catalogue, Entry, file_facts
from turntable.service.files import ASK_AGAIN, FOR_EVER, file_answer, not_modified
from turntable.service.guard import COOKIE, Asker, Guard
from turntable.service.headers import Careful
from turntable.service.openapi import description
from turntable.service.queries import Queries, condition_of, etag_of, subset_name
from turntable.service.records import Metrics, Recorded
from turntable.service.render_job import render_job
from turntable.service.renders import (
    QueueIsFullError,
    RenderFailedError,
    RenderingIsOffError,
    RenderService,
)
from turntable.service.requests import checked, json_body, number, numbers, texts
from turntable.service.settings import ServiceSettings
from turntable.service.tokens import AccessFile

GALLERY = Path(__file__).with_name("gallery")
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
    metrics = Metrics(catalogue, renders)
    access = settings.open_access()
    routes = _Routes(catalogue, renders, metrics, access)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        yield
        renders.close()

    return Starlette(
        routes=[
            Route("/", routes.front),
            Mount("/gallery", StaticFiles(directory=GALLERY, html=True), name="gallery"),
            Route("/healthz", routes.health),
            Route("/metrics", routes.metrics),
            Route("/openapi.json", routes.openapi),
            Route("/login", routes.login, methods=["POST"]),
            Route("/logout", routes.logout, methods=["POST"]),
            Route("/query", routes.query, methods=["POST"]),
            Route("/render", routes.render, methods=["GET", "POST"]),
            Route("/datasets", routes.list),
            Route("/datasets/{name}", routes.manifest),
            Route("/datasets/{name}/about", routes.about),
            Route("/datasets/{name}/factors", routes.factors),
            Route("/datasets/{name}/views", routes.views),
            Route("/datasets/{name}/pair", routes.pair),
            Route("/datasets/{name}/objects", routes.objects),
            Route("/datasets/{name}/objects/{key}", routes.object),
            Route("/datasets/{name}/objects/{key}/views/{view:int}.jpg", routes.view),
            Route("/datasets/{name}/objects/{key}/views/{view:int}.json", routes.label),
            Route("/datasets/{name}/subsets/{subset}/manifest.json", routes.subset),
            Route("/datasets/{name}/subsets/{subset}/{path:path}", routes.file),
            Route("/datasets/{name}/files/{path:path}", routes.file),
            Route("/datasets/{name}/{path:path}", routes.file),
        ],
        middleware=[
            Middleware(Recorded, metrics=metrics),
            Middleware(Careful),
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
        self, catalogue: Catalogue, renders: RenderService, metrics: Metrics, access: AccessFile | None
    ) -> None:
        self._catalogue, self._renders, self._metrics = catalogue, renders, metrics
        self._access, self._queries = access, Queries()

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
        asker = _asker(request)
        told = [entry.summary() for entry in self._catalogue.all() if asker.may("read", entry.name)]
        return _cached(told, request)

    @_in_a_thread
    def manifest(self, request: Request) -> Response:
        return self._file(self._entry(request), "manifest.json", request)

    @_in_a_thread
    def file(self, request: Request) -> Response:
        return self._file(self._entry(request), request.path_params["path"], request)

    @_in_a_thread
    def subset(self, request: Request) -> Response:
        entry = self._entry(request)
        try:
            where, splits = condition_of(request.path_params["subset"])
        except TurntableError as error:
            raise HTTPException(404, str(error)) from None
        text = self._queries.manifest(entry, where, splits).to_json().encode()
        return _answer(text, "application/json", request)

    @_in_a_thread
    def about(self, request: Request) -> Response:
        entry = self._entry(request)
        told = contents.described(entry)
        return _cached({**told, "renders": self._renders.offers(entry)}, request)

    @_in_a_thread
    def factors(self, request: Request) -> Response:
        return _cached(contents.histograms(self._entry(request)), request)

    @_in_a_thread
    def views(self, request: Request) -> Response:
        entry, values = self._entry(request), request.query_params
        found = self._queries.views(
            entry,
            values.get("where") or "true",
            (values["split"],) if values.get("split") else (),
            number(values, "offset", 0),
            number(values, "limit", 60, 1, contents.MOST_LISTED),
        )
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
        made = await anyio.to_thread.run_sync(self._queries.manifest, entry, body["where"], splits)
        address = f"/datasets/{entry.name}/subsets/{subset_name(body['where'], splits)}"
        headers = {"Location": address, "Cache-Control": "no-store"}
        return Response(made.to_json(), media_type="application/json", headers=headers)

    async def render(self, request: Request) -> Response:
        """A view that nobody has drawn yet, or whose picture is still at hand."""
        body = await json_body(request) if request.method == "POST" else _render_query(request)
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
        except MeshError as error:
            raise HTTPException(422, str(error)) from None
        headers = {"ETag": f'"{drawn.digest}"', "Cache-Control": ASK_AGAIN}
        if request.method != "POST" and not_modified(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(drawn.jpeg, media_type="image/jpeg", headers=headers)

    async def _allowed(self, request: Request, scope: Any, name: str) -> Entry:
        """A data set that a body names."""
        if not _asker(request).may(scope, name):
            raise HTTPException(
                403 if _asker(request).token is not None else 401, f"you may not {scope} {name[:80]}"
            )
        entry = await anyio.to_thread.run_sync(self._catalogue.get, name)
        if entry is None:
            raise HTTPException(404, f"no data set {name[:80]!r}; see /datasets")
        return entry

    def _entry(self, request: Request) -> Entry:
        name = request.path_params["name"]
        entry = self._catalogue.get(name)
        if entry is None:
            raise HTTPException(404, f"no data set {name[:80]!r}; see /datasets")
        return entry

    def _place(self, entry: Entry, request: Request) -> tuple[str, int]:
        key = request.path_params["key"]
        place = entry.place(key)
        if place is None:
            raise HTTPException(404, f"{entry.name} has no object {key[:80]!r}")
        return place

    def _view(self, request: Request) -> tuple[Entry, tuple[str, int], int]:
        """Where a view lies."""
        entry, view = self._entry(request), request.path_params["view"]
        place = self._place(entry, request)
        if view >= entry.dataset.manifest.views:
            raise HTTPException(404, f"objects of {entry.name} have {entry.dataset.manifest.views} views")
        return entry, place, view

    def _file(self, entry: Entry, path: str, request: Request) -> Response:
        facts = file_facts(entry, path)
        if facts is None:
            raise HTTPException(404, f"{entry.name} has no file {path[:80]!r}")
        full, size, etag = facts
        return file_answer(full, size, etag, FOR_EVER if entry.files[path].sha256 else ASK_AGAIN, request)


def _render_query(request: Request) -> dict[str, Any]:
    """A picture's address says what a body would: ``?dataset=…&key=…&view=…&size=…&FACTOR=VALUE``."""
    values: Mapping[str, str] = request.query_params
    body: dict[str, Any] = {name: values[name] for name in ("dataset", "key") if name in values}
    body |= {name: number(values, name, 0) for name in ("view", "size") if name in values}
    factors = dict[str, float]()
    for name, text in values.items():
        if name not in ("dataset", "key", "view", "size"):
            try:
                factors[name] = float(text)
            except ValueError:
                raise HTTPException(400, f"{name[:40]}={text[:40]!r} is no number") from None
    return {**body, "factors": factors}


def _asker(request: Request) -> Asker:
    return request.scope["asker"]


def _cached(told: object, request: Request) -> Response:
    return _answer(json.dumps(told, allow_nan=False).encode(), "application/json", request)


def _answer(data: bytes, media_type: str, request: Request) -> Response:
    headers = {"ETag": etag_of(data), "Cache-Control": ASK_AGAIN}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=media_type, headers=headers)
