"""labels.parquet: one row a view, for queries by those who never open a shard."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from turntable.datasets.labels import LabelArray, LabelSchema
from turntable.datasets.shard_reader import ShardReader
from turntable.datasets.shard_writer import SHARD_SUFFIX
from turntable.datasets.storage import atomic_file

TABLE_NAME = "labels.parquet"


def write_table(path: Path, shards: Sequence[Path], schema: LabelSchema, categories: Sequence[str]) -> None:
    """Write the table of all views, a row group a shard, atomically.

    Columns: object, key, category, category_index, split, view, each factor by its name, shard (path inside
    the data set), offset and size (bytes of the JPEG in the shard), crc32.

    Args:
        path: of the table.
        shards: paths of the shards in order, each in the folder of its split.
        schema: the label columns.
        categories: sorted names; a category's place is its class number.
    """
    with atomic_file(path) as file:
        _write_groups(file, shards, schema, categories)


def read_labels(path: Path, schema: LabelSchema) -> Iterator[LabelArray]:
    """The factors as the table has them, float32 [rows, L], one piece a shard, in its order.

    Raises:
        KeyError, OSError or ValueError: the file is not such a table.
    """
    from pyarrow import parquet

    with parquet.ParquetFile(path) as table:
        for group in range(table.num_row_groups):
            columns = table.read_row_group(group, columns=list(schema.names))
            yield np.stack([columns[name].to_numpy().astype(np.float32) for name in schema.names], axis=-1)


def _write_groups(
    file: BinaryIO, shards: Sequence[Path], schema: LabelSchema, categories: Sequence[str]
) -> None:
    # Here, not above: pyarrow takes a tenth of a second to import, and readers of shards never need it.
    import pyarrow as pa
    from pyarrow import parquet

    writer = None
    try:
        for shard in shards:
            table = pa.table(_columns(shard, schema, categories))
            writer = writer or parquet.ParquetWriter(file, table.schema)
            writer.write_table(table, row_group_size=len(table))
    finally:
        if writer is not None:
            writer.close()


def _columns(path: Path, schema: LabelSchema, categories: Sequence[str]) -> dict[str, Any]:
    with ShardReader(path) as reader:
        index, records = reader.index, reader.records()
        objects, views = index.offset.shape
        class_numbers = [categories.index(record.category) for record in records]
        split = path.parent.name
        return {
            "object": np.repeat([record.id for record in records], views),
            "key": np.repeat([record.key for record in records], views),
            "category": np.repeat([record.category for record in records], views),
            "category_index": np.repeat(np.array(class_numbers, dtype=np.int32), views),
            "split": np.repeat([split], objects * views),
            "view": np.tile(np.arange(views, dtype=np.int32), objects),
            **{name: index.latents[..., column].ravel() for column, name in enumerate(schema.names)},
            "shard": np.repeat([f"{split}/{path.stem}{SHARD_SUFFIX}"], objects * views),
            "offset": index.offset.ravel(),
            "size": index.size.ravel(),
            "crc32": index.crc32.ravel(),
        }
