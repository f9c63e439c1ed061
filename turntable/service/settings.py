"""How a service is run."""

from dataclasses import dataclass
from pathlib import Path

from turntable.errors import InvalidInputError
from turntable.service.doors import AccessFile, Gate, Peers, Rate
from turntable.service.queries import SECONDS
from turntable.service.renders import RenderSettings


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Who may ask, how often, and whether views are drawn.

    Raises:
        InvalidInputError: A bound is not positive, or data sets are public though all are open.
    """

    access: Path | None = None
    """The file of tokens; None: everything is open to anyone who can connect."""
    public: tuple[str, ...] = ()
    """Data sets that anyone may read without a token; "*": all."""
    rate: float | None = None
    """Requests a second of one asker, in the long run; None: no bound."""
    requests_at_once: int = 1000
    requests_at_once_each: int = 200
    """Of one asker: a token, or an address."""
    renders: RenderSettings | None = None
    """None: no views are drawn."""
    query_seconds: float = SECONDS
    """That a condition may take; its process is killed then."""
    links_under: tuple[Path, ...] = ()
    """Folders into which links of the data sets may lead, beside their own and the hub's cache."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies whose ``X-Forwarded-For`` is believed."""
    allow_hosts: tuple[str, ...] = ()
    """Names under which the service answers, beside loopback's and its own addresses; "*": any."""

    def __post_init__(self) -> None:
        if self.rate is not None and not self.rate > 0:
            raise InvalidInputError(f"rate {self.rate}: must be above 0, or left out")
        if min(self.requests_at_once, self.requests_at_once_each) < 1:
            raise InvalidInputError("requests at once: at least 1 must be let in")
        if not 0 < self.query_seconds < 3600:
            raise InvalidInputError(f"query seconds {self.query_seconds}: must be above 0 and below an hour")
        if self.public and self.access is None:
            raise InvalidInputError("public data sets: without a file of tokens all are; give --access FILE")

    def open_access(self) -> AccessFile | None:
        """The tokens. Raises InvalidInputError or IntegrityError where the file is not one."""
        return None if self.access is None else AccessFile(self.access)

    def open_peers(self) -> Peers:
        """Whose headers are believed. Raises InvalidInputError where a proxy is no address."""
        return Peers.named(self.trusted_proxies, self.allow_hosts)

    def open_rate(self) -> Rate | None:
        """The bound on how often."""
        return None if self.rate is None else Rate(self.rate)

    def open_gate(self) -> Gate:
        """The bound on how many."""
        return Gate(self.requests_at_once, self.requests_at_once_each)
