"""Shards (tar archives, each with an index), their storage, and the table of all labels."""

from turntable.datasets.shards.index import (
    INDEX_SUFFIX,
    ShardIndex,
    decode_texts,
    open_folder_index,
)
from turntable.datasets.shards.labels_parquet import (
    LABELS_TABLE_COLUMNS,
    LABELS_TABLE_NAME,
    TableContext,
    build_shard_table,
    compute_max_table_bytes,
    write_labels_parquet,
)
from turntable.datasets.shards.reader import (
    ShardOpener,
    ShardReader,
    make_folder_opener,
    make_index_name,
    make_shard_name,
    make_store_opener,
)
from turntable.datasets.shards.storage import (
    CachedStorage,
    FolderStorage,
    IndexSizeLimit,
    ShardStorage,
    StreamedStorage,
)
from turntable.datasets.shards.tar import SHARD_REMEDY, TarMember, iter_tar_members
from turntable.datasets.shards.writer import SHARD_SUFFIX, ShardRecord, ShardWriter, find_committed_shard

__all__ = [
    "INDEX_SUFFIX",
    "LABELS_TABLE_COLUMNS",
    "LABELS_TABLE_NAME",
    "SHARD_REMEDY",
    "SHARD_SUFFIX",
    "CachedStorage",
    "FolderStorage",
    "IndexSizeLimit",
    "ShardIndex",
    "ShardOpener",
    "ShardReader",
    "ShardRecord",
    "ShardStorage",
    "ShardWriter",
    "StreamedStorage",
    "TableContext",
    "TarMember",
    "build_shard_table",
    "compute_max_table_bytes",
    "decode_texts",
    "find_committed_shard",
    "iter_tar_members",
    "make_folder_opener",
    "make_index_name",
    "make_shard_name",
    "make_store_opener",
    "open_folder_index",
    "write_labels_parquet",
]
