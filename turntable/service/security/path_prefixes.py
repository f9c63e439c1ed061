"""The path prefix under which a proxy offers the service: ``/user/ada/proxy/8765`` on a JupyterHub.

A proxy may strip the prefix before it passes a request on, or leave it in the path. All addresses in pages
and headers are relative, so that they work in both cases.
"""

import re
from urllib.parse import quote, unquote

from starlette.requests import Request

from turntable.errors import InvalidInputError, format_text

ROOT_KEY = "turntable.root"
"""Key of the ASGI scope for the address of the service's root, relative to the requested path."""
_OWN_NAMES = frozenset(
    {"datasets", "gallery", "healthz", "login", "logout", "metrics", "openapi.json", "query", "render"}
    | {"session"}
)
"""First parts of the service's own paths. A prefix that began with one could not be told from them."""
# No part of the path is empty, as "//host/" in a redirect would lead to another server.
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")


def parse_root_path(text: str) -> str:
    """Return the decoded prefix that a user gives; empty for none.

    Args:
        text: Path as a browser shows it, such as "/user/ada/proxy/8765", with or without a slash at its end.

    Raises:
        InvalidInputError: The text is not a path, or begins like one of the service's own paths.
    """
    if not text.strip("/"):
        return ""
    prefix = unquote(text.rstrip("/"))
    if not _PREFIX.fullmatch(text.rstrip("/")) or not _is_plain_path(prefix):
        raise InvalidInputError(
            f"--root-path {format_text(text)}: give the path under which a proxy offers the service, "
            "such as /user/ada/proxy/8765"
        )
    if prefix.split("/")[1] in _OWN_NAMES:
        raise InvalidInputError(
            f"--root-path {format_text(text)}: a path of the service itself begins so; choose another prefix"
        )
    return prefix


def _is_plain_path(path: str) -> bool:
    return path.isprintable() and all(part not in ("", ".", "..") for part in path.split("/")[1:])


def strip_prefix(path: str, prefix: str) -> str:
    """Return a path without the prefix; the whole path if it does not begin with the prefix."""
    if not prefix or not (path == prefix or path.startswith(f"{prefix}/")):
        return path
    return path[len(prefix) :] or "/"


def find_root(path: str, prefix: str) -> str:
    """Return the address of the service's root, relative to the requested path.

    Args:
        path: Requested path: the prefix, or a path with a single part below it, such as /query.
        prefix: Decoded prefix that the proxy did not strip; empty for none.
    """
    is_folder_without_slash = prefix and path == prefix
    return f"./{quote_prefix(prefix.rpartition('/')[2])}/" if is_folder_without_slash else "./"


def quote_prefix(prefix: str) -> str:
    """Return a decoded prefix as it is written in URLs."""
    return quote(prefix, safe="/~!$&'()*+,;=:")


def make_location(request: Request, address: str) -> str:
    """Return the value of the header ``Location`` for an address of this service.

    It is relative to the URL of the request. Some proxies rewrite absolute paths in this header and some do
    not; a relative one is right behind all of them.

    Args:
        request: Request for the service's root, or for a path with a single part.
        address: Address below the root, without a slash at its beginning.
    """
    return request.scope[ROOT_KEY] + address
