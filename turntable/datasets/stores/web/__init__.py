"""Stores on a web server, and the tokens that give access to them."""

from turntable.datasets.stores.web.addresses import parse_origin
from turntable.datasets.stores.web.served_datasets import list_served_urls
from turntable.datasets.stores.web.store import HttpStore
from turntable.datasets.stores.web.tokens import delete_token, parse_token, write_token

__all__ = [
    "HttpStore",
    "delete_token",
    "list_served_urls",
    "parse_origin",
    "parse_token",
    "write_token",
]
