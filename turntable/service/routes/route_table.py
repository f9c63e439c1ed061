"""The table of all routes of the service."""

from pathlib import Path

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from turntable.service.catalog import DatasetCatalog
from turntable.service.monitoring import Metrics
from turntable.service.queries import QueryService
from turntable.service.rendering import RenderService
from turntable.service.routes.datasets import DatasetEndpoints
from turntable.service.routes.rendering import RenderEndpoints
from turntable.service.routes.route import ServiceRoute
from turntable.service.routes.session import SessionEndpoints
from turntable.service.routes.status import ServiceEndpoints
from turntable.service.routes.subsets import SubsetEndpoints
from turntable.service.security import AccessFile

GALLERY_FOLDER = Path(__file__).parent.with_name("gallery")


def build_routes(
    catalog: DatasetCatalog,
    renders: RenderService,
    queries: QueryService,
    metrics: Metrics,
    access: AccessFile | None,
) -> list[BaseRoute]:
    """Return all routes, in the order in which they are matched, each with the permission that it needs.

    Args:
        catalog: The data sets to serve.
        renders: The service that renders views.
        queries: The service that evaluates conditions.
        metrics: The metrics for Prometheus.
        access: The file of tokens; None if everything is open.
    """
    status, session = ServiceEndpoints(catalog, metrics), SessionEndpoints(catalog, access)
    subsets, rendering = SubsetEndpoints(catalog, queries), RenderEndpoints(catalog, renders)
    datasets = DatasetEndpoints(catalog, renders)
    name, view = "/datasets/{name}", "/objects/{key}/views/{view:count}"
    return [
        ServiceRoute("/", "nothing", status.front, is_described=False),
        ServiceRoute("/gallery", "nothing", status.front, is_described=False),
        Mount("/gallery", StaticFiles(directory=GALLERY_FOLDER, html=True), name="gallery"),
        ServiceRoute("/healthz", "nothing", status.health),
        ServiceRoute("/metrics", "admin", status.metrics),
        ServiceRoute("/openapi.json", "nothing", status.openapi),
        ServiceRoute("/session", "nothing", session.session),
        ServiceRoute("/login", "nothing", session.login, "POST", statuses=(401,)),
        ServiceRoute("/logout", "nothing", session.logout, "POST"),
        ServiceRoute("/query", "read", subsets.query, "POST"),
        ServiceRoute("/render", "render", rendering.render, "GET", "POST", statuses=(422, 501)),
        ServiceRoute("/datasets", "own", datasets.list),
        ServiceRoute(name, "read", datasets.manifest),
        ServiceRoute(f"{name}/about", "read", datasets.about),
        ServiceRoute(f"{name}/factors", "read", datasets.factors),
        ServiceRoute(f"{name}/views", "read", subsets.views),
        ServiceRoute(f"{name}/pair", "read", datasets.pair),
        ServiceRoute(f"{name}/objects", "read", datasets.objects),
        ServiceRoute(f"{name}/objects/{{key}}", "read", datasets.object),
        ServiceRoute(f"{name}/objects/{{key}}/drawings/{{drawing}}.json", "read", datasets.drawing),
        ServiceRoute(f"{name}{view}.jpg", "read", datasets.view),
        ServiceRoute(f"{name}{view}.json", "read", datasets.label),
        ServiceRoute(f"{name}{view}/{{output}}.png", "read", datasets.output),
        ServiceRoute(f"{name}/subsets/{{subset}}/manifest.json", "read", subsets.subset),
        ServiceRoute(f"{name}/subsets/{{subset}}/{{path:path}}", "read", datasets.file, is_described=False),
        ServiceRoute(f"{name}/files/{{path:path}}", "read", datasets.file),
        # Loaders and browsers may leave out files/. Last, as this path matches all of the above.
        ServiceRoute(f"{name}/{{path:path}}", "read", datasets.file, is_described=False),
    ]
