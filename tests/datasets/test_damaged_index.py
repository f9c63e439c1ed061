"""Indices that are not what was written: refused by name, whatever is wrong with them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from turntable.datasets.shards import ShardReader
from turntable.datasets.shards.index import decode_index, open_index
from turntable.errors import IntegrityError
from turntable.testing.datasets import write_synthetic_shard
from turntable.testing.stores.contract import OBJECTS, RECIPE


@pytest.fixture(scope="module")
def tar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shard")
    write_synthetic_shard(folder, RECIPE, "train", "shard-000000", OBJECTS)
    return folder / "train" / "shard-000000.tar"


def test_the_bytes_of_an_index_are_read_as_its_file_is(tar: Path) -> None:
    path = tar.with_suffix(".idx")
    mapped, parsed = open_index(path), decode_index(path.read_bytes(), "x")
    for name in type(mapped).__dataclass_fields__:
        np.testing.assert_array_equal(getattr(mapped, name), getattr(parsed, name))
        assert not getattr(parsed, name).size or not getattr(parsed, name).flags.writeable


def test_damaged_bytes_are_refused_or_read_as_arrays_that_fit(tar: Path) -> None:
    data = tar.with_suffix(".idx").read_bytes()
    random = np.random.default_rng(0)
    refused: list[str] = []
    for _ in range(1500):
        damaged = np.frombuffer(data, dtype=np.uint8).copy()
        damaged[random.integers(0, len(data), 3)] = random.integers(0, 256, 3)
        try:
            decode_index(damaged.tobytes(), "the index")
        except IntegrityError as error:
            refused.append(str(error))
    assert len(refused) > 500
    assert all(message.startswith("the index: ") for message in refused)


@pytest.mark.parametrize("shape", ["(99999999999999999999999,)", "(-5,)", "(1,", "('a',)"])
def test_shapes_that_cannot_be(tar: Path, shape: str) -> None:
    data = tar.with_suffix(".idx").read_bytes()
    at = data.index(b"'shape': (")
    header = data[at : data.index(b"\n", at)]
    said = f"'shape': {shape}, }}".encode().ljust(len(header))
    with pytest.raises(IntegrityError, match="the index: not a whole index of a shard"):
        decode_index(data.replace(header, said, 1), "the index")


@pytest.mark.parametrize(
    ("offset", "size"), [(0, 1 << 62), (1 << 62, 10), (-1, 10), (512, -5), ((1 << 63) - 1, (1 << 63) - 1)]
)
def test_views_outside_of_the_shard_are_none(tar: Path, offset: int, size: int) -> None:
    with ShardReader(tar) as reader:
        offsets, sizes = reader.index.offset.copy(), reader.index.size.copy()
        offsets[0, 0], sizes[0, 0] = offset, size
        reader.index = replace(reader.index, offset=offsets, size=sizes)
        with pytest.raises(IntegrityError, match=r"view 0: wrong checksum"):
            reader.read_jpeg(0, 0)
        assert reader.read_jpeg(0, 1)
        with pytest.raises(IntegrityError, match=r"view 0: wrong checksum"):
            reader.check_jpeg(0, 0, reader.read_jpeg_span(0, 0, 1)[0])
