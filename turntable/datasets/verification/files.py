"""Verification of the files that stand beside the shards: table, lists, card, croissant, contact sheet."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from turntable.datasets.describing import CARD_NAME, CROISSANT_NAME, SHEET_NAME, stated_digests
from turntable.datasets.files import TEMPORARY_SUFFIX, FolderFiles, decode_jpeg
from turntable.datasets.making import table_context
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.objects import QUARANTINE_NAME, WARNINGS_NAME, parse_quarantine, quarantine_text
from turntable.datasets.shards import (
    INDEX_SUFFIX,
    SHARD_SUFFIX,
    TABLE_NAME,
    ShardReader,
    ShardRecord,
    shard_name,
    shard_table,
)
from turntable.errors import IntegrityError, TurntableError

MOST_BYTES = 64 << 20
"""The size of a file beside the shards, the table apart, at most."""
_TEXT_COLUMNS = ["object", "key", "category", "split", "shard", "licence", "source_sha256"]
AGAIN = "run the command that made the data set again, and it writes the file anew"


def check_files(
    files: FolderFiles, manifest: Manifest, objects: Iterable[str], *, deep: bool
) -> Iterator[str]:
    """The card, the croissant, the two lists and the sheet: present, whole, and of this data set.

    Args:
        files: of the data set.
        manifest: of the data set.
        objects: ids of its objects.
        deep: decode the contact sheet.
    """
    known = set(objects)
    checks = [
        (CARD_NAME, _check_card),
        (CROISSANT_NAME, _check_croissant),
        (QUARANTINE_NAME, partial(_check_list, objects=known)),
        (WARNINGS_NAME, partial(_check_list, objects=known)),
        *([(SHEET_NAME, _check_sheet)] if deep else []),
    ]
    for name, check in checks:
        where = files.name_of(name)
        try:
            data = files.read(name, MOST_BYTES)
            if data is None:
                yield f"{where}: missing; {AGAIN}"
            else:
                yield from (f"{where}: {problem}; {AGAIN}" for problem in check(data, files, manifest, name))
        except TurntableError as error:
            yield str(error)
    if not deep:
        yield from _check_sheet_is_there(files)


def _check_sheet_is_there(files: FolderFiles) -> Iterator[str]:
    try:
        if files.size(SHEET_NAME) is None:
            yield f"{files.name_of(SHEET_NAME)}: missing; {AGAIN}"
    except TurntableError as error:
        yield str(error)


def check_table(files: FolderFiles, manifest: Manifest) -> Iterator[str]:
    """Every column of ``labels.parquet`` against the shards, whose indices are taken as right."""
    import pyarrow as pa
    from pyarrow import parquet

    where = files.name_of(TABLE_NAME)
    try:
        opened = files.open(TABLE_NAME)
        if opened is None:
            yield f"{where}: missing; {AGAIN}"
            return
        with opened, parquet.ParquetFile(opened, read_dictionary=_TEXT_COLUMNS) as file:
            if file.num_row_groups != len(manifest.shards):
                yield f"{where}: {file.num_row_groups} row groups for {len(manifest.shards)} shards; {AGAIN}"
                return
            for number, shard in enumerate(manifest.shards):
                wrong = _wrong_columns(file, number, files, manifest, shard)
                if wrong:
                    name = f"{shard.split}/{shard.name}"
                    yield f"{where}: {', '.join(wrong)}: not those of the shards, first in {name}; {AGAIN}"
                    return
    except TurntableError as error:
        yield str(error)
    except (pa.ArrowException, KeyError, OSError, ValueError, OverflowError, MemoryError) as error:
        yield f"{where}: cannot be read ({error}); {AGAIN}"


def stray_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Files beside the shards that the manifest does not name, and what killed processes left."""
    known = {
        folder / shard.split / f"{shard.name}{suffix}"
        for shard in manifest.shards
        for suffix in (SHARD_SUFFIX, INDEX_SUFFIX)
    }
    folders = {item.parent for item in known}
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(TEMPORARY_SUFFIX):
            yield f"{path}: left by a process that was killed; remove it"
        elif path not in known and path.parent in folders:
            yield f"{path}: not in the manifest; remove it, or fetch the manifest that names it"


