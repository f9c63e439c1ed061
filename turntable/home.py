"""The user's home: what a leading ``~`` stands for, and where programs keep a user's files."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from turntable.errors import InvalidInputError, format_text


def find_home(environ: Mapping[str, str]) -> Path | None:
    """Return the user's home by HOME or else the system's list of accounts, or None if neither names one.

    Containers often run under a user id that has no account.
    """
    home = Path(environ.get("HOME") or _find_account_home())
    return home if home.is_absolute() else None


def find_user_folder(environ: Mapping[str, str], variable: str, name: str) -> Path | None:
    """Return the folder in which programs keep this user's files of one kind, or None without a home.

    Args:
        environ: Environment variables.
        variable: Variable that names the folder, such as "XDG_CACHE_HOME". A relative path counts as unset.
        name: Name of the folder in the home without that variable, such as ".cache".
    """
    folder, home = Path(environ.get(variable, "")), find_home(environ)
    if folder.is_absolute():
        return folder
    return None if home is None else home / name


def expand_home(path: str | Path) -> Path:
    """Return a path in which a leading ``~`` or ``~user`` is that user's home, as shells write it out.

    A ``~name`` that is no user's but a file's or folder's is left as it is.

    Raises:
        InvalidInputError: There is no such user, or this user has no home.
    """
    text = str(path)
    if not text.startswith("~"):
        return Path(path)
    first, _, rest = text.partition("/")
    home = _find_user_home(first[1:]) if first != "~" else find_home(os.environ)
    if home is not None:
        return home / rest.lstrip("/")
    if first == "~":
        raise InvalidInputError(
            f"{format_text(text)}: this user has no home folder; set HOME, or write the path in full"
        )
    if os.path.lexists(first):
        return Path(path)
    raise InvalidInputError(
        f"{format_text(text)}: there is no user {format_text(first[1:])!r} on this machine; correct the "
        "name, or write the path in full"
    )


def _find_account_home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""


def _find_user_home(name: str) -> Path | None:
    try:
        return Path(pwd.getpwnam(name).pw_dir)
    except (KeyError, ValueError):  # ValueError: a NUL in the name
        return None
