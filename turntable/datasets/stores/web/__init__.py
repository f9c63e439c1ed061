"""Stores behind a web server, and the tokens that open them."""

from turntable.datasets.stores.web.origins import origin_of
from turntable.datasets.stores.web.store import HttpStore
from turntable.datasets.stores.web.tokens import checked_token, forget_token, keep_token

__all__ = [
    "HttpStore",
    "checked_token",
    "forget_token",
    "keep_token",
    "origin_of",
]
