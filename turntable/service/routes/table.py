"""Every address of the service."""

from pathlib import Path

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from turntable.service.catalogue import Catalogue
from turntable.service.doors import AccessFile
from turntable.service.queries import Queries
from turntable.service.records import Metrics
from turntable.service.renders import RenderService
from turntable.service.routes.datasets import DatasetEndpoints
from turntable.service.routes.drawing import RenderEndpoints
from turntable.service.routes.itself import ServiceEndpoints
from turntable.service.routes.route import ServiceRoute
from turntable.service.routes.session import SessionEndpoints
from turntable.service.routes.subsets import SubsetEndpoints

GALLERY = Path(__file__).parent.with_name("gallery")


def service_routes(
    catalogue: Catalogue,
    renders: RenderService,
    queries: Queries,
    metrics: Metrics,
    access: AccessFile | None,
) -> list[BaseRoute]:
    """Return every address, in the order in which they are tried; none is there without what it needs."""
    itself, session = ServiceEndpoints(catalogue, metrics), SessionEndpoints(access)
    subsets, drawing = SubsetEndpoints(catalogue, queries), RenderEndpoints(catalogue, renders)
    datasets = DatasetEndpoints(catalogue, renders)
    name, view = "/datasets/{name}", "/objects/{key}/views/{view:count}"
    return [
        ServiceRoute("/", "nothing", itself.front, described=False),
        ServiceRoute("/gallery", "nothing", itself.front, described=False),
        Mount("/gallery", StaticFiles(directory=GALLERY, html=True), name="gallery"),
        ServiceRoute("/healthz", "nothing", itself.health),
        ServiceRoute("/metrics", "admin", itself.metrics),
        ServiceRoute("/openapi.json", "nothing", itself.openapi),
        ServiceRoute("/login", "nothing", session.login, "POST", statuses=(401,)),
        ServiceRoute("/logout", "nothing", session.logout, "POST"),
        ServiceRoute("/query", "read", subsets.query, "POST"),
        ServiceRoute("/render", "render", drawing.render, "GET", "POST", statuses=(422, 501)),
        ServiceRoute("/datasets", "own", datasets.list),
        ServiceRoute(name, "read", datasets.manifest),
        ServiceRoute(f"{name}/about", "read", datasets.about),
        ServiceRoute(f"{name}/factors", "read", datasets.factors),
        ServiceRoute(f"{name}/views", "read", subsets.views),
        ServiceRoute(f"{name}/pair", "read", datasets.pair),
        ServiceRoute(f"{name}/objects", "read", datasets.objects),
        ServiceRoute(f"{name}/objects/{{key}}", "read", datasets.object),
        ServiceRoute(f"{name}{view}.jpg", "read", datasets.view),
        ServiceRoute(f"{name}{view}.json", "read", datasets.label),
        ServiceRoute(f"{name}/subsets/{{subset}}/manifest.json", "read", subsets.subset),
        ServiceRoute(f"{name}/subsets/{{subset}}/{{path:path}}", "read", datasets.file, described=False),
        ServiceRoute(f"{name}/files/{{path:path}}", "read", datasets.file),
        ServiceRoute(f"{name}/{{path:path}}", "read", datasets.file, described=False),
    ]
