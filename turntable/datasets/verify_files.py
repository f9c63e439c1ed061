"""Verification of the files that stand beside the shards: table, lists, card, croissant, contact sheet."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from turntable.datasets.assemble import table_context
from turntable.datasets.card import CARD_NAME
from turntable.datasets.contact_sheet import SHEET_NAME
from turntable.datasets.croissant import CROISSANT_NAME, stated_digests
from turntable.datasets.digests import file_sha256
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.pixels import decode_jpeg
from turntable.datasets.quarantine import QUARANTINE_NAME, WARNINGS_NAME, quarantine_text, read_quarantine
from turntable.datasets.shard_index import INDEX_SUFFIX
from turntable.datasets.shard_reader import local_shards
from turntable.datasets.shard_writer import SHARD_SUFFIX, ShardRecord
from turntable.datasets.storage import TEMPORARY_SUFFIX
from turntable.datasets.table import TABLE_NAME, shard_table
from turntable.errors import IntegrityError

AGAIN = "run the command that made the data set again, and it writes the file anew"


def check_files(folder: Path, manifest: Manifest, objects: Iterable[str], *, deep: bool) -> Iterator[str]:
    """The card, the croissant, the two lists and the sheet: present, whole, and of this data set.

    Args:
        folder: of the data set.
        manifest: of the data set.
        objects: ids of its objects.
        deep: decode the contact sheet.
    """
    known = set(objects)
    for check in (_check_card, _check_croissant):
        yield from _guarded(check, folder, manifest)
    yield from _check_lists(folder, manifest, known)
    path = folder / SHEET_NAME
    if not path.is_file():
        yield f"{path}: missing; {AGAIN}"
    elif deep:
        try:
            decode_jpeg(path.read_bytes())
        except IntegrityError as error:
            yield f"{path}: {error}; {AGAIN}"


def check_table(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Every column of ``labels.parquet`` against the shards, whose indices are taken as right."""
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / TABLE_NAME
    try:
        with parquet.ParquetFile(path) as file:
            if file.num_row_groups != len(manifest.shards):
                yield f"{path}: {file.num_row_groups} row groups for {len(manifest.shards)} shards; {AGAIN}"
                return
            for number, shard in enumerate(manifest.shards):
                wrong = _wrong_columns(file.read_row_group(number), folder, manifest, shard)
                if wrong:
                    name = f"{shard.split}/{shard.name}"
                    yield f"{path}: {', '.join(wrong)}: not those of the shards, first in {name}; {AGAIN}"
                    return
    except (pa.ArrowException, KeyError, OSError, ValueError) as error:
        yield f"{path}: cannot be read ({error}); {AGAIN}"


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


def _guarded(
    check: Callable[[Path, Manifest], Iterator[str]], folder: Path, manifest: Manifest
) -> Iterator[str]:
    """A check's problems, a file that cannot be read among them."""
    try:
        yield from check(folder, manifest)
    except FileNotFoundError as error:
        yield f"{error.filename}: missing; {AGAIN}"
    except (OSError, UnicodeDecodeError) as error:
        yield f"{folder}: a file cannot be read ({error}); {AGAIN}"


def _check_card(folder: Path, manifest: Manifest) -> Iterator[str]:
    # People may add to a card; it must only be of this data set.
    path = folder / CARD_NAME
    if manifest.fingerprint not in path.read_text(encoding="utf-8"):
        yield f"{path}: does not name this data set's fingerprint; {AGAIN}"


def _check_croissant(folder: Path, manifest: Manifest) -> Iterator[str]:
    path = folder / CROISSANT_NAME
    try:
        stated = stated_digests(path.read_text(encoding="utf-8"))
    except ValueError as error:
        yield f"{path}: not a croissant file ({error}); {AGAIN}"
        return
    expected = {f"{shard.split}/{shard.name}{SHARD_SUFFIX}": shard.sha256 for shard in manifest.shards}
    beside = (folder / name for name in (MANIFEST_NAME, TABLE_NAME))
    expected |= {file.name: file_sha256(file) for file in beside if file.is_file()}
    wrong = sorted(name for name in {*stated, *expected} if stated.get(name) != expected.get(name))
    if wrong:
        yield f"{path}: other files or digests than the data set has: {', '.join(wrong[:5])}; {AGAIN}"


def _check_lists(folder: Path, manifest: Manifest, objects: set[str]) -> Iterator[str]:
    for name in (QUARANTINE_NAME, WARNINGS_NAME):
        path = folder / name
        if not path.is_file():
            yield f"{path}: missing; {AGAIN}"
            continue
        try:
            records = read_quarantine(path)
            whole = path.read_text(encoding="utf-8") == quarantine_text(records)
        except (IntegrityError, UnicodeDecodeError) as error:
            yield f"{path}: {error}; {AGAIN}"
            continue
        if not whole:
            yield f"{path}: not as it was written: cut or edited; {AGAIN}"
        named = {record.object for record in records}
        if name == QUARANTINE_NAME:
            if len(records) != manifest.quarantined:
                yield f"{path}: {len(records)} objects, the manifest says {manifest.quarantined}; {AGAIN}"
            wrong = sorted(named & objects)
        else:
            wrong = sorted(named - objects)
        if wrong:
            state = "in" if name == QUARANTINE_NAME else "not in"
            yield f"{path}: names objects that are {state} the data set: {', '.join(wrong[:5])}; {AGAIN}"


def _wrong_columns(found: Any, folder: Path, manifest: Manifest, shard: ShardRecord) -> list[str]:
    expected = shard_table(shard, local_shards(folder), table_context(manifest))
    if found.column_names != expected.column_names:
        return sorted({*found.column_names} ^ {*expected.column_names}) or ["the order of its columns"]
    if found.num_rows != expected.num_rows:
        return ["the number of its rows"]
    return [name for name in expected.column_names if not _equal(found[name], expected[name])]


def _equal(found: Any, expected: Any) -> bool:
    """Whether two columns are the same, to the bit where they are numbers."""
    import pyarrow as pa

    if pa.types.is_dictionary(expected.type):  # each may number its texts in its own way
        return bool(found.cast(pa.string()).equals(expected.cast(pa.string())))
    if found.type != expected.type or found.null_count:
        return False
    if pa.types.is_floating(expected.type):
        arrays = [cast("np.ndarray", column.to_numpy()) for column in (found, expected)]
        return arrays[0].tobytes() == arrays[1].tobytes()
    return bool(found.equals(expected))
