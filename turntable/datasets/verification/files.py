"""Verification of the files beside the shards: table, lists, card, Croissant file and contact sheet."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from turntable.datasets.describing import (
    CARD_NAME,
    CROISSANT_NAME,
    MAX_DESCRIPTION_BYTES,
    SHEET_NAME,
    parse_croissant_digests,
)
from turntable.datasets.files import TEMPORARY_SUFFIX, FolderFiles, decode_jpeg
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.objects import (
    QUARANTINE_NAME,
    WARNINGS_NAME,
    format_quarantine,
    format_warnings,
    parse_quarantine,
    parse_warnings,
)
from turntable.datasets.shards import (
    INDEX_SUFFIX,
    LABELS_TABLE_NAME,
    SHARD_SUFFIX,
    ShardReader,
    ShardRecord,
    build_shard_table,
    make_shard_name,
)
from turntable.datasets.writing import make_table_context
from turntable.errors import IntegrityError, TurntableError

_EDITED = "not as it was written: cut or edited"
_TEXT_COLUMNS = ["object", "key", "category", "split", "shard", "licence", "source_sha256"]
"""Columns of the table that are read as dictionaries, since their texts repeat in many rows."""
REWRITE_REMEDY = "run the command that made the data set again, and it writes the file anew"
"""Advice that ends the messages about such a file."""


def find_file_problems(
    files: FolderFiles, manifest: Manifest, objects: Iterable[str], *, deep: bool
) -> Iterator[str]:
    """Yield the problems of the card, the Croissant file, the two lists and the contact sheet.

    Each must exist, be whole, and belong to this data set.

    Args:
        files: Files of the data set.
        manifest: Manifest of the data set.
        objects: Ids of its objects.
        deep: True to also decode the contact sheet.
    """
    object_ids = set(objects)
    checks = [
        (CARD_NAME, _find_card_problems),
        (CROISSANT_NAME, _find_croissant_problems),
        (QUARANTINE_NAME, partial(_find_quarantine_problems, objects=object_ids)),
        (WARNINGS_NAME, partial(_find_warning_problems, objects=object_ids)),
        *([(SHEET_NAME, _find_sheet_problems)] if deep and manifest.has_pictures else []),
    ]
    for name, check in checks:
        display_name = files.format_name(name)
        try:
            data = files.read(name, MAX_DESCRIPTION_BYTES)
            if data is None:
                yield f"{display_name}: missing; {REWRITE_REMEDY}"
            else:
                yield from (
                    f"{display_name}: {problem}; {REWRITE_REMEDY}"
                    for problem in check(data, files, manifest, name)
                )
        except TurntableError as error:
            yield str(error)
    if not deep and manifest.has_pictures:
        yield from _find_missing_sheet(files)


def _find_missing_sheet(files: FolderFiles) -> Iterator[str]:
    try:
        if files.get_size(SHEET_NAME) is None:
            yield f"{files.format_name(SHEET_NAME)}: missing; {REWRITE_REMEDY}"
    except TurntableError as error:
        yield str(error)


def find_table_problems(files: FolderFiles, manifest: Manifest) -> Iterator[str]:
    """Yield the problems of ``labels.parquet``, whose columns are compared with those of the shards."""
    import pyarrow as pa
    from pyarrow import parquet

    display_name = files.format_name(LABELS_TABLE_NAME)
    try:
        table = files.open(LABELS_TABLE_NAME)
        if table is None:
            yield f"{display_name}: missing; {REWRITE_REMEDY}"
            return
        with table, parquet.ParquetFile(table, read_dictionary=_TEXT_COLUMNS) as file:
            if file.num_row_groups != len(manifest.shards):
                yield (
                    f"{display_name}: {file.num_row_groups} row groups for {len(manifest.shards)} shards; "
                    f"{REWRITE_REMEDY}"
                )
                return
            for number, shard in enumerate(manifest.shards):
                wrong_columns = _find_wrong_columns(file, number, files, manifest, shard)
                if wrong_columns:
                    name = f"{shard.split}/{shard.name}"
                    yield (
                        f"{display_name}: {', '.join(wrong_columns)}: not those of the shards, first in "
                        f"{name}; {REWRITE_REMEDY}"
                    )
                    return
    except TurntableError as error:
        yield str(error)
    except (pa.ArrowException, KeyError, OSError, ValueError, OverflowError, MemoryError) as error:
        yield f"{display_name}: cannot be read ({error}); {REWRITE_REMEDY}"


def find_stray_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield the files beside the shards that the manifest does not name, and what killed processes left."""
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


