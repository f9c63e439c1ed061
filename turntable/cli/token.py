"""Commands for the tokens that a data service accepts: token create, list, revoke, link."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter
from rich.table import Table

from turntable.choices import TokenScope
from turntable.cli.base import ACCESS, app, format_examples, make_option, out, say, warn

AccessOption = Annotated[Path, make_option(ACCESS, "--access")]
"""The option for the file of tokens."""
DEFAULT_ACCESS_FILE = Path("turntable-access.json")

token = cyclopts.App(name="token", help="Create, list and revoke tokens for turntable serve --access FILE.")
app.command(token)


@token.command(
    name="create",
    help_epilogue=format_examples(
        "turntable token create alice", "turntable token create lab --datasets my-set --days 30"
    ),
)
def token_create(
    name: str,
    *,
    scopes: Annotated[tuple[TokenScope, ...], make_option(ACCESS, default="read")] = ("read",),
    datasets: Annotated[tuple[str, ...], make_option(ACCESS, default="all")] = ("*",),
    days: Annotated[float | None, make_option(ACCESS, default="until it is revoked")] = None,
    access: AccessOption = DEFAULT_ACCESS_FILE,
) -> int:
    """Create a token and print it. Only its hash is stored, so it cannot be shown again.

    Args:
        name: Name of the token, such as the reader's or the purpose.
        scopes: Permission: read (all of a data set), render (also views on request) or admin (also the
            metrics).
            May be repeated.
        datasets: Name of a data set that it gives access to. May be repeated.
        days: Number of days that it is valid.
        access: File of tokens, created if necessary. A running service notices the change.
    """
    from turntable.service import make_access, read_access, write_access

    current = read_access(access) if access.exists() else make_access()
    changed, record, text = current.with_new_token(name, scopes, datasets, days)
    write_access(access, changed)
    warn(
        f"Token {record.id} for {name}. Keep it: it is not shown again. Readers run turntable login with the "
        "URL, or set TURNTABLE_TOKEN to the token and TURNTABLE_TOKEN_HOST to the server (scheme://host:port)."
    )
    say(text)
    return 0


@token.command(name="list", help_epilogue=format_examples("turntable token list"))
def token_list(*, access: AccessOption = DEFAULT_ACCESS_FILE) -> int:
    """List the tokens with their permissions, data sets and dates.

    Args:
        access: File of tokens.
    """
    from turntable.service import read_access

    table = Table("id", "name", "scopes", "data sets", "created", "valid until")
    for record in read_access(access).tokens:
        until = "revoked" if record.revoked is not None else "until revoked" if record.expires is None else ""
        until = until or _format_time(record.expires or 0.0)
        cells = (
            record.id,
            record.name,
            " ".join(record.scopes),
            " ".join(record.datasets),
            _format_time(record.created),
            until,
        )
        table.add_row(*cells)
    out.print(table)
    return 0


@token.command(name="revoke", help_epilogue=format_examples("turntable token revoke 0123456789abcdef"))
def token_revoke(id_: Annotated[str, Parameter("ID")], *, access: AccessOption = DEFAULT_ACCESS_FILE) -> int:
    """Revoke a token and all links that were made with it.

    Args:
        id_: Id of the token, as turntable token list shows it.
        access: File of tokens.
    """
    from turntable.service import read_access, write_access

    write_access(access, read_access(access).with_revoked(id_))
    say(f"Token {id_} is revoked")
    return 0


@token.command(
    name="link",
    help_epilogue=format_examples(
        "turntable token link 0123456789abcdef http://localhost:8765/datasets/my-set --hours 8"
    ),
)
def token_link(
    id_: Annotated[str, Parameter("ID")],
    url: str,
    *,
    hours: Annotated[float, make_option(ACCESS)] = 24.0,
    access: AccessOption = DEFAULT_ACCESS_FILE,
) -> int:
    """Print a URL through which anyone can read a data set for a limited time, without a token.

    Args:
        id_: Id of the token that the link stands for; revoking the token ends the link.
        url: URL of the data set: http://HOST:PORT/datasets/NAME.
        hours: Number of hours that the link is valid; never longer than its token.
        access: File of tokens.
    """
    from turntable.service import read_access
    from turntable.service.security import parse_dataset_url

    query = read_access(access).make_link_query(id_, parse_dataset_url(url), hours * 3600)
    say(f"{url.rstrip('/')}?{query}")
    return 0


def _format_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
