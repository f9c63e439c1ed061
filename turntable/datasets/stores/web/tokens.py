"""Which token goes to which origin: given in the call, by the environment, or by ``turntable login``."""

import fcntl
import json
import os
import pwd
import stat
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from turntable.datasets.files import flush_to_disk, put_in_place
from turntable.datasets.stores.disk_errors import clear_errors
from turntable.datasets.stores.web.origins import Address, WebOrigin
from turntable.errors import IntegrityError, InvalidInputError, StoreError

TOKEN_VARIABLE, HOST_VARIABLE = "TURNTABLE_TOKEN", "TURNTABLE_TOKEN_HOST"
MOST_TOKEN_CHARACTERS = 8192
_CONFIG_VARIABLE = "XDG_CONFIG_HOME"
_FILE = Path("turntable", "tokens.json")
_VERSION = 1
_MOST_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Token:
    """A token for one origin."""

    text: str = field(repr=False)
    source: str
    """The giver, for messages: "the call", "TURNTABLE_TOKEN", or a file."""


def find_token(origin: WebOrigin, given: str | None, environ: Mapping[str, str]) -> Token | None:
    """Return the token for an origin: that of the call, of the environment, or of ``turntable login``.

    Args:
        origin: To which it would be sent.
        given: In the call, for this origin.
        environ: TURNTABLE_TOKEN counts only where TURNTABLE_TOKEN_HOST names this very origin.

    Returns:
        None where there is none for this origin.

    Raises:
        InvalidInputError: A token or TURNTABLE_TOKEN_HOST cannot be right.
        StoreError: The file of tokens can be read by others, or belongs to somebody else.
        IntegrityError: The file is no file of tokens.
    """
    if given:
        return Token(checked_token(given, "the token of the call"), "the call")
    if environ.get(TOKEN_VARIABLE) and environ.get(HOST_VARIABLE) and _named_host(environ) == origin:
        return Token(checked_token(environ[TOKEN_VARIABLE], TOKEN_VARIABLE), TOKEN_VARIABLE)
    path = _tokens_file(environ)
    kept = _read(path).get(str(origin)) if path is not None else None
    return None if kept is None else Token(checked_token(kept, str(path)), f"turntable login ({path})")


def checked_token(text: str, where: str) -> str:
    """Return a token without white space around it.

    Args:
        text: As it was typed, pasted or read.
        where: What the message calls it; the token itself is never repeated.

    Raises:
        InvalidInputError: It is empty, too long, or has characters that no token has.
    """
    token = text.strip()
    if not token or len(token) > MOST_TOKEN_CHARACTERS:
        raise InvalidInputError(
            f"{where}: {'empty' if not token else 'too long'}; a token has 1 to {MOST_TOKEN_CHARACTERS} "
            "characters"
        )
    if not all("!" <= character <= "~" for character in token):
        raise InvalidInputError(
            f"{where}: has characters that no token has (control characters, blanks, or others than ASCII); "
            "copy it again"
        )
    return token


def how_to_give(url: str, origin: WebOrigin) -> str:
    """Return the ways in which a token is given for a URL, for messages that end with them."""
    return f"run turntable login {url}, or set {TOKEN_VARIABLE} and {HOST_VARIABLE}={origin}"


def why_refused(url: str, origin: WebOrigin, sent: Token | None, environ: Mapping[str, str]) -> str:
    """Return why a server may have refused, and what to do about it.

    Args:
        url: That was asked, without secrets.
        origin: Of the URL.
        sent: The token that went with the request; None: none did.
        environ: Whose TURNTABLE_TOKEN was perhaps not sent.
    """
    link = "get a new link where this one has run out"
    if sent is not None:
        return f"it does not take the token of {sent.source} for this; give one that may read it"
    if not environ.get(TOKEN_VARIABLE):
        return f"for a token that may read it {how_to_give(url, origin)}; or {link}"
    named = environ.get(HOST_VARIABLE)
    why = f"{HOST_VARIABLE} names another origin" if named else f"no {HOST_VARIABLE} says whose it is"
    return (
        f"{TOKEN_VARIABLE} was not sent, for {why}; set {HOST_VARIABLE}={origin} if it is this server's, or "
        f"run turntable login {url}; or {link}"
    )


