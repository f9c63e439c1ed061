"""The door: who asks, how often, how many at once; and what they may have."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from turntable.choices import TokenScope
from turntable.errors import InvalidInputError
from turntable.service.answers import problem
from turntable.service.doors import tokens
from turntable.service.doors.limits import Gate, Rate
from turntable.service.doors.peers import asker_of
from turntable.service.doors.tokens import AccessFile, TokenRecord

COOKIE = "turntable_token"
HEALTH = "/healthz"
"""Answered however many others are being answered."""
Need = Literal["nothing", "own"] | TokenScope
"""The permission that an address needs.

``nothing``: anyone may have it, for it holds nothing of any data set. ``own``: each asker is answered what
they may see. All others are the scopes of tokens."""
_ASK = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks."""

    name: str
    """For the log and the limits: the token's id, or the address."""
    token: TokenRecord | None
    open_to_all: bool = False
    """Whether the service has no tokens at all."""
    public: frozenset[str] = frozenset()
    """Data sets that anyone may read."""
    wrong: str = ""
    """The fault of the token or link that was shown; empty where there is none."""

    def may(self, scope: TokenScope, dataset: str | None) -> bool:
        """Tell whether this is allowed; ``dataset`` None: what is no data set's."""
        if self.open_to_all or (scope == "read" and self.is_public(dataset)):
            return True
        return self.token is not None and self.token.allows(scope, dataset)

    def is_public(self, dataset: str | None) -> bool:
        """Tell whether anyone may read a data set."""
        return self.open_to_all or dataset in self.public or tokens.ALL in self.public

    def check_shown(self) -> None:
        """Let pass who showed nothing that is wrong. Raises HTTPException (401) for all others."""
        if self.wrong:
            raise HTTPException(401, self.wrong, _ASK)

    def check(self, scope: TokenScope, dataset: str | None) -> None:
        """Let pass what is allowed. Raises HTTPException (401, 403) for all else."""
        self.check_shown()
        if self.may(scope, dataset):
            return
        if self.token is None:
            raise HTTPException(401, "this needs a token: send Authorization: Bearer TOKEN", _ASK)
        what = f"{scope} {dataset[:80]}" if dataset else scope
        raise HTTPException(403, f"token {self.token.id} may not {what}")


def asker_of_request(request: Request) -> Asker:
    """Return who asks."""
    return request.scope["asker"]


class Guard:
    """The application behind the door: how often and how many at once anyone may ask.

    Args:
        app: Behind it.
        access: The tokens; None: all is open.
        public: Data sets that anyone may read; "*": all.
        rate: Of each asker; None: no bound.
        gate: Of requests at once.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: AccessFile | None,
        public: frozenset[str],
        rate: Rate | None,
        gate: Gate,
    ) -> None:
        self._app, self._access, self._public = app, access, public
        self._rate, self._gate = rate, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asker = scope["asker"] = self._asker(scope)
        if self._rate is not None and (wait := self._rate.wait_s(asker.name)):
            answer = problem(429, f"too many requests; try again in {wait} s", {"Retry-After": str(wait)})
        elif scope["path"] == HEALTH:  # a service that is busy is not one that has died
            await self._app(scope, receive, send)
            return
        elif not self._gate.enter(asker.name):
            answer = problem(503, "too many requests at once; try again in a second", {"Retry-After": "1"})
        else:
            try:
                await self._app(scope, receive, send)
            finally:
                self._gate.leave(asker.name)
            return
        await answer(scope, receive, send)

    def _asker(self, scope: Scope) -> Asker:
        """Who it is, and what is wrong with what they showed."""
        address = asker_of((scope.get("client") or ("",))[0])
        if self._access is None:
            return Asker(address, None, open_to_all=True)
        access, token, wrong = self._access.current(), None, ""
        shown = _shown_token(_headers(scope))
        if shown:
            token = access.holder(shown)
            wrong = "" if token is not None else "the token is unknown, expired or revoked"
        elif b"signature=" in scope["query_string"]:
            query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            dataset = dataset_of(scope["path"])
            linked = None if dataset is None else access.linked(dataset, query)
            if linked is not None and dataset is not None:
                token = _link_only(linked, dataset)
            elif dataset is not None:
                wrong = "the link is expired, revoked or of another data set"
        return Asker(token.id if token is not None else address, token, public=self._public, wrong=wrong)


def dataset_of(path: str) -> str | None:
    """Return the data set that an address is of; None where it is of none."""
    parts = path.split("/", 3)
    return parts[2] if len(parts) > 2 and parts[1] == "datasets" and parts[2] else None


def dataset_in(url: str) -> str:
    """Return the data set that a URL is of. Raises InvalidInputError where it is of none."""
    name = dataset_of(urlsplit(url).path.rstrip("/"))
    if name is None or urlsplit(url).path.rstrip("/") != f"/datasets/{name}":
        raise InvalidInputError(f"{url}: give the URL of a data set, http://HOST:PORT/datasets/NAME")
    return name


def _link_only(token: TokenRecord, dataset: str) -> TokenRecord:
    """What a link opens: reading, and of this data set alone."""
    return replace(token, scopes=("read",), datasets=(dataset,))


def _headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _shown_token(headers: Mapping[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""
