"""The endpoint that renders views on request."""

import logging
from typing import Annotated

import anyio.to_thread
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from turntable.errors import MeshError
from turntable.service.catalog import DatasetCatalog
from turntable.service.file_responses import is_not_modified
from turntable.service.rendering import (
    MAX_SIZE_PX,
    MIN_SIZE_PX,
    QueueIsFullError,
    RenderFailedError,
    RenderingIsOffError,
    RenderService,
    make_render_job,
)
from turntable.service.routes.lookup import get_entry, get_location
from turntable.service.routes.responses import JpegResponse, make_cache_control
from turntable.service.security import MAX_ITEMS, RequestParams

_LOG = logging.getLogger("turntable.service")
FactorValue = Annotated[float, Field(gt=-1e9, lt=1e9)]


class Render(RequestParams):
    """A stored view to render again with some of its factors changed."""

    dataset: str
    key: str = Field(description="Key of the object")
    # The minimum is documented only: make_render_job checks the view, and its message has the number of
    # views.
    view: int = Field(
        0, description="Number of the stored view whose label is changed", json_schema_extra={"minimum": 0}
    )
    factors: dict[str, FactorValue] = Field(
        default_factory=dict,
        max_length=MAX_ITEMS,
        description="New values of factors by name, in the units of the data set",
    )
    size: int | None = Field(
        None, ge=MIN_SIZE_PX, le=MAX_SIZE_PX, description="Side in pixels; as stored if left out"
    )


class RenderEndpoints:
    """The endpoint that renders views on request."""

    def __init__(self, catalog: DatasetCatalog, renders: RenderService) -> None:
        self._catalog, self._renders = catalog, renders

    async def render(self, request: Request, params: Render) -> JpegResponse:
        """Render a view with changed factors and return it as JPEG."""
        entry = await anyio.to_thread.run_sync(get_entry, self._catalog, params.dataset)
        location = await anyio.to_thread.run_sync(get_location, entry, params.key)
        meshes = self._renders.find_meshes(entry)
        try:
            job = make_render_job(entry, location, params.view, params.factors, params.size, meshes)
            rendered = await self._renders.render(entry, job)
        except RenderingIsOffError as error:
            raise HTTPException(501, str(error)) from None
        except QueueIsFullError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "2"}) from None
        except RenderFailedError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "1"}) from None
        except MeshError as error:  # its message has local paths, so only the log gets it
            _LOG.warning("%s: %s", entry.name, error)
            raise HTTPException(422, f"the mesh of this object cannot be used: {error.reason}") from None
        headers = {"ETag": f'"{rendered.digest}"', "Cache-Control": make_cache_control(request, entry.name)}
        if request.method != "POST" and is_not_modified(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(rendered.jpeg, media_type="image/jpeg", headers=headers)
