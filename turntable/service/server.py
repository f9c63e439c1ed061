"""The running service: an address, connections, and the log."""

import asyncio
import logging
import resource
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import uvicorn

from turntable.service.app import create_app
from turntable.service.catalogue import find_datasets
from turntable.service.doors import BoundedConnection
from turntable.service.records import ACCESS_LOG
from turntable.service.settings import ServiceSettings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
KEEP_ALIVE_S = 30
"""A loader's connection rests while a batch is trained on."""
MOST_FILES = 65_536
SHUTDOWN_S = 10
"""Answers that are under way may end."""


def serve(
    folders: Iterable[Path],
    host: str = "127.0.0.1",
    port: int = 8765,
    settings: ServiceSettings | None = None,
    *,
    access_log: bool = True,
) -> None:
    """Serve the data sets in these folders until stopped; only this machine can reach them by default.

    Args:
        folders: Each is a data set, or holds some.
        host: To listen on.
        port: To listen on; 0: any that is free.
        settings: Who may ask for what.
        access_log: Whether each request leaves a line of JSON on the standard output.

    Raises:
        InvalidInputError: A folder holds no data set.
    """
    settings = settings or ServiceSettings()
    bound = replace(settings, allow_hosts=(*settings.allow_hosts, host))
    app = create_app(find_datasets(folders, settings.links_under), bound)
    if access_log:
        ACCESS_LOG.setLevel(logging.INFO)
        ACCESS_LOG.propagate = False
        ACCESS_LOG.addHandler(logging.StreamHandler(sys.stdout))
    _allow_connections()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=type("Connection", (BoundedConnection,), {"peers": bound.open_peers()}),
        loop="asyncio",  # the one that our connections are tested with
        ws="none",
        access_log=False,
        proxy_headers=False,  # believed from the proxies that the settings name
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        backlog=4096,
    )
    server = uvicorn.Server(config)
    asyncio.run(server.serve())


def _allow_connections() -> None:
    """A connection is an open file, of which a shell as a rule allows a thousand; the system allows more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
