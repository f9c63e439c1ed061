"""The door: who asks, whether they may, how often, and how many at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from turntable.errors import InvalidInputError
from turntable.service import tokens
from turntable.service.answers import problem
from turntable.service.limits import Gate, Rate
from turntable.service.tokens import AccessFile, Token

COOKIE = "turntable_token"
OPEN_PATHS = frozenset({"/", "/healthz", "/openapi.json", "/login", "/logout"})
"""Which anyone may ask for: they hold nothing of any data set."""
OPEN_PREFIX = "/gallery/"
ADMIN_PATHS = frozenset({"/metrics"})
RENDER_PATHS = frozenset({"/render"})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks."""

    name: str
    """For the log and the limits: the token's id, or the address."""
    token: Token | None
    open_to_all: bool = False
    """Whether the service has no tokens at all."""
    public: frozenset[str] = frozenset()
    """Data sets that anyone may read."""

    def may(self, scope: tokens.Scope, dataset: str | None) -> bool:
        """Whether this is allowed; ``dataset`` None: what is no data set's."""
        if self.open_to_all:
            return True
        if scope == "read" and (dataset in self.public or tokens.ALL in self.public):
            return True
        return self.token is not None and self.token.allows(scope, dataset)


class Guard:
    """The application behind the door. What is asked of a data set is allowed or refused here, once.

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
        address = (scope.get("client") or ("",))[0]
        asker, wrong = self._asker(scope, address)
        scope["asker"] = asker
        if self._rate is not None and (wait := self._rate.wait_s(asker.name)):
            answer = problem(429, f"too many requests; try again in {wait} s", {"Retry-After": str(wait)})
        elif (refused := self._refusal(scope, asker, wrong)) is not None:
            answer = refused
        elif not self._gate.enter(asker.name):
            answer = problem(503, "too many requests at once; try again in a second", {"Retry-After": "1"})
        else:
            try:
                await self._app(scope, receive, send)
            finally:
                self._gate.leave(asker.name)
            return
        await answer(scope, receive, send)

    def _asker(self, scope: Scope, address: str) -> tuple[Asker, str]:
        """Who it is, and what is wrong with what they showed."""
        if self._access is None:
            return Asker(address, None, open_to_all=True), ""
        access = self._access.current()
        headers = _headers(scope)
        shown = _shown_token(headers)
        if shown:
            token = access.holder(shown)
            wrong = "" if token is not None else "the token is unknown, expired or revoked"
        else:
            query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            dataset = dataset_of(scope["path"])
            token, wrong = None, ""
            if dataset is not None and "signature" in query:
                linked = access.linked(dataset, query)
                token = None if linked is None else _link_only(linked, dataset)
                wrong = "" if linked is not None else "the link is expired, revoked or of another data set"
        return Asker(token.id if token is not None else address, token, public=self._public), wrong

    def _refusal(self, scope: Scope, asker: Asker, wrong: str) -> ASGIApp | None:
        path = scope["path"]
        if wrong:
            return problem(401, wrong, {"WWW-Authenticate": "Bearer"})
        if path in OPEN_PATHS or path.startswith(OPEN_PREFIX):
            return None
        wanted: tokens.Scope = (
            "admin" if path in ADMIN_PATHS else "render" if path in RENDER_PATHS else "read"
        )
        dataset = dataset_of(path)
        if dataset is None and wanted == "read":  # lists and bodies name data sets: what answers looks itself
            return None
        if asker.may(wanted, dataset):
            return None
        if asker.token is None:
            message = "this needs a token: send Authorization: Bearer TOKEN"
            return problem(401, message, {"WWW-Authenticate": "Bearer"})
        what = f"{wanted} {dataset}" if dataset else wanted
        return problem(403, f"token {asker.token.id} may not {what}")


def dataset_of(path: str) -> str | None:
    """The data set that an address is of; None where it is of none."""
    parts = path.split("/", 3)
    return parts[2] if len(parts) > 2 and parts[1] == "datasets" and parts[2] else None


def dataset_in(url: str) -> str:
    """The data set that a URL is of. Raises InvalidInputError where it is of none."""
    name = dataset_of(urlsplit(url).path.rstrip("/"))
    if name is None or urlsplit(url).path.rstrip("/") != f"/datasets/{name}":
        raise InvalidInputError(f"{url}: give the URL of a data set, http://HOST:PORT/datasets/NAME")
    return name


def _link_only(token: Token, dataset: str) -> Token:
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
