"""Data sets that are made to do harm, from a seed: each a good one with one thing that no data set has.

``make_hostile`` writes them side by side, beside a folder of private files that some of them want. What is to
become of each, by every command that opens it, stands in its ``Case``.
"""

import base64
import io
import json
import os
import random
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.datasets.files import (
    encode_npy,
    make_array_member_name,
    make_image_member_name,
    make_labels_member_name,
    make_meta_member_name,
    make_output_member_name,
)
from turntable.datasets.labels import encode_output
from turntable.datasets.objects import plan_shards
from turntable.datasets.shards import ShardIndex, ShardWriter
from turntable.datasets.shards.index import open_index
from turntable.datasets.shards.tar import END_OF_ARCHIVE, make_padding, make_ustar_header
from turntable.datasets.writing import finish_dataset
from turntable.testing.datasets import make_synthetic_objects
from turntable.testing.datasets.synthetic import render_view

SIZE, VIEWS, POINTS = 16, 3, 8
SECRET = b"TOP-SECRET-4f1d"
RECIPE: Recipe = load_recipe("3diebench").replace(
    name="hostile",
    source="folder",
    views=VIEWS,
    image_size_px=SIZE,
    outputs=["rgb", "mask", "depth"],
    points=POINTS,
    objects_per_shard=3,
    val_fraction=0.34,
)
ALL = frozenset({"load", "stream", "verify", "inspect", "serve", "publish", "convert", "query"})
"""Every command that opens a data set."""
LOCAL = ALL - {"stream"}
CHECK = frozenset({"verify"})
FILES = frozenset({"verify", "serve", "publish"})
"""Those that give or look at the files beside the shards."""
OPENED = frozenset({"load", "stream", "verify", "inspect", "serve", "convert"})
"""Those that open shards."""
COPIED = frozenset({"verify", "serve", "publish", "convert"})
"""Those that give or copy shards, or look at each of their bytes."""
VIEWED = frozenset({"load", "stream", "verify", "serve", "convert"})
"""Those that read the bytes of views."""
DECODED = frozenset({"load", "stream", "verify"})
"""Those that look at what is in a view."""
DESCRIBED = frozenset({"verify", "inspect", "serve", "convert"})
"""Those that read the descriptions of objects."""
TABLED = frozenset({"verify", "query", "serve"})
"""Those that read the table of labels."""


@dataclass(frozen=True, slots=True)
class Case:
    """A hostile data set."""

    name: str
    told: str
    """A pattern that the refusal matches, whoever refuses; empty where nobody need."""
    refused_by: frozenset[str]
    """Commands that must refuse it; the others do what they do with any data set."""


@dataclass(slots=True)
class Content:
    """The members of one object."""

    labels: bytes
    meta: bytes
    views: list[bytes]
    extras: dict[str, list[bytes]]
    points: bytes


@dataclass(slots=True)
class Shard:
    """A shard that can be written as nobody writes one."""

    contents: dict[str, Content]
    """By key, in order."""
    index: dict[str, Any] = field(default_factory=dict)
    """Arrays in place of the right ones."""
    tar: Callable[[bytes], bytes] = lambda data: data


def make_hostile(folder: Path, seed: int = 0) -> tuple[Case, ...]:
    """Write the data sets below ``folder``, by their cases' names; the same seed makes the same files."""
    private = folder / "private"
    private.mkdir(parents=True)
    (private / "key").write_bytes(SECRET)
    (private / "folder").mkdir()
    good = folder / "good"
    write_good(good)
    cases = []
    for case, make in _all(random.Random(seed)):
        target = folder / case.name
        shutil.copytree(good, target)
        make(target)
        cases.append(case)
    return (Case("good", "", frozenset()), *cases)


def write_good(folder: Path) -> None:
    """Write a data set with nothing wrong."""
    records = make_synthetic_objects(RECIPE, 9, 3)
    shards = []
    for plan in plan_shards(records, RECIPE.objects_per_shard, RECIPE.split_seed):
        with ShardWriter(folder / plan.split, plan.name, RECIPE.schema, RECIPE.label_digest) as writer:
            for record in plan.objects:
                labels = draw_factors(RECIPE, record.id, range(VIEWS))
                pictures = [render_view(RECIPE, record, label) for label in labels]
                writer.add(record, labels, pictures, _extras(), {"points": _cloud()})
            shards.append(writer.commit())
    finish_dataset(
        folder, RECIPE, shards, camera={}, device={}, source={"name": "blobs", "licence": "CC0-1.0"}
    )


