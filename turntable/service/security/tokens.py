"""Access tokens, stored as hashes in one file, and signed links that are valid for a limited time.

A token has 256 random bits, so a plain sha256 of it cannot be reversed; slow hashes are needed for passwords
only. A link is signed with the secret in the file. It names the token that it stands for, so revoking the
token also revokes its links.
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

ALL_DATASETS = "*"
"""Name that stands for all data sets in a token."""
TOKEN_PREFIX = "tt"
"""Beginning of each token's text, by which scanners for leaked secrets can find tokens."""
_IMPLIED_SCOPES: Mapping[TokenScope, tuple[TokenScope, ...]] = {
    "read": ("read",),
    "render": ("read", "render"),
    "admin": ("read", "render", "admin"),
}
_VERSION = 1


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as it is stored, without its text.

    The names of the fields are keys of the file of tokens.
    """

    id: str
    """Eight hex digits, which are also part of the token's text."""
    name: str
    """Name for people."""
    sha256: str
    """Hex sha256 of the token's text."""
    scopes: tuple[TokenScope, ...]
    """Scopes that the token grants."""
    datasets: tuple[str, ...]
    """Names of data sets, or "*" for all."""
    created: float
    """Time of creation in seconds since 1970."""
    expires: float | None = None
    """Time of expiry in seconds since 1970; None for never."""
    revoked: float | None = None
    """Time of revocation in seconds since 1970; None if the token is not revoked."""

    def is_valid(self, now: float) -> bool:
        """Return True if the token is neither revoked nor expired at a time in seconds since 1970."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def allows(self, scope: TokenScope, dataset: str | None) -> bool:
        """Return True if the token grants a scope for a data set; None for what belongs to no data set."""
        granted = {implied for own in self.scopes for implied in _IMPLIED_SCOPES[own]}
        return scope in granted and (
            dataset is None or ALL_DATASETS in self.datasets or dataset in self.datasets
        )


@dataclass(frozen=True, slots=True)
class Access:
    """All tokens of a service, and the secret that signs its links."""

    secret: str = field(repr=False)
    """Secret that signs links."""
    tokens: tuple[TokenRecord, ...] = ()
    """Tokens, expired and revoked ones included."""

    def with_new_token(
        self,
        name: str,
        scopes: Iterable[str],
        datasets: Iterable[str] = (ALL_DATASETS,),
        days: float | None = None,
    ) -> tuple["Access", TokenRecord, str]:
        """Return a copy with one more token.

        Args:
            name: Name for people.
            scopes: Scopes, of "read", "render" and "admin".
            datasets: Names of data sets, or "*" for all.
            days: Days until the token expires; None for never.

        Returns:
            The copy, the record of the new token, and the token's text, which is not stored anywhere.

        Raises:
            InvalidInputError: A scope is unknown, no scope is given, or ``days`` is out of range.
        """
        unique_scopes = tuple(dict.fromkeys(scopes))
        unknown = [scope for scope in unique_scopes if scope not in get_args(TokenScope)]
        if unknown or not unique_scopes:
            raise InvalidInputError(
                f"scopes {', '.join(unique_scopes) or 'none'}: give some of {', '.join(get_args(TokenScope))}"
            )
        if days is not None and not 0 < days < 36_525:
            raise InvalidInputError(f"days {days}: must be above 0 and less than a century")
        now, id_ = time.time(), secrets.token_hex(4)
        text = f"{TOKEN_PREFIX}_{id_}_{secrets.token_urlsafe(32)}"
        token = TokenRecord(
            id_,
            name,
            _hash_token(text),
            cast("tuple[TokenScope, ...]", unique_scopes),
            tuple(dict.fromkeys(datasets)) or (ALL_DATASETS,),
            now,
            None if days is None else now + days * 86_400,
        )
        return replace(self, tokens=(*self.tokens, token)), token, text

    def with_revoked(self, id_: str) -> "Access":
        """Return a copy in which one token is revoked. Raises InvalidInputError for an unknown id."""
        self._get_token(id_)
        now = time.time()
        tokens = (replace(token, revoked=now) if token.id == id_ else token for token in self.tokens)
        return replace(self, tokens=tuple(tokens))

    def find_token(self, text: str) -> TokenRecord | None:
        """Return the token with this text; None if it is unknown, expired or revoked."""
        parts = text.split("_", 2)
        id_ = parts[1] if len(parts) == 3 and parts[0] == TOKEN_PREFIX else ""
        token = next((token for token in self.tokens if token.id == id_), None)
        # Compared in constant time, and for an unknown id too: the time must not tell what is right.
        matches = hmac.compare_digest(
            _hash_token(text), token.sha256 if token is not None else _hash_token("")
        )
        return token if token is not None and matches and token.is_valid(time.time()) else None

    def make_link_query(self, id_: str, dataset: str, seconds: float) -> str:
        """Return the query of a signed link, with which a data set can be read without a token.

        Args:
            id_: Id of the token that the link stands for.
            dataset: Name of the data set.
            seconds: Seconds until the link expires. It also ends with its token.

        Raises:
            InvalidInputError: There is no such token, it may not read the data set, or ``seconds`` is out of
                range.
        """
        token = self._get_token(id_)
        if not token.is_valid(time.time()) or not token.allows("read", dataset):
            raise InvalidInputError(
                f"token {id_} may not read {dataset}, or is expired or revoked; choose another"
            )
        if not 0 < seconds < 366 * 86_400:
            raise InvalidInputError(f"a link for {seconds:g} s: must be above 0 and at most a year")
        until = str(int(time.time() + seconds))
        return f"token={id_}&until={until}&signature={self._sign(id_, dataset, until)}"

    def find_linked_token(self, dataset: str, query: Mapping[str, str]) -> TokenRecord | None:
        """Return the token that a link stands for; None if the link is wrong, expired or of another data set.

        Args:
            dataset: Name of the data set that is requested.
            query: Query of the request.
        """
        id_, until, signature = (query.get(name, "") for name in ("token", "until", "signature"))
        expected = self._sign(id_, dataset, until)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return None
        token = next((token for token in self.tokens if token.id == id_), None)
        now = time.time()
        return token if token is not None and token.is_valid(now) and now < int(until) else None

    def _get_token(self, id_: str) -> TokenRecord:
        token = next((token for token in self.tokens if token.id == id_), None)
        if token is None:
            raise InvalidInputError(f"there is no token {id_!r}; turntable token list shows them")
        return token

    def _sign(self, *parts: str) -> str:
        # Joined by a character that no part contains, so that no other parts give the same text.
        digest = hmac.digest(self.secret.encode(), "\0".join(parts).encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def read_access(path: Path) -> Access:
    """Read a file of tokens.

    Raises:
        IntegrityError: The file is damaged or not a file of tokens.
        InvalidInputError: The file is missing.
    """
    try:
        return _parse_access(json.loads(_read_text(path)))
    except FileNotFoundError:
        raise InvalidInputError(f"{path}: missing; create it with turntable token create") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise IntegrityError(
            f"{path}: not a file of tokens ({type(error).__name__}: {error}); restore it or create new tokens"
        ) from None


def _read_text(path: Path) -> str:
    """Return the text of a file. Raises ValueError for a folder or a pipe, as reading a pipe could block."""
    if path.exists() and not path.is_file():
        raise ValueError("not a regular file")
    return path.read_text("utf-8")


def _parse_access(table: Mapping[str, Any]) -> Access:
    if table["version"] != _VERSION:
        raise ValueError(f"version {table['version']}, not {_VERSION}")
    return Access(_check_text(table["secret"]), tuple(map(_parse_token, table["tokens"])))


def _parse_token(row: Mapping[str, Any]) -> TokenRecord:
    token = TokenRecord(**row)
    for value in (token.id, token.name, token.sha256, *token.scopes, *token.datasets):
        _check_text(value)
    for name in ("scopes", "datasets"):
        if not isinstance(row[name], list):
            raise TypeError(f"{name} of token {token.id[:40]} is not a list")
    for scope in token.scopes:
        if scope not in get_args(TokenScope):
            raise ValueError(f"scope {scope[:40]!r} of token {token.id[:40]} is unknown")
    for name in ("created", "expires", "revoked"):
        if row.get(name) is not None and not isinstance(row[name], int | float):
            raise TypeError(f"{name} of token {token.id[:40]} is not a number")
    return replace(token, scopes=tuple(token.scopes), datasets=tuple(token.datasets))


def _check_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]} is not a text")
    return value


def write_access(path: Path, access: Access) -> None:
    """Write a file of tokens, which only its owner may read.

    It is written under a temporary name and then renamed, so that a running service never reads half of it.
    """
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


def make_access() -> Access:
    """Return access without tokens, with a new random secret."""
    return Access(secrets.token_hex(32))


class AccessFile:
    """A file of tokens that is read again when it changes, so that revoking a token takes effect at once.

    Args:
        path: Path of the file.

    Raises:
        IntegrityError: The file is damaged or not a file of tokens.
        InvalidInputError: The file is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cached = self._get_stamp(), read_access(path)

    def read_current(self) -> Access:
        """Return the tokens in the file as it is now; none if the file has become damaged or missing."""
        stamp = self._get_stamp()
        if stamp != self._cached[0]:
            try:
                self._cached = stamp, read_access(self._path)
            except (IntegrityError, InvalidInputError):
                self._cached = stamp, make_access()
        return self._cached[1]

    def _get_stamp(self) -> tuple[int, int]:
        try:
            status = self._path.stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_ino


def _hash_token(text: str) -> str:
    # The text of a JSON request may have lone surrogates, which UTF-8 cannot encode; no token contains any.
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
