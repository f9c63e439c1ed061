"""The server process: ``serve`` runs the application under uvicorn."""

import asyncio
import logging
import resource
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import uvicorn

from turntable.service.app import create_app
from turntable.service.catalog import build_catalog
from turntable.service.monitoring import ACCESS_LOGGER
from turntable.service.security import BoundedConnection
from turntable.service.settings import ServiceSettings

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
"""Hosts that only this machine can reach."""
KEEP_ALIVE_S = 30
"""Seconds that an idle connection stays open. A loader's connection is idle while it trains on a batch."""
MAX_OPEN_FILES = 65_536
"""Number of open files that the service asks the system for; each connection is one."""
SHUTDOWN_TIMEOUT_S = 10
"""Seconds that running responses have to finish when the service stops."""


def serve(
    folders: Iterable[Path],
    host: str = "127.0.0.1",
    port: int = 8765,
    settings: ServiceSettings | None = None,
    *,
    access_log: bool = True,
) -> None:
    """Serve the data sets in these folders until the process is stopped.

    By default only this machine can reach the service.

    Args:
        folders: Folders that each are a data set or hold some.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        settings: Tokens, limits and rendering.
        access_log: True to write one line of JSON for each request to the standard output.

    Raises:
        InvalidInputError: A folder holds no data set, or a setting is wrong.
        IntegrityError: The manifest of a data set or the file of tokens is damaged.
    """
    settings = settings or ServiceSettings()
    bound = replace(settings, allow_hosts=(*settings.allow_hosts, host))
    app = create_app(build_catalog(folders, settings.links_under), bound)
    if access_log:
        ACCESS_LOGGER.setLevel(logging.INFO)
        ACCESS_LOGGER.propagate = False
        ACCESS_LOGGER.addHandler(logging.StreamHandler(sys.stdout))
    _raise_file_limit()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        # uvicorn makes each connection itself, so the policy is passed as an attribute of a subclass.
        http=type("Connection", (BoundedConnection,), {"network_policy": bound.make_network_policy()}),
        loop="asyncio",  # BoundedConnection is tested with this loop only
        ws="none",
        access_log=False,
        proxy_headers=False,  # NetworkMiddleware reads them, from trusted proxies only
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
        backlog=4096,
    )
    server = uvicorn.Server(config)
    asyncio.run(server.serve())


def _raise_file_limit() -> None:
    """Raise the limit of open files: shells usually allow about a thousand, the system allows more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
