"""Manifests and indexes with anything in any place: refused in a line, or read as values within bounds."""

import json
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turntable.datasets import Manifest
from turntable.datasets.files import check_file_name, is_digest, limits
from turntable.datasets.shards import ShardIndex, ShardReader, make_index_name, make_shard_name
from turntable.datasets.shards.index import decode_index, open_index
from turntable.errors import IntegrityError
from turntable.testing.datasets import make_synthetic_dataset, write_synthetic_shard
from turntable.testing.stores.contract import OBJECTS, RECIPE

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 1, 2**31, 2**63, 2**64, 10**30, 10**400]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\0", "\x1b[2J", "x" * 5000, "\ud800", "NaN", "5"]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("set")
    make_synthetic_dataset(folder, num_objects=9, num_views=3, image_size=16)
    return (folder / "manifest.json").read_text()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to all values of a document."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in items:
        found += places(inside, (*path, key))
    return found


def check_bounds(manifest: Manifest) -> None:
    """Hold what came through against what the rest of the code relies on."""
    assert 1 <= manifest.views <= limits.MAX_VIEWS
    assert 8 <= manifest.image_size_px <= limits.MAX_SIZE_PX
    assert 0 <= manifest.points <= limits.MAX_POINTS
    objects = sum(shard.objects for shard in manifest.shards)
    assert 0 < objects * manifest.views <= limits.MAX_IMAGES
    for shard in manifest.shards:
        assert is_digest(shard.sha256)
        assert is_digest(shard.idx_sha256)
        assert check_file_name(make_shard_name(shard)).count("/") == 1
        assert check_file_name(make_index_name(make_shard_name(shard))).count("/") == 1
        assert shard.bytes > 0
        assert shard.views == manifest.views
    names = manifest.schema.names
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.replace("_", "a").isalnum() for name in names)
    assert all(np.isfinite([factor.low, factor.high]).all() for factor in manifest.factors)
    assert all(
        isinstance(word, str) for word in (*manifest.categories, *manifest.splits, manifest.mesh_source_text)
    )
    assert "\x1b" not in manifest.to_json()
    for split in manifest.splits:
        assert manifest.select_shards(split)


def read_or_refused(text: str) -> Manifest | str:
    try:
        return Manifest.from_json(text, "m.json")
    except IntegrityError as error:
        return str(error)


@SHARED
@given(data=st.data())
def test_a_manifest_with_anything_in_some_places(text: str, data: st.DataObject) -> None:
    table = json.loads(text)
    known = places(table)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(known))
        with suppress(KeyError, IndexError, TypeError):  # an earlier change may have taken the place away
            inside = table
            for part in way:
                inside = inside[part]
            inside[last] = data.draw(STRANGE)
    manifest = read_or_refused(json.dumps(table))
    if isinstance(manifest, str):
        assert manifest.startswith("m.json: ")
        assert len(manifest) < 600
        assert manifest.isprintable()
    else:
        check_bounds(manifest)
        assert Manifest.from_json(manifest.to_json()) == manifest


@SHARED
@given(data=st.data())
def test_a_manifest_with_parts_left_out_doubled_or_exchanged(text: str, data: st.DataObject) -> None:
    table = json.loads(text)
    lists = [place for place in places(table) if place[0] in ("shards", "factors", "categories", "splits")]
    first, second = (data.draw(st.sampled_from(lists)) for _ in range(2))

    def at(place: tuple[Any, ...]) -> Any:
        value = table
        for part in place:
            value = value[part]
        return value

    how = data.draw(st.sampled_from(["leave out", "double", "exchange"]))
    value = at(first)
    *way, last = second
    inside = at(tuple(way))
    if how == "leave out":
        del inside[last]
    elif how == "double" and isinstance(inside, list):
        inside.append(value)
    else:
        inside[last] = value
    try:
        changed = json.dumps(table)
    except ValueError:  # it holds itself now
        return
    with suppress(IntegrityError):
        check_bounds(Manifest.from_json(changed))


@SHARED
@given(noise=st.binary(max_size=30), at=st.floats(0, 1))
def test_the_text_of_a_manifest_with_noise_in_it(text: str, noise: bytes, at: float) -> None:
    data = text.encode()
    place = int(at * len(data))
    damaged = data[:place] + noise + data[place + len(noise) :]
    with suppress(IntegrityError):
        check_bounds(Manifest.from_json(damaged.decode("utf-8", "surrogateescape")))


@pytest.fixture(scope="module")
def tar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shard")
    write_synthetic_shard(folder, RECIPE, "train", "shard-000000", OBJECTS)
    return folder / "train" / "shard-000000.tar"


NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, -1, 512, 2**31, 2**40, 2**62, 2**63 - 1])
)


@SHARED
@given(data=st.data())
def test_a_shard_whose_index_has_any_numbers(tar: Path, data: st.DataObject) -> None:
    """An index may state any numbers: nothing is read but the shard, and no more of it than there is."""
    index = open_index(tar.with_suffix(".idx"))
    arrays = {item.name: np.array(getattr(index, item.name)) for item in fields(ShardIndex)}
    for name in data.draw(
        st.sets(st.sampled_from(["offset", "size", "object_start", "object_length"]), min_size=1)
    ):
        flat = arrays[name].reshape(-1)
        flat[data.draw(st.integers(0, len(flat) - 1))] = data.draw(NUMBERS)
        if data.draw(st.booleans()):
            flat[:] = data.draw(NUMBERS)
    with ShardReader(tar) as reader:
        reader.index = ShardIndex(**arrays)
        for row in range(reader.index.num_objects):
            with suppress(IntegrityError):
                reader.read_record(row)
            with suppress(IntegrityError):
                assert len(reader.read_jpeg(row, 0)) < tar.stat().st_size
            assert sum(map(len, reader.read_jpeg_span(row, 0, 1))) <= 2 * tar.stat().st_size


KINDS = (
    "<f4",
    "<f8",
    "<i8",
    "<i4",
    "<u4",
    "|S1",
    "|S9",
    "|O",
    "|V3",
    "<U2",
    "[('a','<i4')]",
    "<M8[s]",
    "bogus",
)


@SHARED
@given(data=st.data())
def test_an_index_whose_headers_claim_anything(tar: Path, data: st.DataObject) -> None:
    original = tar.with_suffix(".idx").read_bytes()
    starts = [at for at in range(len(original)) if original.startswith(b"{'descr'", at)]
    start = data.draw(st.sampled_from(starts))
    end = original.index(b"\n", start)
    kind = data.draw(st.sampled_from(KINDS))
    shape = tuple(data.draw(st.lists(st.integers(-2, 2**40), max_size=4)))
    said = (
        f"{{'descr': {kind if kind[0] == '[' else repr(kind)}, 'fortran_order': False, 'shape': {shape}, }}"
    )
    header = said.encode()[: end - start].ljust(end - start)
    with suppress(IntegrityError):
        index = decode_index(original[:start] + header + original[end:], "the index")
        assert sum(getattr(index, item.name).nbytes for item in fields(ShardIndex)) < 100 * len(original)
