"""Security of the service: tokens, permissions, limits, trusted proxies, and the parsing of requests."""

from turntable.service.security.authorization import (
    CLIENT_KEY,
    TOKEN_COOKIE,
    AccessMiddleware,
    Permission,
    get_client,
    parse_dataset_url,
)
from turntable.service.security.connections import ZERO_COPY, BoundedConnection
from turntable.service.security.cross_origin import CrossOriginMiddleware, OriginPolicy
from turntable.service.security.headers import SecurityHeadersMiddleware
from turntable.service.security.network import NetworkMiddleware, NetworkPolicy
from turntable.service.security.path_prefixes import make_location
from turntable.service.security.rate_limits import ConcurrencyLimiter, RateLimiter
from turntable.service.security.request_params import (
    MAX_ITEMS,
    NonNegativeInt,
    PlainSchema,
    RequestParams,
    get_schema,
    parse_params,
    read_params,
)
from turntable.service.security.tokens import AccessFile, TokenRecord, make_access, read_access, write_access

__all__ = [
    "CLIENT_KEY",
    "MAX_ITEMS",
    "TOKEN_COOKIE",
    "ZERO_COPY",
    "AccessFile",
    "AccessMiddleware",
    "BoundedConnection",
    "ConcurrencyLimiter",
    "CrossOriginMiddleware",
    "NetworkMiddleware",
    "NetworkPolicy",
    "NonNegativeInt",
    "OriginPolicy",
    "Permission",
    "PlainSchema",
    "RateLimiter",
    "RequestParams",
    "SecurityHeadersMiddleware",
    "TokenRecord",
    "get_client",
    "get_schema",
    "make_access",
    "make_location",
    "parse_dataset_url",
    "parse_params",
    "read_access",
    "read_params",
    "write_access",
]
