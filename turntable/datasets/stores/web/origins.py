"""Web addresses: the origin that a token belongs to, and where a redirect may lead."""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal, Self
from urllib.parse import SplitResult, quote, urldefrag, urljoin, urlsplit

from turntable.errors import InvalidInputError

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?=.{1,254}$)(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_ASCII = "".join(map(chr, range(0x20, 0x7F)))
_SHOWN = 200
"""Characters of an address that a message quotes at most."""
_NO_ADDRESSES = IPv4Network("0.0.0.0/8")
_WRAPPED = IPv6Network("::/96"), IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96")
"""IPv6 addresses whose last four bytes are the IPv4 address that answers."""

_LOCAL_NAMES = {
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
}
"""Names that usual lists of hosts (/etc/hosts) give to this machine; a resolver may know better."""
_METADATA = {IPv6Address("fd00:ec2::254"), IPv4Address("100.100.100.200")}
"""Addresses where clouds tell their machines' keys, besides those of the link (169.254.169.254)."""

Reach = Literal["this machine", "this network's own addresses", "no address at all", "anywhere"]
"""The place from where a host is reached, as far as its name says."""


@dataclass(frozen=True, slots=True)
class WebOrigin:
    """An origin of the web (scheme, host, port): to whom a request goes, and to whom a token belongs."""

    scheme: str
    """"http" or "https"."""
    host: str
    """Lower case, ASCII; IPv6 in brackets and in its shortest form."""
    port: int

    def __str__(self) -> str:
        """Return "https://host:443": the port is always there."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def reach(self) -> Reach:
        """The place from where the host is reached; names are not looked up."""
        return _reach(self.host)

    @property
    def is_readable_underway(self) -> bool:
        """True where what is sent there travels over a network without encryption."""
        return self.scheme == "http" and self.reach != "this machine"


@dataclass(frozen=True, slots=True)
class Address:
    """A web address as it is asked for: everything but the fragment."""

    origin: WebOrigin
    path: str
    """Empty, or beginning with a slash."""
    query: str = ""

    @classmethod
    def of(cls, url: str) -> Self:
        """Read an address.

        Raises:
            InvalidInputError: It is none of the web, or one that two readers could understand differently.
        """
        parts = _split(url)
        return cls(_origin(parts), parts.path, parts.query)

    def __str__(self) -> str:
        """Return the whole address, which may hold a secret in its query."""
        return f"{self.origin}{self.target}"

    @property
    def target(self) -> str:
        """The path and query that the request's first line asks for."""
        return (self.path or "/") + (f"?{self.query}" if self.query else "")

    def redirected(self, location: str) -> "Address":
        """Return where an answer from here leads.

        Args:
            location: The answer's header of that name, absolute or relative.

        Raises:
            InvalidInputError: A redirect there is not followed; the message says which and why, without path
                or query.
        """
        if not all(" " <= character != "\x7f" for character in location):
            raise InvalidInputError("a redirect to an address with control characters")
        # Bytes beyond ASCII come as Latin-1; of an address they are what browsers send on as they are.
        location = quote(location, safe=_ASCII, encoding="latin-1", errors="replace")
        try:
            there = Address.of(urldefrag(urljoin(str(self), location)).url)
        except ValueError:  # also of urljoin
            raise InvalidInputError(f"a redirect to {_named(location)}, no plain web address") from None
        if self.origin.scheme == "https" and there.origin.scheme == "http":
            raise InvalidInputError(f"a redirect from https to {there.origin}, which is not encrypted")
        reach = "this machine" if there.origin.host.rstrip(".") in _LOCAL_NAMES else there.origin.reach
        if reach not in ("anywhere", self.origin.reach):
            raise InvalidInputError(f"a redirect from {self.origin} to {reach}, {there.origin}")
        return there


def origin_of(url: str) -> WebOrigin:
    """Return the origin of a web address. Raises InvalidInputError where it is none."""
    return Address.of(url).origin


def _split(url: str) -> SplitResult:
    if not url.isprintable():  # urlsplit would leave line ends out, and read another host
        raise InvalidInputError("a URL with control characters; type it again")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidInputError(f"{url[:_SHOWN]}: not a URL; give https://host/path") from None
    if "@" in parts.netloc:
        raise InvalidInputError(
            f"{parts.scheme}://…@…: passwords do not belong in a URL, which is logged; run turntable login"
        )
    if parts.scheme not in _PORTS or not parts.netloc or parts.fragment:
        raise InvalidInputError(f"{_shown(parts)}: give https://host/path")
    return parts


def _origin(parts: SplitResult) -> WebOrigin:
    try:
        port = parts.port
    except ValueError:
        port = 0
    name, _, _ = parts.netloc.rpartition(":") if _has_port(parts.netloc) else (parts.netloc, "", "")
    host = _checked_host(name.lower())
    if host is None:
        raise InvalidInputError(
            f"{_shown(parts)}: not a host's name; give it in letters of ASCII (xn--… for others), or as an "
            "IP address without a zone"
        )
    if port == 0:
        raise InvalidInputError(f"{_shown(parts)}: a port is a number from 1 to 65535")
    return WebOrigin(parts.scheme, host, port or _PORTS[parts.scheme])


def _has_port(netloc: str) -> bool:
    return ":" in netloc.rpartition("]")[2]


def _checked_host(name: str) -> str | None:
    """Return a host in its one form; None where it is none."""
    if name.startswith("[") and name.endswith("]"):
        try:
            return f"[{IPv6Address(name[1:-1]).compressed}]" if "%" not in name else None
        except ValueError:
            return None
    return name if _HOST.fullmatch(name) else None


def _shown(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:_SHOWN]


def _named(location: str) -> str:
    """Return scheme and host of an address that is not followed, as far as they can be told."""
    scheme, separator, rest = location.partition(":")
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return "a path"
    host = re.split(r"[/?#\\]", rest[2:], maxsplit=1)[0] if rest.startswith("//") else ""
    return repr(f"{scheme}:{'//' if host else ''}{host.rpartition('@')[2]}"[:_SHOWN])


def _reach(host: str) -> Reach:
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return "this machine"
    address = _literal(name)
    if address is None:
        return "anywhere"
    if address.is_unspecified or (isinstance(address, IPv4Address) and address in _NO_ADDRESSES):
        return "no address at all"
    if address.is_loopback:
        return "this machine"
    is_local = address.is_link_local or address in _METADATA
    return "this network's own addresses" if is_local else "anywhere"


def _literal(name: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a name is to resolvers: 127.1, 0x7f000001, [::ffff:7f00:1] are some."""
    if not name.startswith("["):
        try:
            return IPv4Address(socket.inet_aton(name))
        except OSError:
            return None
    address = IPv6Address(name[1:-1])
    if address.sixtofour is not None:
        return address.sixtofour
    wrapped = any(address in network for network in _WRAPPED) and int(address) > 1
    return IPv4Address(int(address) & 0xFFFFFFFF) if wrapped else address
