"""The sockets that the service listens on, and the URLs under which readers reach it."""

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from turntable.errors import InvalidInputError, format_text

BACKLOG = 4096
"""Number of connections that may wait to be accepted."""
_ALL_ADDRESSES = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""Hosts that stand for all addresses of this machine, each with the one at which it reaches itself."""
_Bind = tuple[socket.AddressFamily, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """The URLs of a running service."""

    base: str
    """URL of its root, without a slash at the end: http://127.0.0.1:8765, with the prefix if there is one."""
    datasets: tuple[str, ...]
    """Names of its data sets."""

    @property
    def gallery(self) -> str:
        """The URL of the gallery."""
        return f"{self.base}/gallery/"

    def make_dataset_url(self, name: str) -> str:
        """Return the URL of a data set, which loaders take."""
        return f"{self.base}/datasets/{quote(name, safe='')}"


def format_base_url(host: str, port: int, root_path: str = "") -> str:
    """Return the URL of a service's root, without a slash at its end.

    Args:
        host: Name or address that it listens on. For all addresses, the URL has the one of loopback.
        port: Port that it listens on.
        root_path: Path under which a proxy offers it; empty for none.
    """
    name = _ALL_ADDRESSES.get(host, host).replace("%", "%25")  # an IPv6 address may have a zone: fe80::1%eth0
    return f"http://{f'[{name}]' if ':' in name else name}:{port}{root_path.rstrip('/')}"


def is_every_address(host: str) -> bool:
    """Return True if a host stands for all addresses of this machine."""
    return host in _ALL_ADDRESSES


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Open a listening socket for each address of a host, all with the same port.

    Args:
        host: Name or address; "0.0.0.0" or "::" for all addresses.
        port: Port; 0 for any free one.

    Raises:
        InvalidInputError: The port is in use, not allowed or out of range, or the host is not this machine.
    """
    if not 0 <= port <= 65535:
        raise InvalidInputError(f"--port {port}: must be from 0 (any free one) to 65535")
    sockets, problem = list[socket.socket](), None
    for family, address in _find_addresses(host, port):
        used = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_open_socket(family, (address[0], used, *address[2:])))
        except OSError as error:
            problem = error
            if error.errno != errno.EADDRNOTAVAIL:  # a name may have an IPv6 address where IPv6 is off
                break
    if problem is not None and (not sockets or problem.errno != errno.EADDRNOTAVAIL):
        for opened in sockets:
            opened.close()
        raise _make_error(host, port, problem)
    return sockets


def _find_addresses(host: str, port: int) -> Sequence[_Bind]:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise InvalidInputError(
            f"--host {format_text(host)}: this name does not resolve to an address; give an address of this "
            "machine, 127.0.0.1 for readers on it alone, or 0.0.0.0 for all of its addresses"
        ) from None
    return tuple(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _open_socket(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def _make_error(host: str, port: int, error: OSError) -> InvalidInputError:
    """Return the error that tells why the service cannot listen, and what to do."""
    place = format_text(host) or "all addresses"
    if error.errno == errno.EADDRINUSE:
        return InvalidInputError(
            f"port {port} of {place} is in use, perhaps by another turntable serve, a notebook or a tunnel "
            f"(ss -ltnp 'sport = :{port}' shows it); give another --port, or --port 0 for any free one"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return InvalidInputError(
            f"port {port} of {place}: this user may not listen on it, as on most systems below 1024; "
            "give a higher --port, and let a proxy in front of it have this one"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return InvalidInputError(
            f"--host {place}: this machine has no such address; give one of its own, 127.0.0.1 for readers "
            "on it alone, or 0.0.0.0 for all of its addresses"
        )
    return InvalidInputError(f"cannot listen on port {port} of {place}: {error.strerror}")
