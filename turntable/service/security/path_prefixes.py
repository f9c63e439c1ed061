"""The path prefix under which a proxy offers the service: ``/user/ada/proxy/8765`` on a JupyterHub.

A proxy may strip the prefix before it passes a request on, or leave it in the path. The pages use relative
addresses, so that they work in both cases. Where an address in a header is wanted, it is relative too unless
the prefix is known.
"""

import re
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.types import Scope

from turntable.errors import InvalidInputError, format_text

PREFIX_KEY = "turntable.prefix"
"""Key of the ASGI scope of the decoded prefix, which is empty if there is none or it is unknown."""
_OWN_NAMES = frozenset(
    {"datasets", "gallery", "healthz", "login", "logout", "metrics", "openapi.json", "query", "render"}
    | {"session"}
)
"""First parts of the service's own paths. A prefix that began with one could not be told from them."""
# No part of the path is empty, as "//host/" in a redirect would lead to another server.
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_MAX_LENGTH = 500
"""Largest number of characters of a prefix."""


def parse_root_path(text: str) -> str:
    """Return the decoded prefix that a user gives; empty for none.

    Args:
        text: Path as a browser shows it, such as "/user/ada/proxy/8765", with or without a slash at its end.

    Raises:
        InvalidInputError: The text is not a path, or begins like one of the service's own paths.
    """
    if not text.strip("/"):
        return ""
    prefix = find_prefix(text)
    if prefix is None:
        raise InvalidInputError(
            f"--root-path {format_text(text)}: give the path under which a proxy offers the service, "
            "such as /user/ada/proxy/8765"
        )
    if prefix.split("/")[1] in _OWN_NAMES:
        raise InvalidInputError(
            f"--root-path {format_text(text)}: a path of the service itself begins so; choose another prefix"
        )
    return prefix


def find_prefix(text: str) -> str | None:
    """Return the decoded prefix in a text; None if the text is not the path of a prefix."""
    trimmed = text.rstrip("/")
    if len(trimmed) > _MAX_LENGTH or _PREFIX.fullmatch(trimmed) is None:
        return None
    prefix = unquote(trimmed)
    parts = prefix.split("/")[1:]
    return prefix if prefix.isprintable() and all(part not in ("", ".", "..") for part in parts) else None


def strip_prefix(path: str, prefix: str) -> str:
    """Return a path without the prefix; the whole path if it does not begin with the prefix."""
    if not prefix or not (path == prefix or path.startswith(f"{prefix}/")):
        return path
    return path[len(prefix) :] or "/"


def get_prefix(scope: Scope) -> str:
    """Return the prefix of a request as addresses contain it; empty if there is none or it is unknown."""
    return quote_prefix(scope.get(PREFIX_KEY, ""))


def quote_prefix(prefix: str) -> str:
    """Return a decoded prefix as it is written in URLs."""
    return quote(prefix, safe="/~!$&'()*+,;=:")


def make_location(request: Request, address: str) -> str:
    """Return the value of the header ``Location`` for an address of this service.

    Args:
        request: Request for a path with a single part, such as /query.
        address: Address below the root of the service, without a slash at its beginning.

    Returns:
        The path with the prefix if that is known. Otherwise the address as it is: a client resolves it
        against the URL that it requested, which contains the prefix.
    """
    prefix = get_prefix(request.scope)
    return f"{prefix}/{address}" if prefix else address
