"""Shards: tar archives with an index, and the table of all labels."""

from turntable.datasets.shards.index import INDEX_SUFFIX, ShardIndex, find_index, texts_of
from turntable.datasets.shards.places import Cached, Folder, IndexSize, ShardPlace, Streamed
from turntable.datasets.shards.reader import (
    OpenShard,
    ShardReader,
    index_name,
    local_shards,
    shard_name,
    store_shards,
)
from turntable.datasets.shards.table import COLUMNS, TABLE_NAME, TableContext, shard_table, write_table
from turntable.datasets.shards.tar import REMEDY, TarMember, scan_tar
from turntable.datasets.shards.writer import SHARD_SUFFIX, ShardRecord, ShardWriter, committed_shard

__all__ = [
    "COLUMNS",
    "INDEX_SUFFIX",
    "REMEDY",
    "SHARD_SUFFIX",
    "TABLE_NAME",
    "Cached",
    "Folder",
    "IndexSize",
    "OpenShard",
    "ShardIndex",
    "ShardPlace",
    "ShardReader",
    "ShardRecord",
    "ShardWriter",
    "Streamed",
    "TableContext",
    "TarMember",
    "committed_shard",
    "find_index",
    "index_name",
    "local_shards",
    "scan_tar",
    "shard_name",
    "shard_table",
    "store_shards",
    "texts_of",
    "write_table",
]
