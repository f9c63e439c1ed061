"""Files of edges: a Parquet table with one row per edge, which any program for tables reads."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from turntable.datasets.dataset import Dataset
from turntable.datasets.files import open_atomic_file
from turntable.datasets.relations.edges import MAX_EDGES, EdgeList, make_edges
from turntable.datasets.relations.labeled_views import IntArray, LabeledViews, read_labeled_views
from turntable.datasets.split import Split
from turntable.errors import IntegrityError, InvalidInputError
from turntable.home import expand_home

_FORMAT = 1
_METADATA_KEY = b"turntable_edges"
_HEAD_NAMES = ("format", "dataset", "fingerprint", "split", "digest")
_REMEDY = "write it again, or fetch it again"
EDGE_COLUMNS: dict[str, str] = {
    "kind": "intra, inter, transitive, mined, or one of your own",
    "object_1": "id of the object of the first end in its source",
    "view_1": "number of its view, from 0",
    "object_2": "id of the object of the second end",
    "view_2": "number of its view, from 0",
    "angle_rad": "angle in radians between the rotations of both ends, from 0 to pi",
    "same_category": "whether both objects are of one category",
    "score": "score of the edge, such as the cosine of features; null for none",
}
"""Description of each column of a file of edges."""


def write_edges(path: str | Path, edges: EdgeList, dataset: Dataset) -> None:
    """Write a list of edges to a Parquet file. An existing file is replaced atomically.

    The metadata ``turntable_edges`` is JSON with the name and fingerprint of the data set, the split, and the
    digest of the list.

    Args:
        path: Path of the file.
        edges: Edges, such as those of ``find_edges`` or ``mine_edges``.
        dataset: Data set that they belong to.

    Raises:
        InvalidInputError: There is no edge, or they do not belong to the data set.
    """
    import pyarrow as pa
    from pyarrow import parquet

    if edges.fingerprint != dataset.manifest.fingerprint or not len(edges):
        raise InvalidInputError(
            f"{path}: {len(edges)} edges of the data set {edges.fingerprint[:12]}, to be written for "
            f"{dataset.path_or_url} ({dataset.manifest.fingerprint[:12]}); give at least one edge, and its "
            "data set"
        )
    with dataset.open_split(edges.split) as split:
        ids = np.array(split.object_ids)
        if fault := _find_range_fault(edges.objects, edges.views, split):
            raise InvalidInputError(f"{path}: {fault}")
    head = (_FORMAT, dataset.manifest.name, edges.fingerprint, edges.split, edges.digest)
    columns = {
        "kind": edges.kinds,
        "object_1": ids[edges.objects[:, 0]],
        "view_1": edges.views[:, 0].astype(np.int32),
        "object_2": ids[edges.objects[:, 1]],
        "view_2": edges.views[:, 1].astype(np.int32),
        "angle_rad": edges.angle_rad,
        "same_category": edges.same_category,
        "score": pa.array(edges.score, from_pandas=True),  # NaN becomes null
    }
    table = pa.table(columns).replace_schema_metadata(
        {_METADATA_KEY: json.dumps(dict(zip(_HEAD_NAMES, head, strict=True)))}
    )
    with open_atomic_file(expand_home(path)) as file:
        parquet.write_table(table, file)


def read_edges(path: str | Path, dataset: Dataset, split: str | None = None) -> EdgeList:
    """Read a list of edges that ``write_edges`` wrote. Angles and categories are computed from the labels.

    Args:
        path: Path of the file.
        dataset: Data set that the edges must belong to.
        split: Split that they must belong to; None: any.

    Raises:
        InvalidInputError: There is no such file, or it is of another data set or split.
        IntegrityError: The file is damaged or was edited.
    """
    table, head = _read_table(expand_home(path))
    if head["fingerprint"] != dataset.manifest.fingerprint:
        raise InvalidInputError(
            f"{path}: its edges belong to another data set ({head['dataset']}, fingerprint "
            f"{head['fingerprint']}), not to {dataset.path_or_url} ({dataset.manifest.fingerprint}); give "
            "the other data set, or list the edges of this one"
        )
    stored = str(head["split"])
    if split is not None and split != stored:
        raise InvalidInputError(f"{path}: its edges belong to the split {stored}, not to {split}")
    if stored not in dataset.splits:
        raise IntegrityError(f"{path}: edited: its data set has no split {stored!r}; {_REMEDY}")
    with dataset.open_split(stored) as opened:
        edges = _parse_edges(path, table, opened, str(head["fingerprint"]))
    if edges.digest != head["digest"]:
        raise IntegrityError(f"{path}: edited or truncated (its digest does not match); {_REMEDY}")
    return edges


def _parse_edges(path: str | Path, table: Any, split: Split, fingerprint: str) -> EdgeList:
    objects = np.stack([_find_rows(path, table[f"object_{end}"], split) for end in (1, 2)], axis=1)
    views = np.stack([np.asarray(table[f"view_{end}"], np.int64) for end in (1, 2)], axis=1)
    if not len(objects):
        raise IntegrityError(f"{path}: it has no edges; {_REMEDY}")
    if fault := _find_range_fault(objects, views, split):
        raise IntegrityError(f"{path}: {fault}; {_REMEDY}")
    ends = _read_views(split, objects, views)
    score = np.asarray(table["score"].to_numpy(), np.float32)
    edges = make_edges(split.name, fingerprint, ends[0], "", ends[1], score)
    return replace(edges, kinds=np.array(table["kind"].to_pylist(), np.str_))


def _read_views(split: Split, objects: IntArray, views: IntArray) -> tuple[LabeledViews, IntArray]:
    """Return the views that edges have, and the positions of the edges' ends among them."""
    flat = np.unique(objects.ravel() * split.num_views + views.ravel())
    table = read_labeled_views(split, *np.divmod(flat, split.num_views))
    return table, table.find(objects, views)