def _find_card_problems(data: bytes, files: FolderFiles, manifest: Manifest, name: str) -> Iterator[str]:
    del files, name
    # People may edit a card. It must still belong to this data set.
    if manifest.fingerprint.encode() not in data:
        yield "does not name this data set's fingerprint"


def _find_croissant_problems(data: bytes, files: FolderFiles, manifest: Manifest, name: str) -> Iterator[str]:
    del name
    try:
        stated = parse_croissant_digests(data)
    except ValueError as error:
        yield f"not a croissant file ({error})"
        return
    expected = {make_shard_name(shard): shard.sha256 for shard in manifest.shards}
    for name_beside in (MANIFEST_NAME, LABELS_TABLE_NAME):
        file = files.open(name_beside)
        if file is not None:
            with file:
                expected[name_beside] = hashlib.file_digest(file, "sha256").hexdigest()
    wrong = sorted(name for name in {*stated, *expected} if stated.get(name) != expected.get(name))
    if wrong:
        yield f"other files or digests than the data set has: {', '.join(wrong[:5])}"


def _find_quarantine_problems(
    data: bytes, files: FolderFiles, manifest: Manifest, name: str, *, objects: set[str]
) -> Iterator[str]:
    """Yield the problems of the list of objects that were left out: none of them is in the data set."""
    del files, name
    try:
        text = data.decode("utf-8")
        records = parse_quarantine(_split_lines(text))
    except ValueError as error:
        yield str(error)
        return
    if text != format_quarantine(records):
        yield _EDITED
    if len(records) != manifest.quarantined:
        yield f"{len(records)} objects, the manifest says {manifest.quarantined}"
    if wrong := sorted({record.object for record in records} & objects):
        yield f"names objects that are in the data set: {', '.join(wrong[:5])}"


def _find_warning_problems(
    data: bytes, files: FolderFiles, manifest: Manifest, name: str, *, objects: set[str]
) -> Iterator[str]:
    """Yield the problems of the list of warnings: each is about the folder or an object of the data set."""
    del files, manifest, name
    try:
        text = data.decode("utf-8")
        records = parse_warnings(_split_lines(text))
    except ValueError as error:
        yield str(error)
        return
    if text != format_warnings(records):
        yield _EDITED
    if wrong := sorted({record.object for record in records} - objects - {""}):
        yield f"names objects that are not in the data set: {', '.join(wrong[:5])}"


def _split_lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _find_sheet_problems(data: bytes, files: FolderFiles, manifest: Manifest, name: str) -> Iterator[str]:
    del files, manifest, name
    try:
        decode_jpeg(data)
    except IntegrityError as error:
        yield str(error)


def _find_wrong_columns(
    file: Any, group: int, files: FolderFiles, manifest: Manifest, shard: ShardRecord
) -> list[str]:
    """Return the names of a row group's columns that differ from those of its shard."""
    open_shard = partial(ShardReader.from_folder, files)
    expected = build_shard_table(shard, open_shard, make_table_context(manifest))
    names = file.schema_arrow.names
    if names != expected.column_names:
        return sorted({*names} ^ {*expected.column_names}) or ["the order of its columns"]
    if file.metadata.row_group(group).num_rows != expected.num_rows:
        return ["the number of its rows"]
    row_group = file.read_row_group(group)
    return [name for name in names if not _is_same_column(row_group[name], expected[name])]


def _is_same_column(found: Any, expected: Any) -> bool:
    """Return True if two columns are equal, numbers to the bit."""
    import pyarrow as pa

    if found.null_count:
        return False
    if pa.types.is_dictionary(found.type):
        return _has_same_texts(found, expected)
    if found.type != expected.type:
        return False
    if pa.types.is_floating(expected.type):
        arrays = [cast("np.ndarray", column.to_numpy()) for column in (found, expected)]
        return arrays[0].tobytes() == arrays[1].tobytes()
    return bool(found.equals(expected))


def _has_same_texts(found: Any, expected: Any) -> bool:
    """Return True if two columns have the same texts, whatever numbers their dictionaries give them.

    The numbers are compared and not the texts: a long text in every row would fill the memory if it were
    expanded.
    """
    import pyarrow as pa

    combined = expected.combine_chunks()
    combined = combined if pa.types.is_dictionary(combined.type) else combined.dictionary_encode()
    numbers = {text: position for position, text in enumerate(combined.dictionary.to_pylist())}
    start = 0
    for chunk in found.chunks:
        found_numbers = np.array(
            [numbers.get(text, -1) for text in chunk.dictionary.to_pylist()], dtype=np.int64
        )
        expected_numbers = combined.indices[start : start + len(chunk)].to_numpy()
        if not np.array_equal(found_numbers[chunk.indices.to_numpy()], expected_numbers):
            return False
        start += len(chunk)
    return True
