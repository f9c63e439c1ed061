"""The proxy through which a server is asked, by the variables that curl and other programs follow.

``https_proxy`` and ``http_proxy`` are for addresses of that scheme, ``all_proxy`` is for both, and
``no_proxy`` names the hosts that are asked directly. Each may be written in small or capital letters.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from turntable.datasets.stores.passwords import Password
from turntable.datasets.stores.web.addresses import WebOrigin
from turntable.errors import InvalidInputError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the variable that names it."""

    scheme: str
    """"http" or "https": how the proxy itself is spoken to."""
    host: str
    port: int
    variable: str
    password: Password | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The proxy's URL without a password."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def __str__(self) -> str:
        """Return "the proxy http://host:3128 (HTTPS_PROXY)", for messages."""
        return f"the proxy {self.url} ({self.variable})"


def find_proxy(origin: WebOrigin, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy through which an origin is asked, or None if it is asked directly.

    Raises:
        InvalidInputError: The variable does not hold the URL of a proxy. Its value is not repeated.
    """
    variable = _find_proxy_variable(origin.scheme, environ)
    excluded = environ.get("no_proxy", environ.get("NO_PROXY", ""))
    if variable is None or is_excluded(origin, excluded):
        return None
    return _parse_proxy(variable, environ[variable].strip())


def is_excluded(origin: WebOrigin, no_proxy: str) -> bool:
    """Return True if a list of hosts that need no proxy names an origin.

    Args:
        origin: Origin that is to be asked.
        no_proxy: Hosts, separated by commas or blanks: "*", "host.example" (and all hosts below it),
            ".example", "*.example", an IP address, or a network such as "10.0.0.0/8"; a name or an address
            may have a port.
    """
    return any(_is_covered(origin, entry.lower()) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def _find_proxy_variable(scheme: str, environ: Mapping[str, str]) -> str | None:
    names = [f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"]
    if "REQUEST_METHOD" in environ:
        # In a CGI script a stranger's "Proxy:" header becomes HTTP_PROXY (CVE-2016-5385).
        names = [name for name in names if name != "HTTP_PROXY"]
    return next((name for name in names if environ.get(name, "").strip()), None)


def _is_covered(origin: WebOrigin, entry: str) -> bool:
    name, port = _split_port(entry)
    if port and port != str(origin.port):
        return False
    host = origin.host.strip("[]").rstrip(".")
    with suppress(ValueError):
        return ip_address(host) in ip_network(name.strip("[]"), strict=False)
    name = name.removeprefix("*").lstrip(".").rstrip(".")
    return entry == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))


def _split_port(entry: str) -> tuple[str, str]:
    """Return an entry's name and port; an IPv6 address has a port only behind brackets."""
    name, colon, port = entry.rpartition(":")
    has_port = colon and port.isdecimal() and (":" not in name or name.endswith("]"))
    return (name, port) if has_port else (entry, "")


def _parse_proxy(variable: str, text: str) -> Proxy:
    # A password may hold "/", "#" and "?", which would end the host: they are escaped up to the last "@".
    before, at, after = (text if "://" in text else f"http://{text}").rpartition("@")
    scheme, _, userinfo = before.partition("://") if at else ("", "", "")
    parts = _split_proxy_url(f"{scheme}://{after}" if at else after, variable)
    if parts.scheme in ("socks", "socks4", "socks4a", "socks5", "socks5h"):
        raise InvalidInputError(
            f"{variable} names a SOCKS proxy, and only http:// and https:// proxies are used here; set "
            f"https_proxy or http_proxy to one, or name the server in no_proxy"
        )
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidInputError(f"{variable} is not the URL of a proxy; set it to http://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    password = Password.from_userinfo(userinfo) if at else None
    return Proxy(parts.scheme, host, parts.port or _PORTS[parts.scheme], variable, password)


def _split_proxy_url(url: str, variable: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidInputError(f"{variable} is not the URL of a proxy; set it to http://host:port") from None
    return parts
