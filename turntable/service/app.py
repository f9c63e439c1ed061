"""The HTTP application: addresses to answers. Nothing outside the manifests' own files can be reached."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from turntable.errors import InvalidInputError, MissingExtraError
from turntable.service.catalogue import Catalogue, Entry, find_datasets

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import FileResponse, JSONResponse, Response
    from starlette.routing import Route
except ImportError as error:
    raise MissingExtraError("starlette or uvicorn", "serve") from error

FOR_EVER = "public, max-age=31536000, immutable"
"""For what is named by its content; everything else is asked for again by its ETag."""


def create_app(catalogue: Catalogue) -> Starlette:
    """The application over these data sets.

    ``/healthz``; ``/datasets``; ``/datasets/NAME`` (the manifest); ``/datasets/NAME/files/PATH`` (with Range,
    ETag and HEAD), the same as ``/datasets/NAME/PATH``, so that ``/datasets/NAME`` is a data set's place for
    loaders; ``/datasets/NAME/objects/KEY/views/NUMBER.jpg`` and ``.json`` (one view, and its label).
    """
    routes = _Routes(catalogue)
    return Starlette(
        routes=[
            Route("/healthz", routes.health),
            Route("/datasets", routes.list),
            Route("/datasets/{name}", routes.manifest),
            Route("/datasets/{name}/files/{path:path}", routes.file),
            Route("/datasets/{name}/objects/{key}/views/{view:int}.jpg", routes.view),
            Route("/datasets/{name}/objects/{key}/views/{view:int}.json", routes.label),
            Route("/datasets/{name}/{path:path}", routes.file),
        ]
    )


def serve(folders: Iterable[Path], host: str = "127.0.0.1", port: int = 8765) -> None:
    """Serve the data sets in these folders until stopped; only this machine can reach them by default.

    Raises:
        InvalidInputError: A folder holds no data set.
    """
    uvicorn.run(create_app(find_datasets(folders)), host=host, port=port, log_level="info")


class _Routes:
    """One method an address."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "datasets": len(self._catalogue)})

    async def list(self, _: Request) -> Response:
        return JSONResponse([entry.summary() for entry in self._catalogue.values()])

    async def manifest(self, request: Request) -> Response:
        return _file(self._entry(request), "manifest.json", request)

    async def file(self, request: Request) -> Response:
        return _file(self._entry(request), request.path_params["path"], request)

    def view(self, request: Request) -> Response:
        """One JPEG, straight from its place in the shard."""
        entry, split, row, view = self._view(request)
        with entry.dataset.split(split) as opened:
            data = opened.read_jpeg(row, view)
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "Cache-Control": "no-cache"}
        return Response(data, media_type="image/jpeg", headers=headers)

    def label(self, request: Request) -> Response:
        """The factors of one view by name."""
        entry, split, row, view = self._view(request)
        with entry.dataset.split(split) as opened:
            values = opened.labels[row, view].tolist()
            record = opened.objects[row]
        names = [factor.name for factor in entry.dataset.manifest.factors]
        label = {"object": record.id, "category": record.category, "split": split, "view": view}
        return JSONResponse({**label, "factors": dict(zip(names, values, strict=True))})

    def _entry(self, request: Request) -> Entry:
        name = request.path_params["name"]
        if name not in self._catalogue:
            raise HTTPException(404, f"no data set {name!r}; see /datasets")
        return self._catalogue[name]

    def _view(self, request: Request) -> tuple[Entry, str, int, int]:
        """Where a view lies: data set, split, row of its object, number."""
        entry, key, view = self._entry(request), request.path_params["key"], request.path_params["view"]
        for split in entry.dataset.splits:
            with entry.dataset.split(split) as opened:
                rows = [row for row, record in enumerate(opened.objects) if record.key == key]
                if rows and view < opened.num_views:
                    return entry, split, rows[0], view
        raise HTTPException(404, f"no view {view} of an object {key!r} in {entry.name}")


def _file(entry: Entry, path: str, request: Request) -> Response:
    if path not in entry.files:
        raise HTTPException(404, f"{entry.name} has no file {path!r}")
    full = entry.folder / path
    if not full.is_file():
        raise InvalidInputError(f"{full} is gone; run turntable verify {entry.folder}")
    digest = entry.files[path] or hashlib.sha256(full.read_bytes()).hexdigest()
    etag = f'"{digest}"'
    headers = {"ETag": etag, "Cache-Control": FOR_EVER if entry.files[path] else "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return FileResponse(full, headers=headers, stat_result=full.stat())
