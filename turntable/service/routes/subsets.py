"""Views whose labels fulfil a condition: a page of them, or a subset that loaders stream."""

from typing import Annotated
from urllib.parse import quote

import anyio.to_thread
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from turntable.errors import TurntableError
from turntable.service import contents
from turntable.service.catalogue import Catalogue, CatalogueEntry
from turntable.service.documents import ViewsPage
from turntable.service.doors import MOST_ITEMS, Asked, Whole, asker_of_request
from turntable.service.queries import (
    LONGEST_CONDITION,
    Answered,
    Queries,
    TooManyQueriesError,
    condition_of,
    subset_name,
)
from turntable.service.routes.datasets import Limit
from turntable.service.routes.finding import entry_in_path, entry_named
from turntable.service.routes.replies import AnyJson, Kept, ManifestJson, kept

Condition = Annotated[str, Field(max_length=LONGEST_CONDITION, examples=["floor_hue < 0.5"])]


class ViewsAsked(Asked):
    """Some views that fulfil a condition."""

    where: Condition = "true"
    split: str | None = Field(None, description="All if left out")
    offset: Whole = 0
    limit: Limit = 60


class Query(Asked):
    """A subset: the views of some splits that fulfil a condition."""

    dataset: str
    where: Condition
    splits: tuple[str, ...] = Field((), strict=False, max_length=MOST_ITEMS, description="All if left out")


class SubsetEndpoints:
    """Answers about views that fulfil a condition."""

    def __init__(self, catalogue: Catalogue, queries: Queries) -> None:
        self._catalogue, self._queries = catalogue, queries

    async def query(self, request: Request, asked: Query) -> ManifestJson:
        """Return the manifest of a subset; its address, for loaders, is in ``Location``."""
        entry = await anyio.to_thread.run_sync(entry_named, self._catalogue, asked.dataset)
        splits = tuple(dict.fromkeys(asked.splits))
        made = await self._asked(request, entry, asked.where, splits)
        address = f"/datasets/{quote(entry.name, safe='')}/subsets/{subset_name(asked.where, splits)}"
        headers = {"Location": address, "Cache-Control": "no-store"}
        return Response(made.document, media_type="application/json", headers=headers)

    async def subset(self, request: Request) -> Kept[AnyJson]:
        """Return the manifest of a subset."""
        entry = await anyio.to_thread.run_sync(entry_in_path, self._catalogue, request)
        try:
            where, splits = condition_of(request.path_params["subset"])
        except TurntableError as error:
            raise HTTPException(404, str(error)) from None
        made = await self._asked(request, entry, where, splits)
        return Kept(made.document, request)

    async def views(self, request: Request, asked: ViewsAsked) -> Kept[ViewsPage]:
        """Return views whose labels fulfil a condition."""
        entry = await anyio.to_thread.run_sync(entry_in_path, self._catalogue, request)
        splits = () if asked.split is None else (asked.split,)
        made = await self._asked(request, entry, asked.where, splits)
        page = (asked.offset, asked.limit)
        found = await anyio.to_thread.run_sync(contents.views_of, entry, made.manifest, *page)
        return kept(found, request)

    async def _asked(
        self, request: Request, entry: CatalogueEntry, where: str, splits: tuple[str, ...]
    ) -> Answered:
        """Return the views that fulfil a condition."""
        try:
            return await self._queries.answer(entry, where, splits, asker_of_request(request).name)
        except TooManyQueriesError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "1"}) from None
