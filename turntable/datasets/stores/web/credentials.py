"""The credential that a request to an origin carries: a token, or a user's name and password."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from turntable.datasets.stores.passwords import Password
from turntable.datasets.stores.web.addresses import WebOrigin
from turntable.datasets.stores.web.netrc_file import find_netrc_path, read_netrc_password
from turntable.datasets.stores.web.tokens import (
    HOST_VARIABLE,
    TOKEN_VARIABLE,
    find_token,
    format_token_help,
)
from turntable.errors import StoreError


@dataclass(frozen=True, slots=True)
class Credential:
    """A value for the Authorization header of requests to one origin."""

    authorization: str = field(repr=False)
    source: str
    """Kind and source for messages: "the token of the call", "the password of the URL"."""


@dataclass(frozen=True, slots=True)
class GivenCredential:
    """The credential that a caller gave with a URL."""

    token: str | None = field(default=None, repr=False)
    userinfo: str = field(default="", repr=False)
    """A user's name and password as the URL has them, or "" if it has none."""


def find_credential(
    origin: WebOrigin, given: GivenCredential, environ: Mapping[str, str]
) -> Credential | None:
    """Return the credential for an origin, or None.

    These are tried in order: the call's token, the URL's password, the token of TURNTABLE_TOKEN, that of
    ``turntable login``, and the user's netrc file.

    Args:
        origin: Origin that the credential would be sent to.
        given: Credential of the call, for this origin.
        environ: Environment variables.

    Raises:
        InvalidInputError: A token or TURNTABLE_TOKEN_HOST is not of the right form.
        StoreError: The file of tokens can be read by others, or belongs to somebody else.
        IntegrityError: The file is not a file of tokens.
    """
    if given.userinfo:  # no token is given with it
        return _complete_password(origin, Password.from_userinfo(given.userinfo), environ)
    token = find_token(origin, given.token, environ)
    if token is not None:
        return Credential(token.authorization, f"the token of {token.source}")
    return _find_netrc_credential(origin, "", environ)


def explain_refusal(url: str, origin: WebOrigin, sent: Credential | None, environ: Mapping[str, str]) -> str:
    """Return why a server may have refused a request, and what to do about it.

    Args:
        url: URL of the request, without secrets.
        origin: Origin of the URL.
        sent: Credential that was sent with the request, or None.
        environ: Environment variables, whose TURNTABLE_TOKEN may not have been sent.
    """
    link = "get a new link if this one has expired"
    if sent is not None:
        return f"it does not accept {sent.source} for this; give one that may read it"
    password = f"for a user's name and password, add a line to {_explain_netrc(origin, environ)}"
    if not environ.get(TOKEN_VARIABLE):
        return f"for a token that may read it {format_token_help(url, origin)}; {password}; or {link}"
    named_origin = environ.get(HOST_VARIABLE)
    reason = (
        f"{HOST_VARIABLE} names another origin" if named_origin else f"no {HOST_VARIABLE} says whose it is"
    )
    return (
        f"{TOKEN_VARIABLE} was not sent, for {reason}; set {HOST_VARIABLE}={origin} if it is this server's, "
        f"or run turntable login {url}; {password}; or {link}"
    )


def _complete_password(origin: WebOrigin, given: Password, environ: Mapping[str, str]) -> Credential:
    """Return the credential of a URL, whose password may be left to the netrc file."""
    found = None if given.text else _find_netrc_credential(origin, given.user, environ)
    return found or Credential(given.authorization, "the user and password of the URL")


def _find_netrc_credential(origin: WebOrigin, user: str, environ: Mapping[str, str]) -> Credential | None:
    try:
        password = read_netrc_password(origin, user, environ)
    except StoreError:
        return None  # a public server needs none; one that refuses is told apart by explain_refusal
    source = f"the user and password of {find_netrc_path(environ)}"
    return None if password is None else Credential(password.authorization, source)


def _explain_netrc(origin: WebOrigin, environ: Mapping[str, str]) -> str:
    try:
        read_netrc_password(origin, "", environ)
    except StoreError as error:
        return f"your netrc file ({error})"
    path = find_netrc_path(environ) or "the file that NETRC names"
    return f"{path}: machine {origin.host} login USER password WORD"
