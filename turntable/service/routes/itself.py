"""The service itself: whether it runs, its numbers, and what can be asked of it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from turntable.service.catalogue import Catalogue
from turntable.service.documents import Health
from turntable.service.records import Metrics
from turntable.service.routes.openapi import description
from turntable.service.routes.replies import AnyJson, Json, PlainText


class ServiceEndpoints:
    """Answers about the service itself."""

    def __init__(self, catalogue: Catalogue, metrics: Metrics) -> None:
        self._catalogue, self._metrics = catalogue, metrics
        self._description: AnyJson = {}

    async def front(self, _: Request) -> Response:
        """Lead to the gallery."""
        return RedirectResponse("/gallery/")

    async def health(self, _: Request) -> Json[Health]:
        """Tell that the service runs."""
        return Json({"status": "ok", "datasets": len(self._catalogue)})

    async def metrics(self, _: Request) -> PlainText:
        """Return the service's numbers for Prometheus."""
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, request: Request) -> Json[AnyJson]:
        """Return this document."""
        self._description = self._description or description(request.app.routes)
        return Json(self._description)
