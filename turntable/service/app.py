"""The HTTP application: routes behind doors. Nothing outside the manifests' own files can be reached."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from turntable.errors import TurntableError
from turntable.service.answers import http_problem, turntable_problem
from turntable.service.catalogue import Catalogue
from turntable.service.doors import Careful, Guard, KnownPeers
from turntable.service.queries import Queries
from turntable.service.records import Metrics, Recorded
from turntable.service.renders import RenderService
from turntable.service.routes import service_routes
from turntable.service.settings import ServiceSettings


def create_app(catalogue: Catalogue, settings: ServiceSettings | None = None) -> Starlette:
    """The application over these data sets; ``/openapi.json`` describes it.

    Args:
        catalogue: What is on offer.
        settings: Who may ask for what, and how often; by default anyone, and nothing is drawn.
    """
    settings = settings or ServiceSettings()
    renders = RenderService(settings.renders)
    queries = Queries(settings.query_seconds)
    metrics = Metrics(catalogue, renders)
    access = settings.open_access()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        yield
        renders.close()
        queries.close()

    app = Starlette(
        routes=service_routes(catalogue, renders, queries, metrics, access),
        middleware=[
            Middleware(Recorded, metrics=metrics),
            Middleware(Careful, has_keys=access is not None),
            Middleware(KnownPeers, peers=settings.open_peers()),
            Middleware(
                Guard,
                access=access,
                public=frozenset(settings.public),
                rate=settings.open_rate(),
                gate=settings.open_gate(),
            ),
        ],
        exception_handlers={HTTPException: http_problem, TurntableError: turntable_problem},
        lifespan=lifespan,
    )
    # An address with a slash too many is none: a redirect would repeat the Host that was sent.
    app.router.redirect_slashes = False
    return app
