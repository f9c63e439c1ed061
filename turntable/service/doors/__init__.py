"""The doors of the service: who asks, how often, and what they may have."""

from turntable.service.doors.connections import ZERO_COPY, BoundedConnection
from turntable.service.doors.guard import COOKIE, Endpoint, Guard, Need, asker_of_request, dataset_in, guarded
from turntable.service.doors.headers import Careful
from turntable.service.doors.limits import Gate, Rate
from turntable.service.doors.peers import KnownPeers, Peers
from turntable.service.doors.requests import checked, json_body, number, numbers, render_query, texts
from turntable.service.doors.tokens import AccessFile, new_access, read_access, write_access

__all__ = [
    "COOKIE",
    "ZERO_COPY",
    "AccessFile",
    "BoundedConnection",
    "Careful",
    "Endpoint",
    "Gate",
    "Guard",
    "KnownPeers",
    "Need",
    "Peers",
    "Rate",
    "asker_of_request",
    "checked",
    "dataset_in",
    "guarded",
    "json_body",
    "new_access",
    "number",
    "numbers",
    "read_access",
    "render_query",
    "texts",
    "write_access",
]
