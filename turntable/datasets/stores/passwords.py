"""Names and passwords of users inside URLs: taken out, and hidden in messages."""

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit, urlunsplit

from turntable.errors import InvalidInputError

_BEFORE_AT = re.compile(r"(?<=:/).*@", re.DOTALL)
"""All that could be a password, also one with slashes that nobody escaped."""


@dataclass(frozen=True, slots=True)
class Password:
    """A user's name and password for a server."""

    user: str = field(repr=False)
    text: str = field(repr=False)

    @classmethod
    def from_userinfo(cls, userinfo: str) -> Self:
        """Parse what stands before the ``@`` of a URL: a name, a colon and a password, percent-encoded."""
        user, _, text = userinfo.partition(":")
        return cls(unquote(user), unquote(text))

    @property
    def authorization(self) -> str:
        """The value of the header with which it is sent (RFC 7617, in UTF-8)."""
        return f"Basic {base64.b64encode(f'{self.user}:{self.text}'.encode()).decode('ascii')}"


def split_userinfo(url: str) -> tuple[str, str]:
    """Return a URL without its user's name and password, and these, or "" if it has none.

    Raises:
        InvalidInputError: It cannot be said where the password ends. The message does not repeat it.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, ""
    userinfo, at, host = parts.netloc.rpartition("@")
    if "@" in userinfo or (not at and "@" in url and not _has_plain_host(parts.netloc)):
        raise InvalidInputError(
            f"{hide_password(url)}: write / as %2F, @ as %40, # as %23 and ? as %3F in a user's name and "
            "password"
        )
    return urlunsplit(parts._replace(netloc=host)), userinfo


def hide_password(text: str) -> str:
    """Return a text, such as a URL that was mistyped, without what could be a password in it."""
    return _BEFORE_AT.sub("/…@" if "://" in text else "…@", text) if "@" in text else text


def remove_secrets(path_or_url: str | Path) -> str:
    """Return a path or URL without the user's name and password, and, of a web address, without its query.

    The query of a signed URL is a key. What is left can be written to files that others read.
    """
    text = str(path_or_url)
    if "://" not in text:
        return text
    url, _ = split_userinfo(text)
    return url.partition("?")[0] if url.startswith(("http://", "https://")) else url


def _has_plain_host(netloc: str) -> bool:
    """Return True if a part of a URL is a host with or without a port, and no beginning of a password."""
    _, colon, port = netloc.rpartition("]")[2].rpartition(":")
    return not colon or port.isdecimal() or not port
