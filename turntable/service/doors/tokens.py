"""Who may do what: tokens, kept as hashes in one file, and links that are good for a while.

A token is 256 random bits, so a plain sha256 of it is as hard to turn round as it can be: slow hashes are for
passwords. A link is signed with the file's secret and names the token that made it, so that revoking the
token ends its links too.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast, get_args

from turntable.choices import TokenScope
from turntable.errors import IntegrityError, InvalidInputError

ALL = "*"
PREFIX = "tt"
_IMPLIED: Mapping[TokenScope, tuple[TokenScope, ...]] = {
    "read": ("read",),
    "render": ("read", "render"),
    "admin": ("read", "render", "admin"),
}
_VERSION = 1


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A record of a token, as it is kept: without its secret."""

    id: str
    name: str
    """What a person calls it."""
    sha256: str
    scopes: tuple[TokenScope, ...]
    datasets: tuple[str, ...]
    """Names, or "*"."""
    created: float
    """Seconds since 1970."""
    expires: float | None = None
    revoked: float | None = None

    def is_good(self, now: float) -> bool:
        """Whether it still opens anything."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def allows(self, scope: TokenScope, dataset: str | None) -> bool:
        """Whether it opens this of a data set; None: of what is no data set's."""
        granted = {implied for own in self.scopes for implied in _IMPLIED[own]}
        return scope in granted and (dataset is None or ALL in self.datasets or dataset in self.datasets)


