"""Requests from pages of other origins (CORS): those in the settings may read responses, others may not.

A browser keeps the response to a request of another origin from the page unless the headers allow it. It asks
first (a preflight request) where a page could not send such a request by a plain form: every POST of this
service is of that kind, as it must have the type of JSON. A named origin may send the cookie of a visitor who
has signed in; "*" stands for all others, which may read without a cookie and without a token, so public data.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from turntable.errors import InvalidInputError, format_text
from turntable.service.json_responses import make_error_response

ANY_ORIGIN = "*"
"""Origin in the settings that stands for all."""
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)(:[0-9]{1,5})?")
_METHODS = "GET, HEAD, POST"
_EXPOSED = "Accept-Ranges, Content-Length, Content-Range, ETag, Location, Retry-After, WWW-Authenticate"
"""Headers of responses that a page may read, besides those that every page may."""
_ACCEPTED = "Content-Type, If-Match, If-None-Match, If-Range, Range"
"""Headers of requests that a page may send."""
_MAX_AGE_S = 600
"""Seconds for which a browser remembers that an origin is allowed."""
_COOKIE_PATHS = frozenset({"/login", "/logout"})
"""Paths whose responses change the cookie."""


@dataclass(frozen=True, slots=True)
class OriginPolicy:
    """The origins whose pages may use the service."""

    named: frozenset[str]
    """Origins as browsers write them: scheme, host, and port unless it is the scheme's own."""
    allows_any: bool
    """True if pages of all other origins may read what needs no token."""

    @classmethod
    def from_names(cls, origins: Iterable[str]) -> "OriginPolicy":
        """Return the policy for origins as a user writes them; "*" stands for all.

        Raises:
            InvalidInputError: A text is not an origin.
        """
        given = frozenset(origins)
        return cls(frozenset(map(_parse_origin, given - {ANY_ORIGIN})), ANY_ORIGIN in given)

    def make_headers(self, origin: str) -> dict[str, str]:
        """Return the headers that let a page of an origin read a response; none if it may not."""
        if origin in self.named:
            allowed = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        elif self.allows_any:
            allowed = {"Access-Control-Allow-Origin": ANY_ORIGIN}
        else:
            return {}
        return {**allowed, "Access-Control-Expose-Headers": _EXPOSED}

    def make_preflight_headers(self, origin: str) -> dict[str, str]:
        """Return the headers of the response to a preflight request; none if the origin is not allowed."""
        allowed = self.make_headers(origin)
        # Only a page of a named origin may send a token: what needs one is not for all.
        accepted = f"Authorization, {_ACCEPTED}" if origin in self.named else _ACCEPTED
        more = {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": accepted,
            "Access-Control-Max-Age": str(_MAX_AGE_S),
        }
        return allowed and {**allowed, **more}

    def may_post(self, origin: str, path: str) -> bool:
        """Return True if a page of another origin may send a POST to a path."""
        return origin in self.named or (self.allows_any and path not in _COOKIE_PATHS)


class CrossOriginMiddleware:
    """An ASGI middleware that answers preflight requests, allows named origins, and refuses others' POSTs.

    Args:
        app: The application.
        policy: The origins that are allowed.
    """

    def __init__(self, app: ASGIApp, policy: OriginPolicy) -> None:
        self._app, self._policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add the headers to its response, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = self._answer(scope, headers) or self._app
        allowed = self._policy.make_headers(headers.get("origin", ""))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message), allowed)
            await send(message)

        await answer(scope, receive, send_with_headers)

    def _answer(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        """Return the response to a preflight request or to a POST that is refused; otherwise None."""
        origin, is_allowed = headers.get("origin", ""), True
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            allowed = self._policy.make_preflight_headers(origin)
            if allowed:
                return Response(status_code=204, headers=allowed)
            is_allowed = False
        elif scope["method"] == "POST" and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            # The browser says that the page is of another origin; scripts cannot change this header.
            is_allowed = self._policy.may_post(origin, scope["path"])
        if is_allowed:
            return None
        return make_error_response(
            403,
            f"pages of {format_text(origin, 80) or 'other origins'} may not use this service; "
            "start it with --allow-origin ORIGIN",
        )

    def _add_headers(self, headers: MutableHeaders, allowed: Mapping[str, str]) -> None:
        headers.update(allowed)
        if self._policy.named:  # caches must not give the response for one origin to another
            headers.add_vary_header("Origin")


def _parse_origin(text: str) -> str:
    """Return an origin as browsers write it."""
    origin = text.strip().lower().rstrip("/")
    if _ORIGIN.fullmatch(origin) is None:
        raise InvalidInputError(
            f"--allow-origin {format_text(text)}: give the origin of a page, SCHEME://HOST or "
            'SCHEME://HOST:PORT, such as https://hub.example.org, or "*" for public data'
        )
    default_port = {"http": ":80", "https": ":443"}[origin.partition(":")[0]]
    return origin.removesuffix(default_port)
