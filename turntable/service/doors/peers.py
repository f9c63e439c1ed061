"""Who is at the other end of a connection, and by which name they called the service.

A header can say anything. So ``X-Forwarded-For`` is believed from a proxy that the owner has named, and from
nobody else; and a request is answered only under a name of the service's own: a web page anywhere could have
its name point here (DNS rebinding), and read with its visitor's connection.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from turntable.errors import InvalidInputError
from turntable.service.answers import problem

ANY = "*"
_MOST_HOPS = 32
"""Proxies in a row that are looked at."""
_LONGEST_ADDRESS = 64
"""Characters of an address with its zone and port."""
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_SHARED_BITS = 64
"""The first bits of an IPv6 address that stand for one asker, who has all addresses that begin so."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Which proxies are believed, and under which names the service answers.

    Args:
        proxies: Addresses or networks ("127.0.0.1", "10.0.0.0/8").
        hosts: Names beside those of the loopback interface and the address of the connection; "*": any.

    Raises:
        InvalidInputError: A proxy is no address or network.
    """

    proxies: tuple[_Network, ...]
    hosts: frozenset[str]

    @classmethod
    def named(cls, proxies: Iterable[str], hosts: Iterable[str]) -> "Peers":
        """Read both as a user writes them: a host with its port or in brackets too, or in its own script."""
        return cls(tuple(map(_network, proxies)), frozenset(map(_as_browsers_send, hosts)))

    def client(self, address: str, forwarded: Sequence[str]) -> str:
        """Return the address of who asks.

        Args:
            address: Of the connection.
            forwarded: The values of ``X-Forwarded-For``, in their order.
        """
        client = address
        hops = [hop.strip() for hop in ",".join(forwarded).rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]]
        while self.is_proxy(client) and hops:
            found = _parsed(hops.pop())
            if found is None:
                return client
            client = str(found)
        return client

    def is_proxy(self, address: str) -> bool:
        """Tell whether an address is of a proxy that is believed."""
        found = _parsed(address)
        return found is not None and any(found in network for network in self.proxies)

    def answers_to(self, host: str, own_address: str) -> bool:
        """Tell whether the service answers under a name.

        Args:
            host: The request's ``Host``.
            own_address: The address at which the connection arrived.
        """
        if ANY in self.hosts:
            return True
        name = _host_name(host)
        if name == "localhost" or name in self.hosts:
            return True
        found = _parsed(name)
        return found is not None and (found.is_loopback or found == _parsed(own_address))


class KnownPeers:
    """The application, told the true address of who asks, and asked under its own names alone."""

    def __init__(self, app: ASGIApp, peers: Peers) -> None:
        self._app, self._peers = app, peers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and (refusal := self._refusal(scope)) is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        address = (scope.get("client") or ("",))[0]
        if self._peers.is_proxy(address):
            scope["client"] = (self._peers.client(address, _values(scope, b"x-forwarded-for")), 0)
            scheme = _values(scope, b"x-forwarded-proto")[-1:]
            if scheme in (["http"], ["https"]):
                scope["scheme"] = scheme[0]
        if not scope["path"].isprintable():
            return problem(400, "the address has control characters in it")
        hosts = _values(scope, b"host")
        if len(hosts) > 1 or (not hosts and scope.get("http_version") != "1.0"):
            return problem(400, "send one Host header")
        if hosts and not self._peers.answers_to(hosts[0], (scope.get("server") or ("",))[0]):
            return problem(
                421, f"this service is not called {hosts[0][:80]!r}; start it with --allow-host NAME"
            )
        return None


def asker_of(address: str) -> str:
    """Return the name under which an address is counted: one asker has a whole IPv6 network of addresses."""
    found = _parsed(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(found), _SHARED_BITS), strict=False))
    return address[:_LONGEST_ADDRESS]


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InvalidInputError(
            f"--trusted-proxy {text}: give the address of the proxy, or its network: 127.0.0.1, 10.0.0.0/8"
        ) from None


def _parsed(text: str) -> _Address | None:
    """The address that a text is; a proxy may write it with its port or in brackets."""
    if len(text) > _LONGEST_ADDRESS:
        return None
    for candidate in (text, _without_port(text)):
        try:
            found = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return mapped or found
    return None


def _host_name(host: str) -> str:
    """Return a host as names are compared."""
    name = _without_port(host).lower().rstrip(".")
    found = _parsed(name)
    return name if found is None else str(found)


def _as_browsers_send(host: str) -> str:
    """Return a host that may be in another script in the letters that stand for it."""
    try:
        return _host_name(host).encode("idna").decode("ascii")
    except UnicodeError:
        raise InvalidInputError(f"--allow-host {host[:80]!r}: no name of a host") from None


def _without_port(host: str) -> str:
    if host.startswith("["):
        found = re.fullmatch(r"\[([^\]]*)\](:[0-9]*)?", host)
        return found[1] if found is not None else host
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and ":" not in name else host
