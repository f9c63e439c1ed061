"""An HTTP service for data sets: a catalog, files with Range, queries, rendering, and a gallery."""

from turntable.extras import explain_import_errors

with explain_import_errors("httptools"):
    import httptools as _httptools
with explain_import_errors("prometheus_client"):
    import prometheus_client as _prometheus_client
with explain_import_errors("starlette"):
    import starlette as _starlette
with explain_import_errors("typing_extensions"):
    import typing_extensions as _typing_extensions
with explain_import_errors("uvicorn"):
    import uvicorn as _uvicorn

from turntable.service.app import create_app
from turntable.service.catalog import build_catalog
from turntable.service.listening import ServiceUrls, is_every_address
from turntable.service.rendering import RenderSettings
from turntable.service.security import AccessFile, make_access, read_access, write_access
from turntable.service.server import LOOPBACK_HOSTS, serve
from turntable.service.settings import ServiceSettings

del _httptools, _prometheus_client, _starlette, _typing_extensions, _uvicorn

__all__ = [
    "LOOPBACK_HOSTS",
    "AccessFile",
    "RenderSettings",
    "ServiceSettings",
    "ServiceUrls",
    "build_catalog",
    "create_app",
    "is_every_address",
    "make_access",
    "read_access",
    "serve",
    "write_access",
]
