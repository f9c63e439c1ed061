"""Where a data set's files lie: one small interface over a folder and over an object store."""

from turntable.datasets.stores.cache import ShardCache
from turntable.datasets.stores.http import HttpStore
from turntable.datasets.stores.journal import Journal, open_journal
from turntable.datasets.stores.local import LocalStore
from turntable.datasets.stores.objects import ObjectStore
from turntable.datasets.stores.opening import is_url, open_store
from turntable.datasets.stores.protocol import Store

__all__ = [
    "HttpStore",
    "Journal",
    "LocalStore",
    "ObjectStore",
    "ShardCache",
    "Store",
    "is_url",
    "open_journal",
    "open_store",
]