def _find_rows(path: str | Path, column: Any, split: Split) -> IntArray:
    """Return the rows of the objects that a column names."""
    row_by_id = {name: row for row, name in enumerate(split.object_ids)}
    encoded = column.combine_chunks().dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    if unknown := [name for name in names if name not in row_by_id]:
        raise IntegrityError(f"{path}: {split.name} has no object {ascii(unknown[0])[:80]}; {_REMEDY}")
    rows = np.array([row_by_id[name] for name in names], np.int64)
    return rows[np.asarray(encoded.indices)]


def _find_range_fault(objects: IntArray, views: IntArray, split: Split) -> str:
    """Return what is wrong with the ends of edges; "" if the split has all of them."""
    limits = ((objects, split.num_objects), (views, split.num_views))
    if all(int(values.min()) >= 0 and int(values.max()) < limit for values, limit in limits):
        return ""
    return (
        f"an edge has an object or a view that {split.name} does not have: it has {split.num_objects} "
        f"objects of {split.num_views} views, counted from 0"
    )


def _read_table(path: Path) -> tuple[Any, dict[str, Any]]:
    """Read the table of a file of edges and its metadata, and check columns, types and format."""
    import pyarrow as pa
    from pyarrow import parquet

    if not path.is_file():
        raise InvalidInputError(f"{path}: there is no such file; write one with write_edges")
    try:
        file = parquet.ParquetFile(path)
        head = cast("dict[str, Any]", dict(json.loads((file.schema_arrow.metadata or {})[_METADATA_KEY])))
        table = _read_columns(file)
    except (pa.ArrowException, ValueError, TypeError, KeyError, OSError, RecursionError) as error:
        raise IntegrityError(f"{path}: not a list of edges ({ascii(str(error))[:200]}); {_REMEDY}") from None
    if missing := set(_HEAD_NAMES) - set(head):
        raise IntegrityError(f"{path}: not a list of edges (no {', '.join(sorted(missing))}); {_REMEDY}")
    if head["format"] != _FORMAT:
        raise IntegrityError(
            f"{path}: its format is {head['format']}, and this version of turntable reads format {_FORMAT}; "
            "install a later version"
        )
    return table, head


def _read_columns(file: Any) -> Any:
    """Read the table with its types. Raises ValueError if it is not as ``write_edges`` writes it."""
    names: list[str] = file.schema_arrow.names
    if names != list(EDGE_COLUMNS):
        raise ValueError(f"its columns are {', '.join(names)[:200]}")
    if file.metadata.num_rows > MAX_EDGES:
        raise ValueError(f"it has more than {MAX_EDGES:,} edges")
    table = file.read()
    for name in EDGE_COLUMNS:
        if name != "score" and table[name].null_count:
            raise ValueError(f"{name} has nulls")
    return table.cast(_make_schema())


def _make_schema() -> Any:
    import pyarrow as pa

    types = {
        "kind": pa.string(),
        "same_category": pa.bool_(),
        "angle_rad": pa.float32(),
        "score": pa.float32(),
    }
    ends = {"object": pa.string(), "view": pa.int32()}
    return pa.schema([(name, types.get(name) or ends[name.partition("_")[0]]) for name in EDGE_COLUMNS])
