"""Commands for the tokens with which this user reads from data services: login, logout."""

import codecs
import os
import sys
from getpass import getpass
from typing import Annotated

from turntable.cli.base import ACCESS, app, format_examples, make_option, say, warn
from turntable.errors import InvalidInputError, StoreError

_MAX_TOKEN_BYTES = 1 << 16


@app.command(
    help_epilogue=format_examples(
        "turntable login https://data.example.org/datasets/my-set",
        "turntable login http://localhost:8765 --no-check",
    )
)
def login(url: str, *, check: Annotated[bool, make_option(ACCESS)] = True) -> int:
    """Store a token for a server. It is sent to that scheme, host and port only.

    The token is typed without being shown, or read from standard input if that is not a terminal.

    Args:
        url: URL of a data set or of the server: https://host/datasets/NAME, http://host:8765.
        check: Ask the server whether it accepts the token; if it does not, nothing is stored.
    """
    from turntable.datasets.stores import normalize_place
    from turntable.datasets.stores.web import HttpStore, parse_origin, parse_token, write_token

    url = str(normalize_place(url))
    origin = parse_origin(url)
    if origin.is_sent_unencrypted:
        warn(f"{origin} is not encrypted: anyone on the way to it can read the token")
    token = parse_token(_read_token(f"Token for {origin}: "), "the token")
    if check:
        try:
            HttpStore(url, token).check_token("manifest.json")
        except StoreError as error:
            problem = str(error)
        else:
            problem = ""
        if problem:
            raise StoreError(f"{problem}; nothing was stored (--no-check stores a token without asking)")
    path = write_token(origin, token, os.environ)
    say(f"The token for {origin} is stored in {path}")
    return 0


@app.command(help_epilogue=format_examples("turntable logout https://data.example.org"))
def logout(url: str) -> int:
    """Delete the token that is stored for a server.

    Args:
        url: URL of a data set or of the server, as for turntable login.
    """
    from turntable.datasets.stores import normalize_place
    from turntable.datasets.stores.web import delete_token, parse_origin

    origin = parse_origin(str(normalize_place(url)))
    path = delete_token(origin, os.environ)
    say(f"The token for {origin} is deleted from {path}")
    return 0


def _read_token(prompt: str) -> str:
    """Return the text that the user types without echo, or that comes through a pipe."""
    try:
        if sys.stdin.isatty():
            return getpass(prompt)
        return sys.stdin.buffer.read(_MAX_TOKEN_BYTES).removeprefix(codecs.BOM_UTF8).decode("latin-1")
    except EOFError:
        raise InvalidInputError("no token was given; type it, or send it through a pipe") from None
