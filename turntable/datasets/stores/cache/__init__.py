"""A cache of whole files on this node, shared by all its processes."""

from turntable.datasets.stores.cache.held_folder import others_may_write
from turntable.datasets.stores.cache.shards import CacheChoice, ShardCache, default_cache

__all__ = [
    "CacheChoice",
    "ShardCache",
    "default_cache",
    "others_may_write",
]
