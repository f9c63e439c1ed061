"""The server process: ``serve`` runs the application under uvicorn."""

import asyncio
import logging
import resource
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from socket import socket

import uvicorn
from typing_extensions import override

from turntable.service.app import create_app
from turntable.service.catalog import build_catalog
from turntable.service.listening import BACKLOG, ServiceUrls, format_base_url, open_sockets
from turntable.service.monitoring import ACCESS_LOGGER
from turntable.service.security import BoundedConnection
from turntable.service.settings import ServiceSettings

_SERVER_LOG = logging.getLogger("uvicorn.error")
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
"""Hosts that only this machine can reach."""
KEEP_ALIVE_S = 30
"""Seconds that an idle connection stays open. A loader's connection is idle while it trains on a batch."""
MAX_OPEN_FILES = 65_536
"""Number of open files that the service asks the system for; each connection is one."""
SHUTDOWN_TIMEOUT_S = 10
"""Seconds that running responses have to finish when the service stops."""


def serve(
    folders: Iterable[str | Path],
    host: str = "127.0.0.1",
    port: int = 8765,
    settings: ServiceSettings | None = None,
    *,
    access_log: bool = True,
    on_start: Callable[[ServiceUrls], None] | None = None,
) -> None:
    """Serve the data sets in these folders until the process is stopped.

    By default only this machine can reach the service.

    Args:
        folders: Folders that each are a data set or hold some.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        settings: Tokens, limits and rendering.
        access_log: True to write one line of JSON for each request to the standard output.
        on_start: Function that is called with the URLs once requests are answered; None to log the URL.

    Raises:
        InvalidInputError: A folder holds no data set, a setting is wrong, or the host or port cannot be
            listened on.
        IntegrityError: The manifest of a data set or the file of tokens is damaged.
    """
    settings = settings or ServiceSettings()
    bound = replace(settings, allow_hosts=(*settings.allow_hosts, host))
    catalog = build_catalog(folders, settings.links_under)
    app = create_app(catalog, bound)
    sockets = open_sockets(host, port)
    if access_log:
        ACCESS_LOGGER.setLevel(logging.INFO)
        ACCESS_LOGGER.propagate = False
        ACCESS_LOGGER.addHandler(logging.StreamHandler(sys.stdout))
    _raise_file_limit()
    config = uvicorn.Config(
        app,
        # uvicorn makes each connection itself, so the policy is passed as an attribute of a subclass.
        http=type("Connection", (BoundedConnection,), {"network_policy": bound.make_network_policy()}),
        loop="asyncio",  # BoundedConnection is tested with this loop only
        ws="none",
        access_log=False,
        proxy_headers=False,  # NetworkMiddleware reads them, from trusted proxies only
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
        backlog=BACKLOG,
        log_level="warning" if on_start else "info",
    )
    names = tuple(entry.name for entry in catalog.list_entries())
    root_path = bound.make_network_policy().quoted_root_path
    urls = ServiceUrls(format_base_url(host, sockets[0].getsockname()[1], root_path), names)
    asyncio.run(_Server(config, urls, on_start or _log_url).serve(sockets))


class _Server(uvicorn.Server):
    """A server that tells its URLs once requests are answered."""

    def __init__(
        self, config: uvicorn.Config, urls: ServiceUrls, on_start: Callable[[ServiceUrls], None]
    ) -> None:
        super().__init__(config)
        self._urls, self._on_start = urls, on_start

    @override
    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start to answer requests, and tell the URLs."""
        await super().startup(sockets)
        self._on_start(self._urls)


def _log_url(urls: ServiceUrls) -> None:
    _SERVER_LOG.info("running on %s (Ctrl-C stops it)", urls.gallery)


def _raise_file_limit() -> None:
    """Raise the limit of open files: shells usually allow about a thousand, the system allows more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