@dataclass(frozen=True, slots=True)
class Access:
    """All tokens of a service, and the secret of its links."""

    secret: str = field(repr=False)
    tokens: tuple[TokenRecord, ...] = ()

    def created(
        self, name: str, scopes: Iterable[str], datasets: Iterable[str] = (ALL,), days: float | None = None
    ) -> tuple["Access", TokenRecord, str]:
        """With one token more.

        Args:
            name: What a person calls it.
            scopes: Of "read", "render", "admin".
            datasets: Names, or "*" for all.
            days: It is good for; None: until it is revoked.

        Returns:
            The tokens, the new one, and its text, which is told this once.

        Raises:
            InvalidInputError: A scope is unknown, or there is none; the time is not positive.
        """
        wanted = tuple(dict.fromkeys(scopes))
        unknown = [scope for scope in wanted if scope not in get_args(TokenScope)]
        if unknown or not wanted:
            raise InvalidInputError(
                f"scopes {', '.join(wanted) or 'none'}: give some of {', '.join(get_args(TokenScope))}"
            )
        if days is not None and not 0 < days < 36_525:
            raise InvalidInputError(f"days {days}: must be above 0 and at most a century")
        now, id_ = time.time(), secrets.token_hex(4)
        text = f"{PREFIX}_{id_}_{secrets.token_urlsafe(32)}"
        token = TokenRecord(
            id_,
            name,
            _hashed(text),
            cast("tuple[TokenScope, ...]", wanted),
            tuple(dict.fromkeys(datasets)) or (ALL,),
            now,
            None if days is None else now + days * 86_400,
        )
        return replace(self, tokens=(*self.tokens, token)), token, text

    def revoked(self, id_: str) -> "Access":
        """Without one token. Raises InvalidInputError where there is none of this id."""
        self._by_id(id_)
        now = time.time()
        tokens = (replace(token, revoked=now) if token.id == id_ else token for token in self.tokens)
        return replace(self, tokens=tuple(tokens))

    def holder(self, text: str) -> TokenRecord | None:
        """The token of this text, compared in constant time; None where it is none, expired or revoked."""
        parts = text.split("_", 2)
        id_ = parts[1] if len(parts) == 3 and parts[0] == PREFIX else ""
        found = next((token for token in self.tokens if token.id == id_), None)
        same = hmac.compare_digest(_hashed(text), found.sha256 if found is not None else _hashed(""))
        return found if found is not None and same and found.is_good(time.time()) else None

    def link_query(self, id_: str, dataset: str, seconds: float) -> str:
        """What a URL of a data set needs behind its "?" to be read without a token.

        Args:
            id_: Of the token that the link stands for.
            dataset: Its name.
            seconds: The link is good for; never longer than its token.

        Raises:
            InvalidInputError: There is no such token, it may not read the data set, or the time cannot be.
        """
        token = self._by_id(id_)
        if not token.is_good(time.time()) or not token.allows("read", dataset):
            raise InvalidInputError(f"token {id_} may not read {dataset} (any more); choose another")
        if not 0 < seconds < 366 * 86_400:
            raise InvalidInputError(f"a link for {seconds:g} s: must be above 0 and at most a year")
        until = str(int(time.time() + seconds))
        return f"token={id_}&until={until}&signature={self._signature(id_, dataset, until)}"

    def linked(self, dataset: str, query: Mapping[str, str]) -> TokenRecord | None:
        """The token that a link stands for; None where it is none, expired, or not of this data set."""
        id_, until, signature = (query.get(name, "") for name in ("token", "until", "signature"))
        expected = self._signature(id_, dataset, until)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return None
        found = next((token for token in self.tokens if token.id == id_), None)
        now = time.time()
        return found if found is not None and found.is_good(now) and now < int(until) else None

    def _by_id(self, id_: str) -> TokenRecord:
        found = next((token for token in self.tokens if token.id == id_), None)
        if found is None:
            raise InvalidInputError(f"there is no token {id_!r}; turntable token list shows them")
        return found

    def _signature(self, *told: str) -> str:
        digest = hmac.digest(self.secret.encode(), "\0".join(told).encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def read_access(path: Path) -> Access:
    """The tokens in a file.

    Raises:
        IntegrityError: It is no such file.
        InvalidInputError: There is none.
    """
    try:
        return _typed(json.loads(_plain_text(path)))
    except FileNotFoundError:
        raise InvalidInputError(f"{path}: missing; turntable token create makes it") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise IntegrityError(
            f"{path}: not a file of tokens ({type(error).__name__}: {error}); restore it, or make new tokens"
        ) from None


def _plain_text(path: Path) -> str:
    """Return what a file holds. A pipe is not waited for. Raises ValueError, OSError."""
    if path.exists() and not path.is_file():
        raise ValueError("no plain file")
    return path.read_text("utf-8")


def _typed(table: Mapping[str, Any]) -> Access:
    if table["version"] != _VERSION:
        raise ValueError(f"version {table['version']}")
    return Access(_text(table["secret"]), tuple(map(_typed_token, table["tokens"])))


def _typed_token(row: Mapping[str, Any]) -> TokenRecord:
    made = TokenRecord(**row)
    for value in (made.id, made.name, made.sha256, *made.scopes, *made.datasets):
        _text(value)
    for name in ("scopes", "datasets"):
        if not isinstance(row[name], list):
            raise TypeError(f"{name} of token {made.id[:40]} is no list")
    for scope in made.scopes:
        if scope not in get_args(TokenScope):
            raise ValueError(f"scope {scope[:40]!r} of token {made.id[:40]}")
    for name in ("created", "expires", "revoked"):
        if row.get(name) is not None and not isinstance(row[name], int | float):
            raise TypeError(f"a time of token {made.id[:40]} is no number")
    return replace(made, scopes=tuple(made.scopes), datasets=tuple(made.datasets))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]} is no text")
    return value


def write_access(path: Path, access: Access) -> None:
    """Write the tokens; only the owner may read the file."""
    table = {
        "version": _VERSION,
        "secret": access.secret,
        "tokens": [asdict(token) for token in access.tokens],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.touch(mode=0o600, exist_ok=False)
    with temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps(table, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def new_access() -> Access:
    """No tokens yet, and a secret."""
    return Access(secrets.token_hex(32))


class AccessFile:
    """The tokens in a file, as they are now: one that is revoked is so with the next request."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._stamp(), read_access(path)

    def current(self) -> Access:
        """Read again if the file is another one. A file that is damaged or gone opens nothing."""
        stamp = self._stamp()
        if stamp != self._known[0]:
            try:
                self._known = stamp, read_access(self._path)
            except (IntegrityError, InvalidInputError):
                self._known = stamp, new_access()
        return self._known[1]

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino


def _hashed(text: str) -> str:
    # A text of JSON may hold halves of characters, which are no part of any token.
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
