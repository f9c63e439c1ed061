"""Endpoints of the views that match a condition: a page of them, or a subset that loaders stream."""

from typing import Annotated
from urllib.parse import quote

import anyio.to_thread
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from turntable.errors import TurntableError
from turntable.service import payloads
from turntable.service.catalog import CatalogEntry, DatasetCatalog
from turntable.service.queries import (
    MAX_CONDITION_LENGTH,
    QueryResult,
    QueryService,
    TooManyQueriesError,
    decode_condition,
    encode_condition,
)
from turntable.service.routes.datasets import Limit
from turntable.service.routes.lookup import get_entry, get_entry_in_path
from turntable.service.routes.responses import AnyJson, ETagResponse, ManifestJson, make_etag_response
from turntable.service.schemas import ViewsPage
from turntable.service.security import MAX_ITEMS, NonNegativeInt, RequestParams, get_client, make_location

Condition = Annotated[str, Field(max_length=MAX_CONDITION_LENGTH, examples=["floor_hue < 0.5"])]


class ViewsParams(RequestParams):
    """Parameters of a page of views."""

    where: Condition = "true"
    split: str | None = Field(None, description="Name of the split; all if left out")
    offset: NonNegativeInt = 0
    limit: Limit = 60


class Query(RequestParams):
    """A subset: the views of some splits that match a condition."""

    dataset: str
    where: Condition
    splits: tuple[str, ...] = Field(
        (), strict=False, max_length=MAX_ITEMS, description="Names of splits; all if left out"
    )


class SubsetEndpoints:
    """Endpoints of the views that match a condition."""

    def __init__(self, catalog: DatasetCatalog, queries: QueryService) -> None:
        self._catalog, self._queries = catalog, queries

    async def query(self, request: Request, params: Query) -> ManifestJson:
        """Return the manifest of a subset; its URL, for loaders, is in ``Location``."""
        entry = await anyio.to_thread.run_sync(get_entry, self._catalog, params.dataset)
        splits = tuple(dict.fromkeys(params.splits))
        result = await self._run_query(request, entry, params.where, splits)
        address = f"datasets/{quote(entry.name, safe='')}/subsets/{encode_condition(params.where, splits)}"
        headers = {"Location": make_location(request, address), "Cache-Control": "no-store"}
        return Response(result.manifest_json, media_type="application/json", headers=headers)

    async def subset(self, request: Request) -> ETagResponse[AnyJson]:
        """Return the manifest of a subset."""
        entry = await anyio.to_thread.run_sync(get_entry_in_path, self._catalog, request)
        try:
            where, splits = decode_condition(request.path_params["subset"])
        except TurntableError as error:
            raise HTTPException(404, str(error)) from None
        result = await self._run_query(request, entry, where, splits)
        return ETagResponse(result.manifest_json, request)

    async def views(self, request: Request, params: ViewsParams) -> ETagResponse[ViewsPage]:
        """Return one page of the views that match a condition."""
        entry = await anyio.to_thread.run_sync(get_entry_in_path, self._catalog, request)
        splits = () if params.split is None else (params.split,)
        result = await self._run_query(request, entry, params.where, splits)
        bounds = (params.offset, params.limit)
        page = await anyio.to_thread.run_sync(payloads.list_views, entry, result.manifest, *bounds)
        return make_etag_response(page, request)

    async def _run_query(
        self, request: Request, entry: CatalogEntry, condition: str, splits: tuple[str, ...]
    ) -> QueryResult:
        """Return the subset of a condition. Raises HTTPException (503) if too many queries are running."""
        try:
            return await self._queries.run_query(entry, condition, splits, get_client(request).name)
        except TooManyQueriesError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "1"}) from None
