"""Tokens of web servers, each for one origin, from the call, the environment, or ``turntable login``."""

import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from turntable.datasets.files import flush_to_disk, move_into_place
from turntable.datasets.stores.disk_errors import convert_os_errors
from turntable.datasets.stores.web.addresses import WebAddress, WebOrigin
from turntable.errors import IntegrityError, InvalidInputError, StoreError
from turntable.home import find_user_folder

TOKEN_VARIABLE, HOST_VARIABLE = "TURNTABLE_TOKEN", "TURNTABLE_TOKEN_HOST"
"""Environment variables for a token, and for the origin that it belongs to."""
MAX_TOKEN_LENGTH = 8192
"""Characters of a token."""
_CONFIG_VARIABLE = "XDG_CONFIG_HOME"
_TOKENS_FILE = Path("turntable", "tokens.json")
_VERSION = 1
_MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Token:
    """A token for one origin."""

    text: str = field(repr=False)
    source: str
    """Source of the token for messages: "the call", "TURNTABLE_TOKEN", or a file."""

    @property
    def authorization(self) -> str:
        """The value of the header with which it is sent."""
        return f"Bearer {self.text}"


def find_token(origin: WebOrigin, given: str | None, environ: Mapping[str, str]) -> Token | None:
    """Return the token for an origin from the call, the environment, or ``turntable login``, or None.

    Args:
        origin: Origin that the token would be sent to.
        given: Token of the call, for this origin.
        environ: Environment variables. TURNTABLE_TOKEN counts only if TURNTABLE_TOKEN_HOST names this origin.

    Raises:
        InvalidInputError: A token or TURNTABLE_TOKEN_HOST is not of the right form.
        StoreError: The file of tokens can be read by others, or belongs to somebody else.
        IntegrityError: The file is not a file of tokens.
    """
    if given:
        return Token(parse_token(given, "the token of the call"), "the call")
    if environ.get(TOKEN_VARIABLE) and environ.get(HOST_VARIABLE) and _parse_named_origin(environ) == origin:
        return Token(parse_token(environ[TOKEN_VARIABLE], TOKEN_VARIABLE), TOKEN_VARIABLE)
    path = _find_tokens_file(environ)
    text = _read_tokens(path).get(str(origin)) if path is not None else None
    return None if text is None else Token(parse_token(text, str(path)), f"turntable login ({path})")


def parse_token(text: str, display_name: str) -> str:
    """Return a token without the white space around it.

    Args:
        text: The token as it was typed, pasted or read.
        display_name: Name of its source in the message, which never repeats the token itself.

    Raises:
        InvalidInputError: The token is empty, too long, or has characters that no token has.
    """
    token = text.strip()
    if not token or len(token) > MAX_TOKEN_LENGTH:
        raise InvalidInputError(
            f"{display_name}: {'empty' if not token else 'too long'}; a token has 1 to {MAX_TOKEN_LENGTH} "
            "characters"
        )
    if not all("!" <= character <= "~" for character in token):
        raise InvalidInputError(
            f"{display_name}: has characters that no token has (control characters, blanks, or others than "
            "ASCII); copy it again"
        )
    return token


def format_token_help(url: str, origin: WebOrigin) -> str:
    """Return advice on how to give a token for a URL, for the end of messages."""
    return f"run turntable login {url}, or set {TOKEN_VARIABLE} and {HOST_VARIABLE}={origin}"


def write_token(origin: WebOrigin, token: str, environ: Mapping[str, str]) -> Path:
    """Store a token for an origin in this user's file, and return the file's path.

    Raises:
        InvalidInputError: The token is not of the right form, or there is no home folder to keep it in.
        StoreError: The file can be read by others, belongs to somebody else, or cannot be written.
        IntegrityError: The file is not a file of tokens.
    """
    path = _get_tokens_file(environ)
    with _hold_write_lock(path):
        _write_tokens(path, _read_tokens(path) | {str(origin): parse_token(token, "the token")})
    return path


