"""Settings of a service."""

from dataclasses import dataclass
from pathlib import Path

from turntable.errors import InvalidInputError
from turntable.service.queries import QUERY_TIMEOUT_S
from turntable.service.rendering import RenderSettings
from turntable.service.security import (
    AccessFile,
    ConcurrencyLimiter,
    NetworkPolicy,
    OriginPolicy,
    RateLimiter,
)


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Settings of a service: access, limits, rendering and the network.

    Raises:
        InvalidInputError: A limit is not positive, or public data sets are named without a file of tokens.
    """

    access_file: Path | None = None
    """Path of the file of tokens; None to open everything to anyone who can connect."""
    public_datasets: tuple[str, ...] = ()
    """Names of data sets that anyone may read without a token; "*" for all."""
    max_requests_per_second: float | None = None
    """Average number of requests per second that one client may send; None for no limit."""
    max_concurrent_requests: int = 1000
    """Number of requests answered at the same time, of all clients together."""
    max_concurrent_requests_per_client: int = 200
    """Number of requests answered at the same time for one client: a token, or an address without one."""
    render_settings: RenderSettings | None = None
    """Settings of rendering on request; None to render nothing."""
    query_timeout_s: float = QUERY_TIMEOUT_S
    """Seconds that evaluating a condition may take; then its process is killed."""
    links_under: tuple[Path, ...] = ()
    """Folders that symbolic links in the data sets may point into, besides their own and the hub's cache."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of the proxies whose ``X-Forwarded-For`` is trusted."""
    allow_hosts: tuple[str, ...] = ()
    """Host names that the service answers to, besides loopback and its own addresses; "*" for any."""
    root_path: str = ""
    """Path under which a proxy offers the service, such as "/user/ada/proxy/8765"; empty for none."""
    allow_origins: tuple[str, ...] = ()
    """Origins whose pages may read responses, such as "https://hub.example.org"; "*" for public data."""

    def __post_init__(self) -> None:
        if self.max_requests_per_second is not None and not self.max_requests_per_second > 0:
            raise InvalidInputError(
                f"rate {self.max_requests_per_second}: must be above 0, or left out for no limit"
            )
        if min(self.max_concurrent_requests, self.max_concurrent_requests_per_client) < 1:
            raise InvalidInputError("requests at once, in all and of one client: must be at least 1")
        if not 0 < self.query_timeout_s < 3600:
            raise InvalidInputError(f"query seconds {self.query_timeout_s}: must be above 0 and below 3600")
        if self.public_datasets and self.access_file is None:
            raise InvalidInputError(
                "public data sets: without a file of tokens every data set is public; give --access FILE too"
            )

    def open_access(self) -> AccessFile | None:
        """Open the file of tokens; None if the service has none.

        Raises:
            InvalidInputError: The file is missing.
            IntegrityError: The file is not a file of tokens.
        """
        return None if self.access_file is None else AccessFile(self.access_file)

    def make_network_policy(self) -> NetworkPolicy:
        """Return the proxies, host names and prefix. Raises InvalidInputError if one is malformed."""
        return NetworkPolicy.from_names(self.trusted_proxies, self.allow_hosts, self.root_path)

    def make_origin_policy(self) -> OriginPolicy:
        """Return the origins that are allowed. Raises InvalidInputError if one is malformed."""
        return OriginPolicy.from_names(self.allow_origins)

    def make_rate_limiter(self) -> RateLimiter | None:
        """Return the limiter of requests per second; None if there is no limit."""
        return None if self.max_requests_per_second is None else RateLimiter(self.max_requests_per_second)

    def make_concurrency_limiter(self) -> ConcurrencyLimiter:
        """Return the limiter of requests answered at the same time."""
        return ConcurrencyLimiter(self.max_concurrent_requests, self.max_concurrent_requests_per_client)
