"""The data sets of a service (``turntable serve``), for whoever gave its address in their place."""

import json
from typing import Any
from urllib.parse import quote, urlsplit

from turntable.datasets.stores.protocol import Store
from turntable.datasets.stores.web.store import HttpStore
from turntable.errors import StoreError, is_plain

_MAX_LISTING_BYTES = 4 << 20
_MAX_SHOWN = 5
"""Number of data sets that a message names at most."""


def list_served_urls(store: Store) -> list[str]:
    """Return the URLs of five data sets at most that a service at a store's URL offers."""
    if not isinstance(store, HttpStore):
        return []
    root = store.url.removesuffix("/datasets")
    try:
        data = store.with_path(urlsplit(root).path).read("datasets", _MAX_LISTING_BYTES)
        table: Any = json.loads(data or b"[]")
    except (StoreError, ValueError, RecursionError):
        return []
    lines: list[Any] = table if isinstance(table, list) else []
    names = [line["name"] for line in lines if _is_usable(line)]
    return [f"{root}/datasets/{quote(name)}" for name in names[:_MAX_SHOWN]]


def _is_usable(line: Any) -> bool:
    """Return True if a line of the listing names a data set that can be read."""
    name: Any = line.get("name") if isinstance(line, dict) and "problem" not in line else None
    return isinstance(name, str) and 0 < len(name) <= 200 and is_plain(name)