def _extras() -> dict[str, list[bytes]]:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[4:12, 4:12] = 255
    depth = np.full((SIZE, SIZE), 2.5, np.float32)
    return {"mask": [encode_output("mask", mask)] * VIEWS, "depth": [encode_output("depth", depth)] * VIEWS}


def _cloud() -> np.ndarray:
    cloud = np.zeros((POINTS, 6), np.float32)
    cloud[:, 3] = 1
    return cloud


# Changes.

Make = Callable[[Path], None]


def _manifest(change: Callable[[dict[str, Any]], Any]) -> Make:
    """Change the manifest's table in place, or give another document."""

    def make(folder: Path) -> None:
        path = folder / "manifest.json"
        table = json.loads(path.read_text())
        other = change(table)
        path.write_text(json.dumps(table if other is None else other))

    return make


def _set(*path: str | int, to: Any) -> Make:
    """Set one field of the manifest."""

    def change(table: Any) -> None:
        for part in path[:-1]:
            table = table[part]
        table[path[-1]] = to

    return _manifest(change)


def _file(name: str, data: bytes) -> Make:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    return make


def _instead(name: str, put: Callable[[Path], Any]) -> Make:
    """Put something else in the place of a file."""

    def make(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        put(folder / name)

    return make


def _link(name: str, target: str) -> Make:
    return _instead(name, lambda path: path.symlink_to(target))


TAR, INDEX = "train/shard-000000.tar", "train/shard-000000.idx"


def _shard(change: Callable[[Shard], Any]) -> Make:
    """Write the first shard anew, changed, with a manifest whose digests are of the new one."""

    def make(folder: Path) -> None:
        shard = _read_shard(folder)
        change(shard)
        tar, arrays = _written(shard)
        arrays = {**arrays, **shard.index}
        index = _index_bytes(arrays)
        (folder / TAR).write_bytes(tar)
        (folder / INDEX).write_bytes(index)
        stated = {"bytes": len(tar), "sha256": _hex(tar), "idx_sha256": _hex(index)}
        _manifest(lambda table: table["shards"][0].update(stated))(folder)

    return make


def _index(**arrays: Any) -> Make:
    """Change arrays of the first shard's index; a callable gets the right one."""

    def change(shard: Shard) -> None:
        _, right = _written(shard)
        shard.index = {name: made(right[name]) if callable(made) else made for name, made in arrays.items()}

    return _shard(change)


def _first(change: Callable[[Content], Any]) -> Make:
    """Change the members of the first object."""
    return _shard(lambda shard: change(next(iter(shard.contents.values()))))


def _view(data: bytes) -> Make:
    return _first(lambda content: content.views.__setitem__(0, data))


def _extra(name: str, data: bytes) -> Make:
    return _first(lambda content: content.extras[name].__setitem__(0, data))


def _points(data: bytes) -> Make:
    return _first(lambda content: setattr(content, "points", data))


def _meta(change: Callable[[dict[str, Any]], Any]) -> Make:
    def changed(content: Content) -> None:
        table = json.loads(content.meta)
        other = change(table)
        content.meta = other if isinstance(other, bytes) else json.dumps(table).encode()

    return _first(changed)


def _table(change: Callable[[pa.Table], pa.Table]) -> Make:
    def make(folder: Path) -> None:
        path = folder / "labels.parquet"
        changed = change(parquet.read_table(path))
        parquet.write_table(changed, path, row_group_size=max(1, -(-len(changed) // 3)))

    return make


def _read_shard(folder: Path) -> Shard:
    index, data = open_index(folder / INDEX), (folder / TAR).read_bytes()
    contents = {}
    for row, key in enumerate(index.keys.tolist()):
        members = dict(_members(data, int(index.object_start[row]), int(index.object_length[row])))
        name = key.decode()
        contents[name] = Content(
            members[make_labels_member_name(name)],
            members[make_meta_member_name(name)],
            [members[make_image_member_name(name, view)] for view in range(VIEWS)],
            {
                kind: [members[make_output_member_name(name, view, kind)] for view in range(VIEWS)]
                for kind in ("mask", "depth")
            },
            members[make_array_member_name(name, "points")],
        )
    return Shard(contents)


def _members(data: bytes, start: int, length: int) -> Iterator[tuple[str, bytes]]:
    at = start
    while at < start + length:
        name, size = data[at : at + 100].rstrip(b"\0").decode(), int(data[at + 124 : at + 135], 8)
        yield name, data[at + 512 : at + 512 + size]
        at += 512 + size + -size % 512


def _written(shard: Shard) -> tuple[bytes, dict[str, np.ndarray]]:
    """The archive, and the arrays of its index."""
    out, rows = bytearray(), []
    for key, content in shard.contents.items():
        start, places = len(out), []
        files = [(make_labels_member_name(key), content.labels), (make_meta_member_name(key), content.meta)]
        files += [(make_image_member_name(key, view), data) for view, data in enumerate(content.views)]
        files += [
            (make_output_member_name(key, view, kind), data)
            for kind, many in content.extras.items()
            for view, data in enumerate(many)
        ]
        for name, data in (*files, (make_array_member_name(key, "points"), content.points)):
            out += make_ustar_header(name, len(data))
            places.append((len(out), len(data), zlib.crc32(data)))
            out += data + make_padding(len(data))
        rows.append((key, content, start, len(out) - start, places[2:]))
    tar = shard.tar(bytes(out) + END_OF_ARCHIVE)
    places = np.array([row[4] for row in rows], dtype="<i8")  # [N, V + 2 V + 1, 3]
    metas = [json.loads(row[1].meta) if row[1].meta[:2] == b'{"' else {} for row in rows]
    views, extras, clouds = (
        places[:, :VIEWS],
        places[:, VIEWS:-1].reshape(len(rows), 2, VIEWS, 3),
        places[:, -1],
    )
    arrays = {
        "keys": _texts([row[0] for row in rows]),
        "ids": _texts([str(meta.get("id", "class00/0000")) for meta in metas]),
        "categories": _texts([str(meta.get("category", "class00")) for meta in metas]),
        "object_start": np.array([row[2] for row in rows], "<i8"),
        "object_length": np.array([row[3] for row in rows], "<i8"),
        "latents": np.stack(
            [np.frombuffer(row[1].labels[-VIEWS * 28 :], "<f4").reshape(VIEWS, 7) for row in rows]
        ),
        "tar_size": np.array(len(tar), "<i8"),
        "tar_sha256": np.array(_hex(tar).encode()),
        "extras": _texts(["mask", "depth"]),
    }
    for at, (name, kind) in enumerate((("offset", "<i8"), ("size", "<i8"), ("crc32", "<u4"))):
        arrays[name] = views[..., at].astype(kind)
        arrays[f"extra_{name}"] = extras[..., at].astype(kind)
        arrays[f"points_{name}"] = clouds[..., at].astype(kind)
    return tar, arrays


def _index_bytes(arrays: Mapping[str, Any]) -> bytes:
    names = ShardIndex.__dataclass_fields__
    if all(isinstance(array, np.ndarray) and not array.dtype.hasobject for array in arrays.values()):
        return ShardIndex(**{name: arrays[name] for name in names if name in arrays}).to_bytes()
    files = {
        f"{name}.npy": array if isinstance(array, bytes) else _any_npy(array)
        for name, array in arrays.items()
    }
    return _zip(files, zipfile.ZIP_STORED)


def _zip(files: Mapping[str, bytes], how: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, how)
    return out.getvalue()


def _any_npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def _claimed(shape: str, dtype: str = "<f4", data: bytes = b"") -> bytes:
    """A .npy file whose header claims anything."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def _texts(texts: list[str]) -> np.ndarray:
    return np.array([text.encode() for text in texts], dtype=np.bytes_)


def _hex(data: bytes) -> str:
    return sha256(data).hexdigest()


# Pictures and archives.


def _jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 10, 10)).save(out, "JPEG")
    return out.getvalue()


def _jpeg_that_claims(width: int, height: int) -> bytes:
    data = bytearray(_jpeg(16, 16))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">2H", height, width)
    return bytes(data)


def _png(width: int, height: int, mode: str = "L", chunks: bytes = b"") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    data = out.getvalue()
    return data[:33] + chunks + data[33:]


def _png_that_claims(width: int, height: int) -> bytes:
    head = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(bytes(100)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _text_bomb() -> bytes:
    return _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200 << 20), 9))


def _repeated_rows(table: pa.Table) -> pa.Table:
    """A row group of so many rows in a few bytes: of a dictionary's one entry."""
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(5_000_000, np.int32)), pa.array(["x" * 100_000]))
    return pa.table(dict.fromkeys(table.column_names, text))


def _subset_bomb() -> dict[str, Any]:
    bits = base64.b64encode(zlib.compress(bytes(300 << 20), 9)).decode()
    return {"where": "true", "of": "0" * 64, "objects": 1, "images": 1, "views": {"train": bits}}


def _deep(levels: int) -> str:
    return "[" * levels + "]" * levels


NO_MANIFEST = r"not a manifest"


def _all(chance: random.Random) -> Iterator[tuple[Case, Make]]:
    for group in (_manifests, _places, _besides, _tables, _indices, _archives, _contents):
        for name, (told, by, make) in group(chance).items():
            yield Case(name, told, frozenset(by)), make


Rows = dict[str, tuple[str, Any, Make]]


def _manifests(chance: random.Random) -> Rows:
    """Manifests that say what cannot be. Every command refuses each before it looks at anything else."""
    shard = ("shards", 0)
    changes: dict[str, Make] = {
        "digest-is-a-path": _set(*shard, "sha256", to="../../../private/key"),
        "digest-is-absolute": _set(*shard, "sha256", to="/etc/passwd"),
        "index-digest-is-a-path": _set(*shard, "idx_sha256", to="ab/../../../private/folder"),
        "digest-in-upper-case": _set(*shard, "sha256", to="AB" * 32),
        "digest-with-a-line-end": _set(*shard, "sha256", to="ab" * 31 + "a\n"),
        "digest-is-a-number": _set(*shard, "sha256", to=5),
        "split-leads-up": _set(*shard, "split", to="../private"),
        "split-is-absolute": _set(*shard, "split", to="/etc"),
        "split-is-empty": _set(*shard, "split", to=""),
        "shard-name-leads-up": _set(*shard, "name", to="../../private/key"),
        "shard-name-with-nul": _set(*shard, "name", to="shard\0"),
        "views-are-a-billion": _set("views", to=10**9),
        "views-are-a-huge-number": _manifest(lambda table: table.update(views=10**4000)),
        "views-are-a-text": _set("views", to="3"),
        "views-are-a-fraction": _set("views", to=3.0),
        "views-are-true": _set("views", to=True),
        "views-are-others-than-the-shards": _set("views", to=4),
        "objects-are-a-billion": _set(*shard, "objects", to=10**9),
        "objects-are-none": _set(*shard, "objects", to=0),
        "bytes-are-negative": _set(*shard, "bytes", to=-1),
        "bytes-are-huge": _set(*shard, "bytes", to=2**63),
        "more-objects-than-there-can-be": _manifest(
            lambda table: table.update(
                shards=[{**table["shards"][0], "name": f"s{n}", "objects": 100_000} for n in range(500)],
                splits=["train"],
            )
        ),
        "image-size-is-huge": _set("image_size_px", to=10**6),
        "image-size-is-none": _set("image_size_px", to=0),
        "points-are-many": _set("points", to=10**9),
        "totals-are-texts": _set("totals", to={"objects": "9", "images": "27", "bytes": "x"}),
        "categories-are-a-number": _set("categories", to=5),
        "categories-twice": _set("categories", to=["class00", "class00"]),
        "category-steers-a-terminal": _set("categories", 0, to="\x1b]0;owned\x07\x1b[2J"),
        "category-is-long": _set("categories", 0, to="x" * 10**6),
        "factors-are-none": _set("factors", to=[]),
        "factor-twice": _manifest(lambda table: table["factors"].append(table["factors"][0])),
        "factor-is-sql": _set("factors", 0, "name", to='x" or 1=1 --'),
        "factor-of-another-unit": _set("factors", 0, "unit", to="furlong"),
        "factor-upside-down": _set("factors", 0, "low", to=99),
        "factor-is-infinite": _manifest(lambda table: table["factors"][0].update(low=float("-inf"))),
        "recipe-is-a-list": _set("recipe", to=[1]),
        "recipe-is-deep": _set("recipe", to={"factors": json.loads(_deep(500))}),
        "name-steers-a-terminal": _set("name", to="\x1b[2J"),
        "name-is-a-path": _set("name", to="../../x"),
        "outputs-that-are-none": _set("outputs", to=["rgb", "soul"]),
        "outputs-twice": _set("outputs", to=["rgb", "rgb"]),
        "mean-is-a-text": _set("pixel_mean", to=["a", "b", "c"]),
        "spread-is-not-a-number": _manifest(lambda table: table.update(pixel_std=[float("nan")] * 3)),
        "shards-are-none": _set("shards", to=[]),
        "shard-twice": _manifest(lambda table: table["shards"].insert(0, table["shards"][0])),
        "shards-out-of-order": _manifest(lambda table: table["shards"].append(table["shards"].pop(0))),
        "split-that-no-shard-has": _set("splits", to=["train", "val", "test"]),
        "licence-is-a-number": _set("source", to={"licence": 5}),
        "convention-is-a-table": _set("conventions", to={"world": {}}),
        "device-steers-a-terminal": _set("device", to={"driver": "\x9b2J"}),
        "unknown-field": _set("payload", to="x"),
        "subset-of-other-splits": _set("subset", to={**_subset_bomb(), "views": {"\n": "x"}}),
        "no-table": _manifest(lambda _: [1, 2, 3]),
        "no-json": _file("manifest.json", b"{"),
        "empty": _file("manifest.json", b""),
        "not-a-number": _file("manifest.json", b'{"format_version": NaN}'),
        "deep": _file("manifest.json", _deep(200_000).encode()),
        "noise": _file("manifest.json", chance.randbytes(5000)),
        "utf-16": _file("manifest.json", "{}".encode("utf-16")),
        "page": _file("manifest.json", b"<!doctype html><html>404</html>"),
        "larger-than-any": _file("manifest.json", b" " * (40 << 20)),
    }
    return {
        f"manifest-{name}": (NO_MANIFEST + r"|more than [\d.,]+ MiB|longer than the|web page", ALL, make)
        for name, make in changes.items()
    }


def _places(_: random.Random) -> Rows:
    """Files that are none, or lead elsewhere. A web server gives what it likes under any name."""
    elsewhere, absent = r"leads out|no ordinary file", r"missing, so|holds no"
    return {
        "manifest-is-a-fifo": ("no ordinary file|missing", ALL, _instead("manifest.json", os.mkfifo)),
        "manifest-is-a-folder": ("no ordinary file|missing", ALL, _instead("manifest.json", Path.mkdir)),
        "manifest-is-a-loop": (f"cannot be read|{absent}", ALL, _link("manifest.json", "manifest.json")),
        "manifest-is-gone": (absent, ALL, _instead("manifest.json", lambda _: None)),
        "manifest-is-a-device": (f"{elsewhere}|missing", ALL, _link("manifest.json", "/dev/zero")),
        "card-links-to-a-secret": (elsewhere, FILES, _link("README.md", "../private/key")),
        "card-links-to-passwd": (elsewhere, FILES, _link("README.md", "/etc/passwd")),
        "sheet-links-to-a-secret": (elsewhere, FILES, _link("contact-sheet.jpg", "../private/key")),
        "list-links-to-a-secret": (elsewhere, FILES, _link("warnings.jsonl", "../private/key")),
        "table-links-to-a-secret": (
            f"{elsewhere}|not a readable table",
            FILES | {"query"},
            _link("labels.parquet", "../private/key"),
        ),
        "shard-links-to-a-secret": (
            f"{elsewhere}|15 bytes",
            OPENED | COPIED,
            _link(TAR, "../../private/key"),
        ),
        "index-links-to-a-secret": (
            f"{elsewhere}|not the (index|file) that",
            OPENED | COPIED,
            _link(INDEX, "../../private/key"),
        ),
        "card-is-a-fifo": (elsewhere, FILES, _instead("README.md", os.mkfifo)),
        "sheet-is-a-fifo": (elsewhere, FILES, _instead("contact-sheet.jpg", os.mkfifo)),
        "table-is-a-fifo": (elsewhere, FILES | {"query"}, _instead("labels.parquet", os.mkfifo)),
        "shard-is-a-fifo": (f"{elsewhere}|missing", OPENED | COPIED, _instead(TAR, os.mkfifo)),
        "index-is-a-fifo": (f"{elsewhere}|missing", OPENED | COPIED, _instead(INDEX, os.mkfifo)),
        "shard-is-a-folder": (f"{elsewhere}|missing", OPENED | COPIED, _instead(TAR, Path.mkdir)),
        "split-links-elsewhere": (elsewhere, COPIED, _split_elsewhere),
    }


def _split_elsewhere(folder: Path) -> None:
    """The split's folder is moved to the private one, and linked there."""
    moved = folder.parent / "private" / "folder" / "val"
    shutil.rmtree(moved, ignore_errors=True)
    shutil.move(folder / "val", moved)
    (folder / "val").symlink_to("../private/folder/val")


def _besides(_: random.Random) -> Rows:
    """Files beside the shards that are not what they should be."""
    line = {"object": "\x1b[2J", "reason": "<script>alert(1)</script>", "detail": "\u202e" + "x" * 5000}
    return {
        "list-is-deep": (
            "not a quarantine record",
            CHECK,
            _file("quarantine.jsonl", _deep(100_000).encode() + b"\n"),
        ),
        "list-is-noise": ("quarantine.jsonl", CHECK, _file("quarantine.jsonl", b"\xff\xfe{}\n")),
        "list-of-strange-objects": (
            "warnings.jsonl",
            CHECK,
            _file("warnings.jsonl", json.dumps(line).encode() + b"\n"),
        ),
        "croissant-is-deep": (
            "not a croissant file",
            CHECK,
            _file("croissant.json", _deep(100_000).encode()),
        ),
        "croissant-is-a-number": ("not a croissant file", CHECK, _file("croissant.json", b"5")),
        "croissant-of-texts": (
            "not a croissant file",
            CHECK,
            _file("croissant.json", b'{"distribution": ["x"]}'),
        ),
        "sheet-claims-gigabytes": (
            "a JPEG is 65500 x 65500",
            CHECK,
            _file("contact-sheet.jpg", _jpeg_that_claims(65500, 65500)),
        ),
        "card-is-large": (r"more than \d+ MiB", CHECK | {"publish"}, _file("README.md", b"x" * (70 << 20))),
        "card-is-html": ("README.md", CHECK, _file("README.md", b"<script>alert(1)</script>")),
    }


def _tables(chance: random.Random) -> Rows:
    """Tables of labels."""
    by, told = TABLED, "labels.parquet"
    return {
        "table-is-noise": (told, by, _file("labels.parquet", b"PAR1" + chance.randbytes(5000) + b"PAR1")),
        "table-is-cut": (told, by, _instead("labels.parquet", lambda path: path.write_bytes(b"PAR1"))),
        "table-of-other-columns": (
            told,
            by,
            _table(lambda table: table.rename_columns([f"c{n}" for n in range(table.num_columns)])),
        ),
        "table-of-fewer-rows": (told, by, _table(lambda table: table.slice(1))),
        "table-of-repeated-rows": (told, by, _table(_repeated_rows)),
        "table-of-long-shards": (told, by, _table(lambda table: _altered(table, "shard", "x" * 10**6))),
        "table-with-nulls": (told, by, _table(lambda table: _altered(table, "view", None))),
    }


def _altered(table: pa.Table, name: str, value: Any) -> pa.Table:
    at = table.column_names.index(name)
    kind = table.schema.field(at).type
    return table.set_column(at, name, pa.array([value] * len(table), kind))


def _indices(_: random.Random) -> Rows:
    """Indices, each with the digest that the manifest names."""
    used = OPENED
    return {
        "index-has-pickles": (
            "not a whole index",
            used,
            _index(keys=np.array([{"x": 1}], dtype=object)),
        ),
        "index-claims-gigabytes": (
            "not a whole index",
            used,
            _index(latents=_claimed("(1000000, 10000, 7)")),
        ),
        "index-of-negative-shape": ("not a whole index", used, _index(offset=_claimed("(-1, 3)", "<i8"))),
        "index-of-other-kinds": ("do not fit", used, _index(offset=lambda right: right.astype("<f8"))),
        "index-of-texts-for-sizes": ("do not fit", used, _index(size=lambda right: right.astype("S20"))),
        "index-of-fewer-views": ("do not fit", used, _index(offset=lambda right: right[:, :2])),
        "index-of-other-objects": (
            "manifest.json disagree|objects, views and factors",
            used,
            _shard(lambda shard: shard.contents.popitem()),
        ),
        "index-points-out-of-the-shard": (
            "wrong checksum|is not where",
            VIEWED,
            _index(offset=lambda right: right + 2**40),
        ),
        "index-points-before-the-shard": (
            "wrong checksum|is not where|description cannot be read",
            VIEWED | DESCRIBED,
            _index(offset=lambda right: right - 2**40),
        ),
        "index-of-huge-sizes": (
            "wrong checksum|is not where",
            VIEWED,
            _index(size=lambda right: right + 2**62),
        ),
        "index-of-one-view-for-all": (
            "is not where|description cannot be read",
            DESCRIBED,
            _index(**dict.fromkeys(("offset", "size", "crc32"), _same)),
        ),
        "index-with-bytes-for-keys": (
            "has no object|members are not|different",
            CHECK | {"serve"},
            _index(keys=np.array([b"\xff\xfe", b"\xc3", b"a"])),
        ),
        "index-with-paths-for-keys": (
            "has no object|members are not",
            CHECK | {"serve"},
            _index(keys=_texts(["../../x", "/etc/passwd", "a\x1b[2J"])),
        ),
        "index-of-unknown-classes": (
            "categories that manifest.json does not name|different objects",
            OPENED - {"inspect"},
            _index(categories=_texts(["\x1b[2J"] * 3)),
        ),
        "index-of-long-ids": (
            "different objects|longer than the",
            CHECK | {"stream"},
            _index(ids=_texts(["x" * 10**6] * 3)),
        ),
        "labels-are-no-numbers": (
            "different labels|not finite numbers",
            CHECK | {"serve"},
            _index(latents=lambda right: right * np.float32("nan")),
        ),
        "labels-are-infinite": (
            "different labels|not finite numbers",
            CHECK | {"serve"},
            _index(latents=lambda right: right + np.float32("inf")),
        ),
        "labels-are-huge": (
            "different labels",
            CHECK,
            _index(latents=lambda right: right + np.float32(1e38)),
        ),
        "index-is-compressed": ("not a whole index", used, _compressed_index),
        "index-of-a-million-entries": (
            "not a whole index|do not fit|longer than the",
            OPENED,
            _index(**{f"x{n}": b"" for n in range(3000)}, keys=_any_npy(_texts(["a", "b", "c"]))),
        ),
    }


def _same(right: np.ndarray) -> np.ndarray:
    return np.full_like(right, right.flat[0])


def _compressed_index(folder: Path) -> None:
    _, arrays = _written(_read_shard(folder))
    index = _zip({f"{name}.npy": _any_npy(array) for name, array in arrays.items()}, zipfile.ZIP_DEFLATED)
    (folder / INDEX).write_bytes(index)
    _set("shards", 0, "idx_sha256", to=_hex(index))(folder)


def _archives(_: random.Random) -> Rows:
    """Archives whose headers are not what the index says; who goes by the index alone never looks at them."""

    def header(change: Callable[[bytearray], Any]) -> Make:
        def tar(data: bytes) -> bytes:
            changed = bytearray(data)
            change(changed)
            return bytes(changed)

        return _shard(lambda shard: setattr(shard, "tar", tar))

    link = (r"bad header|refused member", CHECK)
    return {
        "archive-of-a-symlink": (*link, header(lambda data: data.__setitem__(156, ord("2")))),
        "archive-of-a-hard-link": (*link, header(lambda data: data.__setitem__(156, ord("1")))),
        "archive-of-a-device": (*link, header(lambda data: data.__setitem__(156, ord("3")))),
        "archive-member-leads-up": (*link, header(lambda data: data.__setitem__(slice(0, 8), b"../../x\0"))),
        "archive-member-is-absolute": (
            *link,
            header(lambda data: data.__setitem__(slice(0, 8), b"/etc/pw\0")),
        ),
        "archive-sizes-lie": (
            "bad header|cut|refused|description",
            DESCRIBED,
            header(lambda data: data.__setitem__(slice(124, 135), b"77777777777")),
        ),
        "archive-with-more-behind": (
            "does not end",
            CHECK,
            _shard(lambda shard: setattr(shard, "tar", lambda data: data + bytes(1024))),
        ),
    }


def _contents(_: random.Random) -> Rows:
    """What is in a view or an object, each with the checksum that the index names."""
    text = "its description cannot be read|not the description|different objects|description"
    described = DESCRIBED
    return {
        "view-claims-gigabytes": ("65500", DECODED, _view(_jpeg_that_claims(65500, 65500))),
        "view-of-another-size": ("not 16 x 16|8 x 8", DECODED, _view(_jpeg(8, 8))),
        "view-is-long": ("64 x 4", DECODED, _view(_jpeg(64, 4))),
        "view-is-cut": ("does not decode", DECODED, _view(_jpeg(16, 16)[:200])),
        "view-is-a-png": ("does not decode", DECODED, _view(_png(16, 16))),
        "view-is-empty": ("does not decode", DECODED, _view(b"")),
        "mask-claims-gigabytes": (
            "60000 x 60000|cannot be decoded",
            DECODED,
            _extra("mask", _png_that_claims(60000, 60000)),
        ),
        "mask-claims-more": (
            "2147483647|cannot be decoded",
            DECODED,
            _extra("mask", _png_that_claims(2**31 - 1, 2**31 - 1)),
        ),
        "mask-of-another-size": ("8 x 8", DECODED, _extra("mask", _png(8, 8))),
        "mask-of-colours": ("its mask is an image", DECODED, _extra("mask", _png(16, 16, "RGB"))),
        "mask-with-a-text-bomb": (
            "cannot be decoded",
            DECODED,
            _extra("mask", _png(16, 16, chunks=_text_bomb())),
        ),
        "mask-is-a-jpeg": ("cannot be decoded", DECODED, _extra("mask", _jpeg(16, 16))),
        "depth-of-eight-bits": ("its depth is an image", DECODED, _extra("depth", _png(16, 16))),
        "depth-is-cut": ("cannot be decoded", DECODED, _extra("depth", _extras()["depth"][0][:60])),
        "points-claim-gigabytes": ("not a plain array", DECODED, _points(_claimed("(1000000000, 6)"))),
        "points-are-pickled": (
            "not a plain array",
            DECODED,
            _points(_any_npy(np.array([{"x": 1}], dtype=object))),
        ),
        "points-are-an-archive": ("not a plain array", DECODED, _points(_archive_of_points())),
        "points-of-another-kind": (
            "not float32|points",
            DECODED,
            _points(encode_npy(_cloud().astype("<f8"))),
        ),
        "points-are-fewer": ("points", DECODED, _points(encode_npy(_cloud()[:3]))),
        "description-is-deep": (text, described, _meta(lambda _: _deep(100_000).encode())),
        "description-is-no-table": (text, described, _meta(lambda _: b"[]")),
        "description-without-id": (text, described, _meta(lambda table: table.pop("id") and None)),
        "description-of-long-id": (
            text + "|longer than the",
            described | {"stream"},  # its index is longer than those of such shards
            _meta(lambda table: table.update(id="x" * 10**5)),
        ),
        "description-steers-a-terminal": (
            text,
            described,
            _meta(lambda table: table.update(id="\x1b]0;x\x07")),
        ),
        "description-of-tables": (
            text + "|categories",
            described | {"load", "stream"},
            _meta(lambda table: table.update(category={"a": 1})),
        ),
        "description-of-a-split-elsewhere": (
            text + "|says split",
            CHECK,
            _meta(lambda table: table.update(split="val")),
        ),
        "description-is-markup": (
            text + "|categories|fingerprint",
            OPENED - {"inspect"},
            _meta(lambda table: table.update(category="<img src=x onerror=alert(1)>")),
        ),
    }


def _archive_of_points() -> bytes:
    return _zip({"points.npy": encode_npy(_cloud())}, zipfile.ZIP_STORED)
