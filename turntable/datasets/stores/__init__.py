"""Where a data set's files lie: one small interface over a folder and over an object store."""

from turntable.datasets.stores.journal import open_journal
from turntable.datasets.stores.local import LocalStore
from turntable.datasets.stores.opening import is_url, open_store
from turntable.datasets.stores.own_stores import register_store
from turntable.datasets.stores.protocol import Download, Store, too_long
from turntable.datasets.stores.receiving import spool

__all__ = [
    "Download",
    "LocalStore",
    "Store",
    "is_url",
    "open_journal",
    "open_store",
    "register_store",
    "spool",
    "too_long",
]
