"""Web addresses: the origin that a token belongs to, and the check of where a redirect may lead."""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal, Self
from urllib.parse import SplitResult, quote, urldefrag, urljoin, urlsplit

from turntable.datasets.stores.passwords import hide_password
from turntable.errors import InvalidInputError

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?=.{1,254}$)(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_ASCII_CHARACTERS = "".join(map(chr, range(0x20, 0x7F)))
_MAX_SHOWN_LENGTH = 200
"""Characters of an address that a message quotes at most."""
_NO_ADDRESSES = IPv4Network("0.0.0.0/8")
"""IPv4 addresses that no host has (RFC 1122). Some systems connect to this machine instead."""
_WRAPPED_NETWORKS = IPv6Network("::/96"), IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96")
"""IPv6 networks whose addresses contain, in their last four bytes, the IPv4 address that answers."""

_LOCAL_NAMES = {
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
}
"""Names that common lists of hosts (/etc/hosts) give to this machine. A resolver may know others."""
_METADATA_ADDRESSES = {IPv6Address("fd00:ec2::254"), IPv4Address("100.100.100.200")}
"""Addresses at which clouds give their machines keys, besides the link-local one (169.254.169.254)."""

NetworkScope = Literal["this machine", "this network's own addresses", "no address at all", "anywhere"]
"""The network in which a host lies, as far as its name says."""


@dataclass(frozen=True, slots=True)
class WebOrigin:
    """An origin of the web (scheme, host, port), which requests are sent to and tokens belong to."""

    scheme: str
    """"http" or "https"."""
    host: str
    """Lower-case ASCII name; IPv6 in brackets and in its shortest form."""
    port: int

    def __str__(self) -> str:
        """Return "https://host:443", always with the port."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def network_scope(self) -> NetworkScope:
        """The network in which the host lies. Names are not looked up."""
        return _find_network_scope(self.host)

    @property
    def is_sent_unencrypted(self) -> bool:
        """True if requests to this origin travel over a network without encryption."""
        return self.scheme == "http" and self.network_scope != "this machine"


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A web address as it is requested: everything but the fragment."""

    origin: WebOrigin
    path: str
    """Empty, or beginning with a slash."""
    query: str = ""

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Parse a URL.

        Raises:
            InvalidInputError: The URL is not a web address, or two parsers could read it differently.
        """
        parts = _split_url(url)
        return cls(_build_origin(parts), parts.path, parts.query)

    def __str__(self) -> str:
        """Return the whole address, which may hold a secret in its query."""
        return f"{self.origin}{self.target}"

    @property
    def target(self) -> str:
        """The path and query of the request's first line."""
        return (self.path or "/") + (f"?{self.query}" if self.query else "")

    def resolve_redirect(self, location: str) -> "WebAddress":
        """Return the address that a redirect from this one leads to.

        Args:
            location: The response's Location header, absolute or relative.

        Raises:
            InvalidInputError: A redirect to this address is not followed. The message says where and why,
                without path and query.
        """
        if not all(" " <= character != "\x7f" for character in location):
            raise InvalidInputError("a redirect to an address with control characters")
        # http.client decodes headers as Latin-1. Bytes beyond ASCII are escaped unchanged, as browsers do.
        location = quote(location, safe=_ASCII_CHARACTERS, encoding="latin-1", errors="replace")
        try:
            target = WebAddress.from_url(urldefrag(urljoin(str(self), location)).url)
        except ValueError:  # urljoin raises it too
            raise InvalidInputError(
                f"a redirect to {_format_location(location)}, no plain web address"
            ) from None
        if self.origin.scheme == "https" and target.origin.scheme == "http":
            raise InvalidInputError(f"a redirect from https to {target.origin}, which is not encrypted")
        scope = (
            "this machine" if target.origin.host.rstrip(".") in _LOCAL_NAMES else target.origin.network_scope
        )
        if scope not in ("anywhere", self.origin.network_scope):
            raise InvalidInputError(f"a redirect from {self.origin} to {scope}, {target.origin}")
        return target


def parse_origin(url: str) -> WebOrigin:
    """Return the origin of a URL.

    Raises:
        InvalidInputError: The URL is not a web address.
    """
    return WebAddress.from_url(url).origin


def check_printable(url: str) -> str:
    """Return a URL unchanged, or refuse one with control characters.

    ``urlsplit`` would drop line ends, and so read another host.
    """
    if not url.isprintable():
        raise InvalidInputError("a URL with control characters; type it again")
    return url


def _split_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(check_printable(url))
    except ValueError:
        shown = hide_password(url)[:_MAX_SHOWN_LENGTH]
        raise InvalidInputError(f"{shown}: not a URL; give https://host/path") from None
    if "@" in parts.netloc:
        raise InvalidInputError(
            f"{parts.scheme}://…@…: passwords and names of users do not belong here; leave them out"
        )
    if parts.scheme not in _PORTS or not parts.netloc or parts.fragment:
        raise InvalidInputError(f"{_format_url(parts)}: give https://host/path")
    return parts


def _build_origin(parts: SplitResult) -> WebOrigin:
    try:
        port = parts.port
    except ValueError:
        port = 0
    name, _, _ = parts.netloc.rpartition(":") if _has_port(parts.netloc) else (parts.netloc, "", "")
    host = _normalize_host(name.lower())
    if host is None:
        raise InvalidInputError(
            f"{_format_url(parts)}: not a host's name; give it in ASCII letters (xn--… for others), or as an "
            "IP address without a zone"
        )
    if port == 0:
        raise InvalidInputError(f"{_format_url(parts)}: a port is a number from 1 to 65535")
    return WebOrigin(parts.scheme, host, port or _PORTS[parts.scheme])


def _has_port(netloc: str) -> bool:
    return ":" in netloc.rpartition("]")[2]


def _normalize_host(name: str) -> str | None:
    """Return the one form of a host's name, or None if it is not a host's name."""
    if name.startswith("[") and name.endswith("]"):
        try:
            return f"[{IPv6Address(name[1:-1]).compressed}]" if "%" not in name else None
        except ValueError:
            return None
    return name if _HOST.fullmatch(name) else None


def _format_url(parts: SplitResult) -> str:
    return hide_password(f"{parts.scheme}://{parts.netloc}{parts.path}")[:_MAX_SHOWN_LENGTH]


def _format_location(location: str) -> str:
    """Return scheme and host of an address that is not followed, as far as they can be read."""
    scheme, separator, rest = location.partition(":")
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return "a path"
    host = re.split(r"[/?#\\]", rest[2:], maxsplit=1)[0] if rest.startswith("//") else ""
    return repr(f"{scheme}:{'//' if host else ''}{host.rpartition('@')[2]}"[:_MAX_SHOWN_LENGTH])


def _find_network_scope(host: str) -> NetworkScope:
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return "this machine"
    address = _parse_ip_address(name)
    if address is None:
        return "anywhere"
    if address.is_unspecified or (isinstance(address, IPv4Address) and address in _NO_ADDRESSES):
        return "no address at all"
    if address.is_loopback:
        return "this machine"
    is_local = address.is_link_local or address in _METADATA_ADDRESSES
    return "this network's own addresses" if is_local else "anywhere"


def _parse_ip_address(name: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address that resolvers read from a name, such as 127.1, 0x7f000001 or [::ffff:7f00:1]."""
    if not name.startswith("["):
        try:
            return IPv4Address(socket.inet_aton(name))
        except OSError:
            return None
    address = IPv6Address(name[1:-1])
    if address.sixtofour is not None:
        return address.sixtofour
    is_wrapped = any(address in network for network in _WRAPPED_NETWORKS) and int(address) > 1
    return IPv4Address(int(address) & 0xFFFFFFFF) if is_wrapped else address