def keep_token(origin: WebOrigin, token: str, environ: Mapping[str, str]) -> Path:
    """Keep a token for an origin, in the file of this user, and return the file's path.

    Raises:
        InvalidInputError: The token cannot be right, or there is no home to keep it in.
        StoreError: The file can be read by others, belongs to somebody else, or cannot be written.
        IntegrityError: The file is no file of tokens.
    """
    path = _needed_file(environ)
    with _one_writer(path):
        _write(path, _read(path) | {str(origin): checked_token(token, "the token")})
    return path


def forget_token(origin: WebOrigin, environ: Mapping[str, str]) -> Path:
    """Forget the token that is kept for an origin, and return the file's path.

    Raises:
        InvalidInputError: None is kept for it.
        StoreError: The file can be read by others, belongs to somebody else, or cannot be written.
        IntegrityError: The file is no file of tokens.
    """
    path = _needed_file(environ)
    with _one_writer(path):
        kept = _read(path)
        if str(origin) not in kept:
            others = f"; there are tokens for {', '.join(sorted(kept))}" if kept else ""
            raise InvalidInputError(f"{path}: no token is kept for {origin}{others}")
        _write(path, {name: token for name, token in kept.items() if name != str(origin)})
    return path


def _named_host(environ: Mapping[str, str]) -> WebOrigin:
    text = environ[HOST_VARIABLE].strip()
    try:
        address = Address.of(text)
    except InvalidInputError:
        address = None
    if address is None or address.path not in ("", "/") or address.query or text.endswith("?"):
        raise InvalidInputError(
            f"{HOST_VARIABLE}: give scheme://host:port and nothing else, such as https://host:443; no path, "
            "query or user"
        )
    return address.origin


def _tokens_file(environ: Mapping[str, str]) -> Path | None:
    """Return the file of tokens; None where this user has no home."""
    config = environ.get(_CONFIG_VARIABLE, "")
    if Path(config).is_absolute():
        return Path(config) / _FILE
    home = Path(environ.get("HOME") or _listed_home())
    return home / ".config" / _FILE if home.is_absolute() else None


def _listed_home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""


def _needed_file(environ: Mapping[str, str]) -> Path:
    path = _tokens_file(environ)
    if path is None:
        raise InvalidInputError(
            f"there is no home folder to keep tokens in; set {_CONFIG_VARIABLE} to a folder of yours (its "
            "full path)"
        )
    return path


def _read(path: Path) -> dict[str, str]:
    """Tokens by origin; none where there is no file."""
    with clear_errors(path):
        try:
            # Without waiting: a pipe in its place would never be opened.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return {}  # a home that this user may not enter holds none of their tokens
    with os.fdopen(descriptor, "rb") as file:
        _check_private(path, os.fstat(descriptor))
        data = file.read(_MOST_FILE_BYTES + 1)
    try:
        return _typed(json.loads(data[:_MOST_FILE_BYTES]))
    except (ValueError, KeyError, TypeError, RecursionError):
        # Not what the parser says of it: it may quote tokens.
        raise IntegrityError(
            f"{path}: not a file of tokens; remove it, and run turntable login for each server again"
        ) from None


def _check_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path}: no plain file; remove it, and run turntable login again")
    if status.st_uid != os.geteuid():
        raise StoreError(
            f"{path}: belongs to another user, who may have put any token there; remove it, or run: sudo "
            f"chown {os.geteuid()} {path} && chmod 600 {path}"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise StoreError(f"{path}: others than you may use the tokens in it; run: chmod 600 {path}")


def _typed(table: object) -> dict[str, str]:
    kept = cast("dict[str, object]", table)
    tokens = cast("dict[str, object]", kept["tokens"])
    if kept["version"] != _VERSION or not all(isinstance(token, str) for token in tokens.values()):
        raise ValueError
    return cast("dict[str, str]", dict(tokens))


@contextmanager
def _one_writer(path: Path) -> Generator[None, None, None]:
    """Let two commands that write the file come one after the other."""
    with clear_errors(path, f"set {_CONFIG_VARIABLE} to another folder"):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _write(path: Path, tokens: Mapping[str, str]) -> None:
    """Write the tokens; from its first byte on nobody else may read the file."""
    text = json.dumps({"version": _VERSION, "tokens": dict(sorted(tokens.items()))}, indent=1)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{text}\n".encode("ascii"))
            flush_to_disk(file)
        put_in_place(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
