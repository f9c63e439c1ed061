"""Users' names and passwords in a netrc file, as curl, git and other programs read it.

Format: https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html
"""

from collections.abc import Mapping
from netrc import NetrcParseError, netrc
from pathlib import Path

from turntable.datasets.stores.passwords import Password
from turntable.datasets.stores.web.addresses import WebOrigin
from turntable.errors import StoreError
from turntable.home import expand_home, find_home

NETRC_VARIABLE = "NETRC"
"""Environment variable that names the file, if it is not ``~/.netrc``."""


def find_netrc_path(environ: Mapping[str, str]) -> Path | None:
    """Return the path of the user's netrc file, which need not exist, or None without a home."""
    if named := environ.get(NETRC_VARIABLE):
        return expand_home(named)
    home = find_home(environ)
    return None if home is None else home / ".netrc"


def read_netrc_password(origin: WebOrigin, user: str, environ: Mapping[str, str]) -> Password | None:
    """Return the name and password that the user's netrc file has for a host, or None if it has none.

    A line of the file is for a host with any port. Its ``default`` line is not used: it would send a password
    to every server.

    Args:
        origin: Origin that the password would be sent to.
        user: Name of the user that the URL states; empty for any.
        environ: Environment variables.

    Raises:
        StoreError: The file cannot be read, or NETRC names none.
    """
    path = find_netrc_path(environ)
    if path is None or (not path.exists() and not environ.get(NETRC_VARIABLE)):
        return None
    try:
        hosts = netrc(path).hosts
    except (OSError, NetrcParseError, UnicodeDecodeError):
        # The parser's own message is left out: it may quote a password.
        raise StoreError(
            f"{path}: cannot be read as a netrc file; correct it (machine HOST login NAME password WORD)"
        ) from None
    login, _, word = hosts.get(origin.host.strip("[]"), ("", "", ""))
    return Password(login, word or "") if login and user in ("", login) else None
