"""labels.parquet: one row a view, for queries by those who never open a shard."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import atomic_file
from turntable.datasets.labels import LabelSchema
from turntable.datasets.shards.reader import OpenShard
from turntable.datasets.shards.writer import SHARD_SUFFIX, ShardRecord

TABLE_NAME = "labels.parquet"

COLUMNS: dict[str, str] = {
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
"""What each column is, besides the factors, which stand between "view" and "shard"."""


@dataclass(frozen=True, slots=True)
class TableContext:
    """What the table says of every shard alike."""

    schema: LabelSchema
    categories: tuple[str, ...]
    """Sorted names; a category's place is its class number."""
    licence: str = ""
    """Of objects that have none of their own."""


def write_table(
    path: Path, shards: Sequence[ShardRecord], open_shard: OpenShard, context: TableContext
) -> None:
    """Write the table of all views, a row group a shard, atomically.

    Args:
        path: of the table.
        shards: in order.
        open_shard: opens them.
        context: what is the same for all.
    """
    with atomic_file(path) as file:
        _write_groups(file, shards, open_shard, context)


def shard_table(shard: ShardRecord, open_shard: OpenShard, context: TableContext) -> Any:
    """The rows of one shard, as a ``pyarrow.Table``: views of an object stand together, in order."""
    import pyarrow as pa

    return pa.table(_columns(shard, open_shard, context))


def _write_groups(
    file: BinaryIO, shards: Sequence[ShardRecord], open_shard: OpenShard, context: TableContext
) -> None:
    # Here, not above: pyarrow takes a tenth of a second to import, and readers of shards never need it.
    from pyarrow import parquet

    writer = None
    try:
        for shard in shards:
            table = shard_table(shard, open_shard, context)
            writer = writer or parquet.ParquetWriter(file, table.schema)
            writer.write_table(table, row_group_size=len(table))
    finally:
        if writer is not None:
            writer.close()


def _columns(shard: ShardRecord, open_shard: OpenShard, context: TableContext) -> dict[str, Any]:
    with open_shard(shard) as reader:
        index, records = reader.index, reader.records()
    objects, views = index.offset.shape
    place = {name: number for number, name in enumerate(context.categories)}
    class_numbers = [place[record.category] for record in records]
    return {
        "object": np.repeat([record.id for record in records], views),
        "key": np.repeat([record.key for record in records], views),
        "category": np.repeat([record.category for record in records], views),
        "category_index": np.repeat(np.array(class_numbers, dtype=np.int32), views),
        "split": np.repeat([shard.split], objects * views),
        "view": np.tile(np.arange(views, dtype=np.int32), objects),
        **{name: index.latents[..., at].ravel() for at, name in enumerate(context.schema.names)},
        "shard": np.repeat([f"{shard.split}/{shard.name}{SHARD_SUFFIX}"], objects * views),
        "offset": index.offset.ravel(),
        "size": index.size.ravel(),
        "crc32": index.crc32.ravel(),
        "licence": _dictionary([record.licence or context.licence for record in records], views),
        "source_sha256": _dictionary([record.source_sha256 for record in records], views),
    }


def _dictionary(texts: Sequence[str], views: int) -> Any:
    """Texts of objects as a dictionary-encoded column of their views."""
    import pyarrow as pa

    distinct = sorted(set(texts))
    place = {text: number for number, text in enumerate(distinct)}
    numbers: NDArray[np.int32] = np.repeat(np.array([place[text] for text in texts], dtype=np.int32), views)
    return pa.DictionaryArray.from_arrays(numbers, pa.array(distinct, type=pa.string()))
