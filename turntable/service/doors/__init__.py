"""The doors of the service: who asks, how often, and what they may have."""

from turntable.service.doors.connections import ZERO_COPY, BoundedConnection
from turntable.service.doors.guard import COOKIE, Guard, Need, asker_of_request, dataset_in
from turntable.service.doors.headers import Careful
from turntable.service.doors.limits import Gate, Rate
from turntable.service.doors.peers import KnownPeers, Peers
from turntable.service.doors.requests import (
    MOST_ITEMS,
    Asked,
    PlainSchema,
    Whole,
    checked,
    said_in,
    schema_of,
)
from turntable.service.doors.tokens import AccessFile, new_access, read_access, write_access

__all__ = [
    "COOKIE",
    "MOST_ITEMS",
    "ZERO_COPY",
    "AccessFile",
    "Asked",
    "BoundedConnection",
    "Careful",
    "Gate",
    "Guard",
    "KnownPeers",
    "Need",
    "Peers",
    "PlainSchema",
    "Rate",
    "Whole",
    "asker_of_request",
    "checked",
    "dataset_in",
    "new_access",
    "read_access",
    "said_in",
    "schema_of",
    "write_access",
]
