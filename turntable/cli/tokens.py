"""Commands for who may read a service's data sets."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter
from rich.table import Table

from turntable.choices import TokenScope
from turntable.cli.base import app, out, say, warn

AccessFile = Annotated[Path, Parameter("--access")]
DEFAULT_FILE = Path("turntable-access.json")

token = cyclopts.App(name="token", help="Make, list and revoke the tokens of turntable serve --access FILE.")
app.command(token)


@token.command(name="create")
def token_create(
    name: str,
    *,
    scopes: tuple[TokenScope, ...] = ("read",),
    datasets: tuple[str, ...] = ("*",),
    days: float | None = None,
    access: AccessFile = DEFAULT_FILE,
) -> int:
    """Make a token and print it, this once: only its hash is kept.

    Args:
        name: What you call it: who gets it, or what for.
        scopes: read: all of a data set. render: views on request too. admin: also the metrics.
        datasets: Names of those that it opens; all by default.
        days: It is good for; by default until it is revoked.
        access: The file of tokens, made if need be; a running service reads it again.
    """
    from turntable.service import new_access, read_access, write_access

    known = read_access(access) if access.exists() else new_access()
    changed, made, text = known.created(name, scopes, datasets, days)
    write_access(access, changed)
    warn(
        f"Token {made.id} for {name}; keep it, it is not shown again. Readers run turntable login with the "
        "URL, or set TURNTABLE_TOKEN to it and TURNTABLE_TOKEN_HOST to the server (scheme://host:port)."
    )
    say(text)
    return 0


@token.command(name="list")
def token_list(*, access: AccessFile = DEFAULT_FILE) -> int:
    """List the tokens: what they open, and until when.

    Args:
        access: The file of tokens.
    """
    from turntable.service import read_access

    table = Table("id", "name", "scopes", "data sets", "made", "good until")
    for made in read_access(access).tokens:
        until = "revoked" if made.revoked is not None else "revoked by hand" if made.expires is None else ""
        until = until or _day(made.expires or 0.0)
        cells = made.id, made.name, " ".join(made.scopes), " ".join(made.datasets), _day(made.created), until
        table.add_row(*cells)
    out.print(table)
    return 0


@token.command(name="revoke")
def token_revoke(id_: Annotated[str, Parameter("ID")], *, access: AccessFile = DEFAULT_FILE) -> int:
    """End a token, and all links that were made with it.

    Args:
        id_: Of the token, as turntable token list shows it.
        access: The file of tokens.
    """
    from turntable.service import read_access, write_access

    write_access(access, read_access(access).revoked(id_))
    say(f"Token {id_} opens nothing any more")
    return 0


@token.command(name="link")
def token_link(
    id_: Annotated[str, Parameter("ID")],
    url: str,
    *,
    hours: float = 24.0,
    access: AccessFile = DEFAULT_FILE,
) -> int:
    """Print a URL of a data set that anyone may read for a while, without a token.

    Args:
        id_: Of the token that it stands for; revoking that ends the link.
        url: Of the data set: http://HOST:PORT/datasets/NAME.
        hours: It is good for; never longer than its token.
        access: The file of tokens.
    """
    from turntable.service import read_access
    from turntable.service.doors import dataset_in

    query = read_access(access).link_query(id_, dataset_in(url), hours * 3600)
    say(f"{url.rstrip('/')}?{query}")
    return 0


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
