"""The table ``labels.parquet`` with one row per view, for queries that need no shard."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import open_atomic_file
from turntable.datasets.labels import LabelSchema
from turntable.datasets.shards.reader import ShardOpener
from turntable.datasets.shards.writer import SHARD_SUFFIX, ShardRecord

_MAX_TABLE_BYTES, _MAX_ROW_BYTES = 64 << 20, 1 << 10
"""Maximum size of a table: the first number, and the second for each view."""
LABELS_TABLE_NAME = "labels.parquet"

LABELS_TABLE_COLUMNS: dict[str, str] = {
    "object": "id of the object in its source",
    "key": "name of the object's members in its shard",
    "category": "class of the object",
    "category_index": "class number: the category's place among the sorted ones",
    "split": "train or val",
    "view": "number of the view of its object, from 0",
    "shard": "path of the archive inside the data set",
    "offset": "of the JPEG's first byte in the archive",
    "size": "bytes of the JPEG",
    "crc32": "of the JPEG",
    "licence": "of the object's mesh",
    "source_sha256": "digest of the object's mesh as it was read; empty where none was seen",
}
"""Description of each column but the factors, which stand between "view" and "shard".

The descriptions are written to cards and Croissant files.
"""


@dataclass(frozen=True, slots=True)
class TableContext:
    """The values of the table that are the same for every shard."""

    schema: LabelSchema
    categories: tuple[str, ...]
    """Sorted names. A category's number is its position here."""
    license: str = ""
    """License of objects that have none of their own."""


def write_labels_parquet(
    path: Path, shards: Sequence[ShardRecord], open_shard: ShardOpener, context: TableContext
) -> None:
    """Write the table of all views atomically, with one row group per shard.

    Args:
        path: Path of the table.
        shards: Shards in order.
        open_shard: Function that opens a shard.
        context: Values that are the same for all shards.
    """
    with open_atomic_file(path) as file:
        _write_row_groups(file, shards, open_shard, context)


def compute_max_table_bytes(num_views: int) -> int:
    """Return an upper bound on the bytes of the table of a number of views, for readers of untrusted ones."""
    return _MAX_TABLE_BYTES + _MAX_ROW_BYTES * num_views


def build_shard_table(shard: ShardRecord, open_shard: ShardOpener, context: TableContext) -> Any:
    """Return the rows of one shard as a ``pyarrow.Table``.

    The views of an object stand together, in order.
    """
    import pyarrow as pa

    return pa.table(_build_columns(shard, open_shard, context))


def _write_row_groups(
    file: BinaryIO, shards: Sequence[ShardRecord], open_shard: ShardOpener, context: TableContext
) -> None:
    # Imported here because it takes a tenth of a second, and readers of shards never need it.
    from pyarrow import parquet

    writer = None
    try:
        for shard in shards:
            table = build_shard_table(shard, open_shard, context)
            writer = writer or parquet.ParquetWriter(file, table.schema)
            writer.write_table(table, row_group_size=len(table))
    finally:
        if writer is not None:
            writer.close()


def _build_columns(shard: ShardRecord, open_shard: ShardOpener, context: TableContext) -> dict[str, Any]:
    with open_shard(shard) as reader:
        index, records = reader.index, reader.read_records()
    num_objects, num_views = index.offset.shape
    category_numbers = {name: number for number, name in enumerate(context.categories)}
    row_categories = [category_numbers[record.category] for record in records]
    return {
        "object": np.repeat([record.id for record in records], num_views),
        "key": np.repeat([record.key for record in records], num_views),
        "category": np.repeat([record.category for record in records], num_views),
        "category_index": np.repeat(np.array(row_categories, dtype=np.int32), num_views),
        "split": np.repeat([shard.split], num_objects * num_views),
        "view": np.tile(np.arange(num_views, dtype=np.int32), num_objects),
        **{name: index.latents[..., column].ravel() for column, name in enumerate(context.schema.names)},
        "shard": np.repeat([f"{shard.split}/{shard.name}{SHARD_SUFFIX}"], num_objects * num_views),
        "offset": index.offset.ravel(),
        "size": index.size.ravel(),
        "crc32": index.crc32.ravel(),
        "licence": _build_dictionary_column(
            [record.licence or context.license for record in records], num_views
        ),
        "source_sha256": _build_dictionary_column([record.source_sha256 for record in records], num_views),
    }


def _build_dictionary_column(texts: Sequence[str], num_views: int) -> Any:
    """Return one text per object as a dictionary-encoded column with one row per view."""
    import pyarrow as pa

    distinct = sorted(set(texts))  # sorted: the same data set always gives the same bytes
    numbers_by_text = {text: number for number, text in enumerate(distinct)}
    numbers: NDArray[np.int32] = np.repeat(
        np.array([numbers_by_text[text] for text in texts], dtype=np.int32), num_views
    )
    return pa.DictionaryArray.from_arrays(numbers, pa.array(distinct, type=pa.string()))
