"""Data sets over HTTP: a catalogue, their files with Range, queries, views on request, and a gallery."""

from turntable.errors import MissingExtraError

try:
    import httptools as _httptools
    import prometheus_client as _prometheus_client
    import starlette as _starlette
    import uvicorn as _uvicorn
except ImportError as error:
    raise MissingExtraError(error.name or "starlette", "serve") from error

from turntable.service.app import create_app
from turntable.service.catalogue import find_datasets
from turntable.service.doors import AccessFile, new_access, read_access, write_access
from turntable.service.renders import RenderSettings
from turntable.service.server import LOOPBACK, serve
from turntable.service.settings import ServiceSettings

del _httptools, _prometheus_client, _starlette, _uvicorn

__all__ = [
    "LOOPBACK",
    "AccessFile",
    "RenderSettings",
    "ServiceSettings",
    "create_app",
    "find_datasets",
    "new_access",
    "read_access",
    "serve",
    "write_access",
]
