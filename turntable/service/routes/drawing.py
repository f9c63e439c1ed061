"""Views on request."""

import logging
from typing import Annotated

import anyio.to_thread
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from turntable.errors import MeshError
from turntable.service.catalogue import Catalogue
from turntable.service.doors import MOST_ITEMS, Asked
from turntable.service.files import not_modified
from turntable.service.renders import (
    LEAST_PX,
    MOST_PX,
    QueueIsFullError,
    RenderFailedError,
    RenderingIsOffError,
    RenderService,
    render_job,
)
from turntable.service.routes.finding import entry_named, place_of
from turntable.service.routes.replies import Jpeg, caching

_LOG = logging.getLogger("turntable.service")
FactorValue = Annotated[float, Field(gt=-1e9, lt=1e9)]


class Render(Asked):
    """A stored view with some of its factors changed."""

    dataset: str
    key: str = Field(description="Of the object")
    # A bound for readers: the data set knows how many views there are, and says so where it refuses one.
    view: int = Field(0, description="Whose label is changed", json_schema_extra={"minimum": 0})
    factors: dict[str, FactorValue] = Field(
        default_factory=dict,
        max_length=MOST_ITEMS,
        description="New values by name, in the data set's units",
    )
    size: int | None = Field(None, ge=LEAST_PX, le=MOST_PX, description="In pixels; as stored if left out")


class RenderEndpoints:
    """Answers with views on request."""

    def __init__(self, catalogue: Catalogue, renders: RenderService) -> None:
        self._catalogue, self._renders = catalogue, renders

    async def render(self, request: Request, asked: Render) -> Jpeg:
        """Return a view that nobody has drawn yet, or whose picture is still at hand."""
        entry = await anyio.to_thread.run_sync(entry_named, self._catalogue, asked.dataset)
        place = await anyio.to_thread.run_sync(place_of, entry, asked.key)
        meshes = self._renders.meshes_of(entry)
        try:
            job = render_job(entry, place, asked.view, asked.factors, asked.size, meshes)
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
        headers = {"ETag": f'"{drawn.digest}"', "Cache-Control": caching(request, entry.name)}
        if request.method != "POST" and not_modified(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(drawn.jpeg, media_type="image/jpeg", headers=headers)
