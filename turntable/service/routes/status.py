"""Endpoints of the service itself: its front page, health, metrics and OpenAPI document."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from turntable.service.catalog import DatasetCatalog
from turntable.service.monitoring import Metrics
from turntable.service.routes.openapi import build_openapi
from turntable.service.routes.responses import AnyJson, JsonResponse, PlainText
from turntable.service.schemas import Health
from turntable.service.security import make_location


class ServiceEndpoints:
    """Endpoints of the service itself."""

    def __init__(self, catalog: DatasetCatalog, metrics: Metrics) -> None:
        self._catalog, self._metrics = catalog, metrics
        self._openapi: AnyJson = {}

    async def front(self, request: Request) -> Response:
        """Redirect to the gallery."""
        return RedirectResponse(make_location(request, "gallery/"))

    async def health(self, _: Request) -> JsonResponse[Health]:
        """Report that the service runs, with the number of its data sets."""
        return JsonResponse({"status": "ok", "datasets": len(self._catalog)})

    async def metrics(self, _: Request) -> PlainText:
        """Return the service's metrics for Prometheus."""
        return Response(self._metrics.format_text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, request: Request) -> JsonResponse[AnyJson]:
        """Return this OpenAPI document."""
        self._openapi = self._openapi or build_openapi(request.app.routes)
        return JsonResponse(self._openapi)
