"""The network policy: which proxies are trusted, which prefix they add, and which host names are answered.

Anyone can send any header. So ``X-Forwarded-…`` is trusted only from the proxies in the settings. And
``Host`` must be one of the service's names: otherwise a web page could let its own name point to this service
(DNS rebinding) and read data through the browser of its visitor.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from turntable.errors import InvalidInputError
from turntable.service.json_responses import make_error_response
from turntable.service.security.path_prefixes import (
    ROOT_KEY,
    find_root,
    parse_root_path,
    quote_prefix,
    strip_prefix,
)

ANY_HOST = "*"
"""Host name in the settings that stands for any."""
_MAX_HOPS = 32
"""Number of addresses at the end of ``X-Forwarded-For`` that are read."""
_MAX_ADDRESS_LENGTH = 64
"""Largest number of characters of an address with its zone and port."""
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_SHARED_BITS = 64
"""Number of leading bits of an IPv6 address that identify a client: providers assign whole /64 networks."""


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The trusted proxies and the host names of a service."""

    proxies: tuple[_Network, ...]
    """Networks of the proxies whose headers are trusted."""
    hosts: frozenset[str]
    """Host names besides those of loopback and the address of the connection; "*" for any."""
    root_path: str = ""
    """Decoded path under which a proxy offers the service; empty for none."""

    @property
    def quoted_root_path(self) -> str:
        """The path under which a proxy offers the service, as it is written in URLs."""
        return quote_prefix(self.root_path)

    @classmethod
    def from_names(cls, proxies: Iterable[str], hosts: Iterable[str], root_path: str = "") -> "NetworkPolicy":
        """Return the policy for proxies, host names and a prefix as a user writes them.

        Args:
            proxies: Addresses or networks, such as "127.0.0.1" or "10.0.0.0/8".
            hosts: Host names; with a port, in brackets, or in another script than Latin, if the user likes.
            root_path: Path under which a proxy offers the service, such as "/user/ada/proxy/8765".

        Raises:
            InvalidInputError: A proxy is not an address or network, a host is not a host name, or the prefix
                is not a path.
        """
        networks, names = map(_parse_network, proxies), map(_encode_host, hosts)
        return cls(tuple(networks), frozenset(names), parse_root_path(root_path))

    def resolve_client_address(self, address: str, forwarded: Sequence[str]) -> str:
        """Return the address of the client behind trusted proxies.

        Args:
            address: Address of the connection.
            forwarded: Values of the headers ``X-Forwarded-For``, in their order.
        """
        client = address
        hops = [hop.strip() for hop in ",".join(forwarded).rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]]
        # Each proxy appends the address that it was called from. So the list is read from its end, and only
        # as far as trusted proxies wrote it: the client may have sent the beginning itself.
        while self.is_proxy(client) and hops:
            hop = _parse_address(hops.pop())
            if hop is None:
                return client
            client = str(hop)
        return client

    def is_proxy(self, address: str) -> bool:
        """Return True if an address is that of a trusted proxy."""
        parsed = _parse_address(address)
        return parsed is not None and any(parsed in network for network in self.proxies)

    def answers_to(self, host: str, own_address: str) -> bool:
        """Return True if the service answers to a host name.

        Args:
            host: Value of the request's header ``Host``.
            own_address: Address at which the connection arrived.
        """
        if ANY_HOST in self.hosts:
            return True
        name = _normalize_host(host)
        if name == "localhost" or name in self.hosts:
            return True
        parsed = _parse_address(name)
        return parsed is not None and (parsed.is_loopback or parsed == _parse_address(own_address))


class NetworkMiddleware:
    """An ASGI middleware that resolves what proxies changed and refuses requests with a wrong ``Host``.

    What comes after it sees the client's own address and scheme, and the path without the proxy's prefix.

    Args:
        app: The application.
        policy: The trusted proxies and the host names.
    """

    def __init__(self, app: ASGIApp, policy: NetworkPolicy) -> None:
        self._app, self._policy = app, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its client's address and without the prefix, or refuse it."""
        if scope["type"] == "http":
            self._resolve_proxy(scope)
            self._strip_prefix(scope)
            refusal = self._find_refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _resolve_proxy(self, scope: Scope) -> None:
        """Replace the client and the scheme of the scope by those that a trusted proxy forwards."""
        address = (scope.get("client") or ("",))[0]
        if self._policy.is_proxy(address):
            forwarded = _get_header_values(scope, b"x-forwarded-for")
            scope["client"] = self._policy.resolve_client_address(address, forwarded), 0
            scheme = _get_header_values(scope, b"x-forwarded-proto")[-1:]
            if scheme in (["http"], ["https"]):
                scope["scheme"] = scheme[0]

    def _strip_prefix(self, scope: Scope) -> None:
        """Remove the prefix from the path of the scope if a proxy left it there."""
        path, prefix = scope["path"], self._policy.root_path
        scope[ROOT_KEY], scope["path"] = find_root(path, prefix), strip_prefix(path, prefix)

    def _find_refusal(self, scope: Scope) -> ASGIApp | None:
        """Return the error response to a request with a wrong path or ``Host``; None if both are right."""
        if not scope["path"].isprintable():
            return make_error_response(400, "the path contains control characters")
        hosts = _get_header_values(scope, b"host")
        if len(hosts) > 1 or (not hosts and scope.get("http_version") != "1.0"):
            return make_error_response(400, "send exactly one Host header")
        if hosts and not self._policy.answers_to(hosts[0], (scope.get("server") or ("",))[0]):
            return make_error_response(
                421,
                f"this service does not answer to the host name {hosts[0][:80]!r}; "
                "start it with --allow-host NAME",
            )
        return None


def get_client_key(address: str) -> str:
    """Return the key under which the requests of an address are counted.

    For IPv6 it is the /64 network, as one client has all of its addresses.
    """
    parsed = _parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed), _SHARED_BITS), strict=False))
    return address[:_MAX_ADDRESS_LENGTH]


def _get_header_values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _parse_network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InvalidInputError(
            f"--trusted-proxy {text}: give the proxy's address or network, such as 127.0.0.1 or 10.0.0.0/8"
        ) from None


def _parse_address(text: str) -> _Address | None:
    """Return the address in a text, with or without a port and brackets; None if the text is no address."""
    if len(text) > _MAX_ADDRESS_LENGTH:
        return None
    for candidate in (text, _strip_port(text)):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        # ::ffff:192.0.2.1 is the IPv4 address as a dual-stack socket reports it.
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return mapped or address
    return None


def _normalize_host(host: str) -> str:
    """Return a host name in the one form in which names are compared."""
    name = _strip_port(host).lower().rstrip(".")
    address = _parse_address(name)
    return name if address is None else str(address)


def _encode_host(host: str) -> str:
    """Return a host name as browsers send it: in IDNA if it is not ASCII."""
    try:
        return _normalize_host(host).encode("idna").decode("ascii")
    except UnicodeError:
        raise InvalidInputError(f"--allow-host {host[:80]!r}: this is not a host name") from None


def _strip_port(host: str) -> str:
    if host.startswith("["):
        match = re.fullmatch(r"\[([^\]]*)\](:[0-9]*)?", host)
        return match[1] if match is not None else host
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and ":" not in name else host