def _check_card(data: bytes, files: FolderFiles, manifest: Manifest, name: str) -> Iterator[str]:
    del files, name
    # People may add to a card; it must only be of this data set.
    if manifest.fingerprint.encode() not in data:
        yield "does not name this data set's fingerprint"


def _check_croissant(data: bytes, files: FolderFiles, manifest: Manifest, name: str) -> Iterator[str]:
    del name
    try:
        stated = stated_digests(data)
    except ValueError as error:
        yield f"not a croissant file ({error})"
        return
    expected = {shard_name(shard): shard.sha256 for shard in manifest.shards}
    for beside in (MANIFEST_NAME, TABLE_NAME):
        file = files.open(beside)
        if file is not None:
            with file:
                expected[beside] = hashlib.file_digest(file, "sha256").hexdigest()
    wrong = sorted(name for name in {*stated, *expected} if stated.get(name) != expected.get(name))
    if wrong:
        yield f"other files or digests than the data set has: {', '.join(wrong[:5])}"


def _check_list(
    data: bytes, files: FolderFiles, manifest: Manifest, name: str, *, objects: set[str]
) -> Iterator[str]:
    """A list of objects that were left out, which are none of the data set's; or kept with a warning."""
    del files
    try:
        text = data.decode("utf-8")
        records = parse_quarantine(text.removesuffix("\n").split("\n") if text else ())
    except ValueError as error:
        yield str(error)
        return
    if text != quarantine_text(records):
        yield "not as it was written: cut or edited"
    named = {record.object for record in records}
    left_out = name == QUARANTINE_NAME
    if left_out and len(records) != manifest.quarantined:
        yield f"{len(records)} objects, the manifest says {manifest.quarantined}"
    wrong = sorted(named & objects if left_out else named - objects)
    if wrong:
        yield f"names objects that are {'in' if left_out else 'not in'} the data set: {', '.join(wrong[:5])}"


def _check_sheet(data: bytes, files: FolderFiles, manifest: Manifest, name: str) -> Iterator[str]:
    del files, manifest, name
    try:
        decode_jpeg(data)
    except IntegrityError as error:
        yield str(error)


def _wrong_columns(
    file: Any, group: int, files: FolderFiles, manifest: Manifest, shard: ShardRecord
) -> list[str]:
    """The columns of a row group that are not those of its shard."""
    open_shard = partial(ShardReader.of_folder, files)
    expected = shard_table(shard, open_shard, table_context(manifest))
    names = file.schema_arrow.names
    if names != expected.column_names:
        return sorted({*names} ^ {*expected.column_names}) or ["the order of its columns"]
    if file.metadata.row_group(group).num_rows != expected.num_rows:
        return ["the number of its rows"]
    found = file.read_row_group(group)
    return [name for name in names if not _equal(found[name], expected[name])]


def _equal(found: Any, expected: Any) -> bool:
    """Whether two columns are the same, to the bit where they are numbers."""
    import pyarrow as pa

    if found.null_count:
        return False
    if pa.types.is_dictionary(found.type):
        return _same_texts(found, expected)
    if found.type != expected.type:
        return False
    if pa.types.is_floating(expected.type):
        arrays = [cast("np.ndarray", column.to_numpy()) for column in (found, expected)]
        return arrays[0].tobytes() == arrays[1].tobytes()
    return bool(found.equals(expected))


def _same_texts(found: Any, expected: Any) -> bool:
    """Whether two columns have the same texts, each of which may number them in its own way.

    They are compared by number: written out, a long text that a table names in every row fills the memory.
    """
    import pyarrow as pa

    whole = expected.combine_chunks()
    whole = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    number = {text: at for at, text in enumerate(whole.dictionary.to_pylist())}
    start = 0
    for chunk in found.chunks:
        ours = np.array([number.get(text, -1) for text in chunk.dictionary.to_pylist()], dtype=np.int64)
        theirs = whole.indices[start : start + len(chunk)].to_numpy()
        if not np.array_equal(ours[chunk.indices.to_numpy()], theirs):
            return False
        start += len(chunk)
    return True
