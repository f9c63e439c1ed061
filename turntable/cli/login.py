"""Commands that keep the tokens with which this user reads data sets from servers."""

import os
import sys
from getpass import getpass

from turntable.cli.base import app, say, warn
from turntable.errors import InvalidInputError, StoreError

_MOST_TYPED_BYTES = 1 << 16


@app.command
def login(url: str, *, check: bool = True) -> int:
    """Keep a token for a server, which goes to this scheme, host and port and nowhere else.

    The token is asked for without showing it, or read from the standard input where that is no terminal.

    Args:
        url: A data set there, or the server: https://host/datasets/NAME, http://host:8765.
        check: Ask the server whether it takes the token; where it refuses, nothing is kept.
    """
    from turntable.datasets.stores.web import HttpStore, checked_token, keep_token, origin_of

    origin = origin_of(url)
    if origin.is_readable_underway:
        warn(f"{origin} is not encrypted: whoever carries what is sent there can read the token")
    token = checked_token(_typed(f"Token for {origin}: "), "the token")
    if check:
        try:
            HttpStore(url, token).check_token("manifest.json")
        except StoreError as error:
            problem = str(error)
        else:
            problem = ""
        if problem:
            raise StoreError(f"{problem}; nothing was kept (--no-check keeps a token unasked)")
    path = keep_token(origin, token, os.environ)
    say(f"The token for {origin} is kept in {path}")
    return 0


@app.command
def logout(url: str) -> int:
    """Forget the token that is kept for a server.

    Args:
        url: As at turntable login.
    """
    from turntable.datasets.stores.web import forget_token, origin_of

    origin = origin_of(url)
    path = forget_token(origin, os.environ)
    say(f"The token for {origin} is no longer in {path}")
    return 0


def _typed(prompt: str) -> str:
    """Return what the user types unseen, or what comes by a pipe."""
    try:
        if sys.stdin.isatty():
            return getpass(prompt)
        return sys.stdin.buffer.read(_MOST_TYPED_BYTES).decode("latin-1")
    except EOFError:
        raise InvalidInputError("no token was given; type it, or give it by a pipe") from None
