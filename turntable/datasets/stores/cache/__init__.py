"""A cache of whole files on this node, shared by all its processes."""

from turntable.datasets.stores.cache.fetched_file import fetch_to_path
from turntable.datasets.stores.cache.safe_folder import is_writable_by_others
from turntable.datasets.stores.cache.shard_cache import CacheChoice, ShardCache, make_default_cache

__all__ = [
    "CacheChoice",
    "ShardCache",
    "fetch_to_path",
    "is_writable_by_others",
    "make_default_cache",
]
