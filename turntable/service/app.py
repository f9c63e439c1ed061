"""The HTTP application: the routes and the middleware in front of them.

Only the files that a data set's manifest lists can be reached.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from turntable.errors import TurntableError
from turntable.service.catalog import DatasetCatalog
from turntable.service.json_responses import handle_http_error, handle_turntable_error
from turntable.service.monitoring import Metrics, MonitoringMiddleware
from turntable.service.queries import QueryService
from turntable.service.rendering import RenderService
from turntable.service.routes import build_routes
from turntable.service.security import (
    AccessMiddleware,
    CrossOriginMiddleware,
    NetworkMiddleware,
    SecurityHeadersMiddleware,
)
from turntable.service.settings import ServiceSettings


def create_app(catalog: DatasetCatalog, settings: ServiceSettings | None = None) -> Starlette:
    """Return the application that serves the data sets of a catalog.

    ``/openapi.json`` describes its routes.

    Args:
        catalog: The data sets to serve.
        settings: Tokens, limits and rendering. By default everything is open and nothing is rendered.

    Raises:
        InvalidInputError: The file of tokens is missing, or a proxy, prefix or origin is malformed.
        IntegrityError: The file of tokens is damaged.
    """
    settings = settings or ServiceSettings()
    renders = RenderService(settings.render_settings)
    queries = QueryService(settings.query_timeout_s)
    metrics = Metrics(catalog, renders)
    access = settings.open_access()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        yield
        renders.close()
        queries.close()

    app = Starlette(
        routes=build_routes(catalog, renders, queries, metrics, access),
        # From the outermost inwards. Monitoring comes first, so that refused requests are counted and logged
        # too; the network policy comes before access, which limits by the client address that it resolves;
        # pages of other origins may read what access refuses, so that they can tell why.
        middleware=[
            Middleware(MonitoringMiddleware, metrics=metrics),
            Middleware(SecurityHeadersMiddleware, has_tokens=access is not None),
            Middleware(NetworkMiddleware, policy=settings.make_network_policy()),
            Middleware(CrossOriginMiddleware, policy=settings.make_origin_policy()),
            Middleware(
                AccessMiddleware,
                access=access,
                public_datasets=frozenset(settings.public_datasets),
                rate_limiter=settings.make_rate_limiter(),
                concurrency_limiter=settings.make_concurrency_limiter(),
            ),
        ],
        exception_handlers={HTTPException: handle_http_error, TurntableError: handle_turntable_error},
        lifespan=lifespan,
    )
    # A path with an extra slash gets a 404: a redirect would repeat the Host header that the client sent.
    app.router.redirect_slashes = False
    return app
