"""Authorization: the client of a request, its permissions, and the middleware that identifies it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from turntable.choices import TokenScope
from turntable.errors import InvalidInputError
from turntable.service.json_responses import make_error_response
from turntable.service.security import tokens
from turntable.service.security.network import get_client_key
from turntable.service.security.rate_limits import ConcurrencyLimiter, RateLimiter
from turntable.service.security.tokens import AccessFile, TokenRecord

TOKEN_COOKIE = "turntable_token"
"""Name of the cookie with a browser's token."""
CLIENT_KEY = "turntable.client"
"""Key of the ASGI scope under which ``AccessMiddleware`` stores the client."""
HEALTH_PATH = "/healthz"
"""Path that is exempt from the limit of concurrent requests."""
Permission = Literal["nothing", "own"] | TokenScope
"""The permission that a route needs.

``nothing``: anyone may use it, as it contains nothing of any data set. ``own``: everyone gets a response with
what they may see. All others are the scopes of tokens."""
_TOKEN_NEEDED = "this needs a token: send Authorization: Bearer TOKEN"
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
"""Header that RFC 9110 requires in every response with status 401."""


@dataclass(frozen=True, slots=True)
class Client:
    """The client that sent a request, and its permissions."""

    name: str
    """Name for the log and the limits: the token's id, or the address without a token."""
    token: TokenRecord | None
    """The valid token that was sent, if any."""
    is_open_to_all: bool = False
    """True if the service has no tokens at all."""
    public_datasets: frozenset[str] = frozenset()
    """Names of the data sets that anyone may read; "*" for all."""
    token_error: str = ""
    """The reason why the token or link that was sent is wrong; empty if none is."""

    def can_access(self, scope: TokenScope, dataset: str | None) -> bool:
        """Return True if the client has a scope for a data set; None for what belongs to no data set."""
        if self.is_open_to_all or (scope == "read" and self.is_public(dataset)):
            return True
        return self.token is not None and self.token.allows(scope, dataset)

    def is_public(self, dataset: str | None) -> bool:
        """Return True if anyone may read a data set."""
        return (
            self.is_open_to_all
            or dataset in self.public_datasets
            or tokens.ALL_DATASETS in self.public_datasets
        )

    def check_credentials(self) -> None:
        """Raise HTTPException (401) if the client sent a wrong token or link."""
        if self.token_error:
            raise HTTPException(401, self.token_error, _CHALLENGE)

    def check_identity(self) -> None:
        """Raise HTTPException (401) if the service has tokens and the client sent no valid one."""
        self.check_credentials()
        if self.token is None and not self.is_public(None):
            raise HTTPException(401, _TOKEN_NEEDED, _CHALLENGE)

    def check_access(self, scope: TokenScope, dataset: str | None) -> None:
        """Raise HTTPException (401 or 403) if the client lacks a scope for a data set."""
        self.check_credentials()
        if self.can_access(scope, dataset):
            return
        if self.token is None:
            raise HTTPException(401, _TOKEN_NEEDED, _CHALLENGE)
        subject = f" for data set {dataset[:80]}" if dataset else ""
        raise HTTPException(403, f"token {self.token.id} does not have the scope {scope}{subject}")


def get_client(request: Request) -> Client:
    """Return the client that sent a request, as ``AccessMiddleware`` identified it."""
    return request.scope[CLIENT_KEY]


class AccessMiddleware:
    """An ASGI middleware that identifies the client of each request and applies the limits.

    It does not check permissions: the routes do, as they know which data set a request is about.

    Args:
        app: The application.
        access: The file of tokens; None if everything is open.
        public_datasets: Names of data sets that anyone may read; "*" for all.
        rate_limiter: Limiter of requests per second; None for no limit.
        concurrency_limiter: Limiter of requests answered at the same time.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: AccessFile | None,
        public_datasets: frozenset[str],
        rate_limiter: RateLimiter | None,
        concurrency_limiter: ConcurrencyLimiter,
    ) -> None:
        self._app, self._access, self._public_datasets = app, access, public_datasets
        self._rate_limiter, self._concurrency_limiter = rate_limiter, concurrency_limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or respond with 429 or 503 if a limit is exceeded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope[CLIENT_KEY] = self._identify(scope)
        if self._rate_limiter is not None and (wait_s := self._rate_limiter.acquire(client.name)):
            response = make_error_response(
                429, f"too many requests; try again in {wait_s} s", {"Retry-After": str(wait_s)}
            )
        elif scope["path"] == HEALTH_PATH:  # a busy service must not look dead to a supervisor
            await self._app(scope, receive, send)
            return
        elif not self._concurrency_limiter.acquire(client.name):
            response = make_error_response(
                503, "too many requests at once; try again in a second", {"Retry-After": "1"}
            )
        else:
            try:
                await self._app(scope, receive, send)
            finally:
                self._concurrency_limiter.release(client.name)
            return
        await response(scope, receive, send)

    def _identify(self, scope: Scope) -> Client:
        """Return the client of a request: by its token, by a signed link, or else by its address."""
        address = get_client_key((scope.get("client") or ("",))[0])
        if self._access is None:
            return Client(address, None, is_open_to_all=True)
        access, token, token_error = self._access.read_current(), None, ""
        text = _find_token_text(_decode_headers(scope))
        if text:
            token = access.find_token(text)
            token_error = "" if token is not None else "the token is unknown, expired or revoked"
        elif b"signature=" in scope["query_string"]:
            query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            dataset = find_dataset_name(scope["path"])
            linked = None if dataset is None else access.find_linked_token(dataset, query)
            if linked is not None and dataset is not None:
                token = _restrict_to_link(linked, dataset)
            elif dataset is not None:
                token_error = "the link is expired, revoked or of another data set"
        name = token.id if token is not None else address
        return Client(name, token, public_datasets=self._public_datasets, token_error=token_error)


def find_dataset_name(path: str) -> str | None:
    """Return the data set that a path is about; None if it is about none."""
    parts = path.split("/", 3)
    return parts[2] if len(parts) > 2 and parts[1] == "datasets" and parts[2] else None


def parse_dataset_url(url: str) -> str:
    """Return the name of the data set that a URL points to, under any prefix.

    Raises:
        InvalidInputError: The URL is not that of a data set.
    """
    parts = urlsplit(url).path.rstrip("/").rsplit("/", 2)
    if len(parts) != 3 or parts[1] != "datasets" or not parts[2]:
        raise InvalidInputError(f"{url}: give the URL of a data set, http://HOST:PORT/datasets/NAME")
    return unquote(parts[2])


def _restrict_to_link(token: TokenRecord, dataset: str) -> TokenRecord:
    """Return a token reduced to what a link allows: to read this data set alone."""
    return replace(token, scopes=("read",), datasets=(dataset,))


def _decode_headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _find_token_text(headers: Mapping[str, str]) -> str:
    """Return the token in the header ``Authorization``, or else in the cookie; empty if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    # The first one: a browser lists the cookie of the longest path first (RFC 6265), which is that of this
    # service if another one has its cookie at the root of the same host.
    pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
    return next((value for name, _, value in pairs if name == TOKEN_COOKIE), "")