def delete_token(origin: WebOrigin, environ: Mapping[str, str]) -> Path:
    """Remove the stored token of an origin, and return the file's path.

    Raises:
        InvalidInputError: No token is stored for it.
        StoreError: The file can be read by others, belongs to somebody else, or cannot be written.
        IntegrityError: The file is not a file of tokens.
    """
    path = _get_tokens_file(environ)
    with _hold_write_lock(path):
        tokens = _read_tokens(path)
        if str(origin) not in tokens:
            others = f"; there are tokens for {', '.join(sorted(tokens))}" if tokens else ""
            raise InvalidInputError(f"{path}: no token is kept for {origin}{others}")
        _write_tokens(path, {name: token for name, token in tokens.items() if name != str(origin)})
    return path


def _parse_named_origin(environ: Mapping[str, str]) -> WebOrigin:
    text = environ[HOST_VARIABLE].strip()
    try:
        address = WebAddress.from_url(text)
    except InvalidInputError:
        address = None
    if address is None or address.path not in ("", "/") or address.query or text.endswith("?"):
        raise InvalidInputError(
            f"{HOST_VARIABLE}: give scheme://host:port and nothing else, such as https://host:443; no path, "
            "query or user"
        )
    return address.origin


def _find_tokens_file(environ: Mapping[str, str]) -> Path | None:
    """Return the path of the file of tokens, or None if this user has no home."""
    folder = find_user_folder(environ, _CONFIG_VARIABLE, ".config")
    return None if folder is None else folder / _TOKENS_FILE


def _get_tokens_file(environ: Mapping[str, str]) -> Path:
    path = _find_tokens_file(environ)
    if path is None:
        raise InvalidInputError(
            f"there is no home folder to keep tokens in; set {_CONFIG_VARIABLE} to a folder of yours (its "
            "full path)"
        )
    return path


def _read_tokens(path: Path) -> dict[str, str]:
    """Return the stored tokens by origin; an empty dictionary if there is no file."""
    with convert_os_errors(path):
        try:
            # O_NONBLOCK: opening a pipe in its place would wait for ever.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return {}  # a home that this user may not enter holds none of this user's tokens
    with os.fdopen(descriptor, "rb") as file:
        _check_private(path, os.fstat(descriptor))
        data = file.read(_MAX_FILE_BYTES + 1)
    try:
        return _parse_tokens(json.loads(data[:_MAX_FILE_BYTES]))
    except (ValueError, KeyError, TypeError, RecursionError):
        # The parser's own message is left out: it may quote tokens.
        raise IntegrityError(
            f"{path}: not a file of tokens; remove it, and run turntable login for each server again"
        ) from None


def _check_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path}: not a plain file; remove it, and run turntable login again")
    if status.st_uid != os.geteuid():
        raise StoreError(
            f"{path}: belongs to another user, who may have put any token there; remove it, or run: sudo "
            f"chown {os.geteuid()} {path} && chmod 600 {path}"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise StoreError(f"{path}: others than you may use the tokens in it; run: chmod 600 {path}")


def _parse_tokens(table: object) -> dict[str, str]:
    document = cast("dict[str, object]", table)
    tokens = cast("dict[str, object]", document["tokens"])
    if document["version"] != _VERSION or not all(isinstance(token, str) for token in tokens.values()):
        raise ValueError
    return cast("dict[str, str]", dict(tokens))


@contextmanager
def _hold_write_lock(path: Path) -> Generator[None, None, None]:
    """Hold a lock, so that two commands write the file one after the other."""
    with convert_os_errors(path, f"set {_CONFIG_VARIABLE} to another folder"):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The folder is locked and not the file, since each write puts a new file in its place.
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _write_tokens(path: Path, tokens: Mapping[str, str]) -> None:
    """Write the tokens to a file that nobody else can read from its first byte on."""
    text = json.dumps({"version": _VERSION, "tokens": dict(sorted(tokens.items()))}, indent=1)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{text}\n".encode("ascii"))
            flush_to_disk(file)
        move_into_place(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
