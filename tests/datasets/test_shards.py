import gc
import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import webdataset

from turntable.datasets import ObjectRecord, draw_factors, load_recipe
from turntable.datasets.files import decode_jpeg, encode_jpeg
from turntable.datasets.shards import ShardReader, ShardRecord, ShardWriter, find_committed_shard
from turntable.datasets.shards.index import open_index
from turntable.datasets.shards.writer import compute_file_sha256
from turntable.errors import IntegrityError, TurntableError
from turntable.testing.datasets import make_synthetic_objects, write_synthetic_shard

RECIPE = load_recipe("3diebench").replace(name="t", views=4, image_size_px=16, source="folder")
OBJECTS = tuple(item for item in make_synthetic_objects(RECIPE, 12, 3) if item.split == "train")
NAME = "shard-000000"


@pytest.fixture
def shard(tmp_path: Path) -> ShardRecord:
    return write_synthetic_shard(tmp_path, RECIPE, "train", NAME, OBJECTS)


@pytest.fixture
def tar(tmp_path: Path, shard: ShardRecord) -> Path:
    return tmp_path / "train" / f"{NAME}.tar"


def test_the_record_says_what_is_on_disk(tar: Path, shard: ShardRecord) -> None:
    assert (shard.name, shard.split, shard.objects, shard.views) == (NAME, "train", len(OBJECTS), 4)
    assert shard.bytes == tar.stat().st_size
    assert shard.sha256 == compute_file_sha256(tar)
    assert shard.idx_sha256 == compute_file_sha256(tar.with_suffix(".idx"))
    assert sorted(item.name for item in tar.parent.iterdir()) == [f"{NAME}.idx", f"{NAME}.tar"]
    assert find_committed_shard(tar.parent, NAME) == shard


def test_the_same_objects_give_the_same_bytes(tmp_path: Path, tar: Path) -> None:
    again = write_synthetic_shard(tmp_path / "again", RECIPE, "train", NAME, OBJECTS)
    assert again == find_committed_shard(tar.parent, NAME)


def test_bytes_are_what_they_were(tmp_path: Path) -> None:
    # No JPEG of a library: what is fixed here is ours alone, over versions of numpy and Python too.
    record = ObjectRecord("a/b", "a", "train", "folder", "0" * 64)
    with ShardWriter(tmp_path / "train", NAME, RECIPE.schema, RECIPE.label_digest) as writer:
        writer.add(record, draw_factors(RECIPE, "a/b", range(2)), [b"first", b"second" * 100])
        shard = writer.commit()
    assert shard.sha256 == "96653d4033e03a2c18f6fc2d251d7f3e7ce918ab4c860819b9d5cbc6beaaf73a"
    assert shard.idx_sha256 == "ac3db7f8d34eaca80d9e457116d1d1f2b7faf0f0d5762fecececb6b021ae6b32"


def test_views_and_labels_come_back(tar: Path) -> None:
    with ShardReader(tar) as reader:
        assert reader.keys == [item.key for item in OBJECTS]
        assert reader.read_records() == OBJECTS
        for row, item in enumerate(OBJECTS):
            labels = draw_factors(RECIPE, item.id, range(4))
            assert reader.labels[row].tobytes() == labels.tobytes()
        assert decode_jpeg(reader.read_jpeg(2, 3)).shape == (16, 16, 3)
        assert reader.read_jpeg(0, 0) != reader.read_jpeg(0, 1)
        meta = reader.read_meta(1)
    assert meta.get_list("factors", 99) == list(RECIPE.schema.names)
    assert meta.get_text("label_digest") == RECIPE.label_digest
    reader.close()  # twice is no error


def test_a_shard_that_was_closed_is_opened_again_where_it_is_read(tar: Path) -> None:
    reader = ShardReader(tar)
    first = reader.read_jpeg(0, 0)
    reader.close()
    with Path("/dev/null").open() as other:  # takes the descriptor that is free
        assert reader.read_jpeg(0, 0) == first
        del reader
        gc.collect()
        assert other.read() == ""


def test_index_opens_in_stock_numpy_and_as_a_map(tar: Path) -> None:
    path = tar.with_suffix(".idx")
    with np.load(path, allow_pickle=False) as stock:
        mapped = open_index(path)
        kept = {name for name in type(mapped).__dataclass_fields__ if getattr(mapped, name).size}
        assert set(stock.files) == kept
        for name in stock.files:
            array = getattr(mapped, name)
            assert (array == stock[name]).all()
            assert array.dtype == stock[name].dtype
            assert not array.flags.owndata
            assert not array.flags.writeable
            assert array.flags.aligned
    assert (mapped.object_start[1:] == (mapped.object_start + mapped.object_length)[:-1]).all()


# webdataset leaves its files to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_stock_webdataset_reads_a_shard(tar: Path) -> None:
    samples = list(webdataset.WebDataset(str(tar), shardshuffle=False).decode())
    assert [sample["__key__"] for sample in samples] == [item.key for item in OBJECTS]
    with ShardReader(tar) as reader:
        for row, sample in enumerate(samples):
            assert (sample["latents.npy"] == reader.labels[row]).all()
            assert sample["meta.json"]["id"] == OBJECTS[row].id
    raw, *_ = list(webdataset.WebDataset(str(tar), shardshuffle=False))
    with ShardReader(tar) as reader:
        assert [raw[f"{view:03d}.jpg"] for view in range(4)] == [
            reader.read_jpeg(0, view) for view in range(4)
        ]
    gc.collect()


def test_the_tar_program_reads_a_shard(tar: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["tar", "-xvf", str(tar), "-C", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == len(OBJECTS) * 6
    key = OBJECTS[0].key
    assert np.load(tmp_path / f"{key}.latents.npy", allow_pickle=False).shape == (4, 7)
    assert json.loads((tmp_path / f"{key}.meta.json").read_text())["key"] == key


def test_nothing_is_left_without_a_commit(tmp_path: Path) -> None:
    labels = draw_factors(RECIPE, "a/b", range(1))
    with pytest.raises(KeyError), ShardWriter(tmp_path / "train", NAME, RECIPE.schema, "") as writer:  # noqa: PT012
        writer.add(ObjectRecord("a/b", "a", "train", "folder", ""), labels, [b"x"])
        raise KeyError
    assert list((tmp_path / "train").iterdir()) == []


def test_a_writer_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    folder.mkdir()
    (folder / f".{NAME}.tar.999999.tmp").write_bytes(b"half a shard")
    other = folder / ".shard-000001.tar.999999.tmp"
    other.write_bytes(b"of another process, perhaps alive")
    write_synthetic_shard(tmp_path, RECIPE, "train", NAME, OBJECTS[:1])
    assert sorted(item.name for item in folder.iterdir()) == [other.name, f"{NAME}.idx", f"{NAME}.tar"]


def test_a_disk_that_forgets_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(file: object) -> None:
        file.flush()  # type: ignore[attr-defined]
        with Path(file.name).open("r+b") as again:  # type: ignore[attr-defined]
            again.seek(2000)
            again.write(b"\xff\x00")

    monkeypatch.setattr("turntable.datasets.shards.writer.flush_to_disk", forgetful)
    with pytest.raises(IntegrityError, match="gave back other bytes"):
        write_synthetic_shard(tmp_path, RECIPE, "train", NAME, OBJECTS)
    assert list((tmp_path / "train").iterdir()) == []


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("turntable.datasets.shards.writer.flush_to_disk", full)
    with pytest.raises(TurntableError, match=r"shard-000000\.tar: the disk is full"):
        write_synthetic_shard(tmp_path, RECIPE, "train", NAME, OBJECTS)
    assert list((tmp_path / "train").iterdir()) == []


def test_a_cut_shard_is_refused_with_its_remedy(tar: Path) -> None:
    tar.write_bytes(tar.read_bytes()[:-512])
    with pytest.raises(
        IntegrityError, match=r"shard-000000\.tar: \d+ bytes.*cut or edited; re-run `turntable rend"
    ):
        ShardReader(tar)
    assert find_committed_shard(tar.parent, NAME) is None


def test_an_edited_view_is_refused_when_it_is_read(tar: Path) -> None:
    with ShardReader(tar) as reader:
        offset = int(reader.index.offset[1, 2])
    data = bytearray(tar.read_bytes())
    data[offset + 50] ^= 1
    tar.write_bytes(data)
    with ShardReader(tar) as reader:
        reader.read_jpeg(1, 1)
        with pytest.raises(
            IntegrityError, match=f"object {OBJECTS[1].key}, view 2: wrong checksum: .*fetch it again"
        ):
            reader.read_jpeg(1, 2)
    assert find_committed_shard(tar.parent, NAME) is None


def test_a_description_that_is_none_is_refused(tar: Path) -> None:
    data = tar.read_bytes()
    tar.write_bytes(data.replace(b'{"category"', b'!"category"', 1).replace(b'"split"', b'"SPLIT"'))
    with ShardReader(tar) as reader:
        with pytest.raises(IntegrityError, match="its description cannot be read"):
            reader.read_record(0)
        with pytest.raises(IntegrityError, match=r"its description cannot be read \(split is missing\)"):
            reader.read_record(1)


@pytest.mark.parametrize("suffix", [".tar", ".idx"])
def test_a_missing_file_is_named(tar: Path, suffix: str) -> None:
    tar.with_suffix(suffix).unlink()
    with pytest.raises(IntegrityError, match=rf"shard-000000\{suffix}: missing; re-run"):
        ShardReader(tar)
    assert find_committed_shard(tar.parent, NAME) is None


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99])
def test_a_cut_index_is_refused(tar: Path, keep: float) -> None:
    path = tar.with_suffix(".idx")
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep >= 1 else keep * len(data))])
    with pytest.raises(IntegrityError, match="not a whole index of a shard"):
        open_index(path)


def test_an_index_with_pickles_or_compression_is_refused(tar: Path) -> None:
    path = tar.with_suffix(".idx")
    with np.load(path) as stock:
        arrays = dict(stock)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    with pytest.raises(IntegrityError, match="is compressed"):
        open_index(path)
    with path.open("wb") as file:
        np.savez(file, **{**arrays, "keys": np.array([{}], dtype=object)})
    with pytest.raises(IntegrityError, match="not a plain array"):
        open_index(path)


def test_an_index_whose_arrays_disagree_is_refused(tar: Path) -> None:
    path = tar.with_suffix(".idx")
    with np.load(path) as stock:
        arrays = dict(stock)
    with path.open("wb") as file:
        np.savez(file, **{**arrays, "size": arrays["size"][:, 1:]})
    with pytest.raises(IntegrityError, match="do not fit each other"):
        open_index(path)


def test_strict_decoding_and_sizes() -> None:
    image = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    data = encode_jpeg(image, 95, "444")
    assert hashlib.sha256(data).digest() == hashlib.sha256(encode_jpeg(image, 95, "444")).digest()
    assert np.abs(decode_jpeg(data).astype(int) - image).mean() < 12
    out = np.empty((16, 16, 3), dtype=np.uint8)
    assert (decode_jpeg(data, out) == decode_jpeg(data)).all()
    assert (out == decode_jpeg(data)).all()
    with pytest.raises(IntegrityError, match="does not decode"):
        decode_jpeg(data[: len(data) // 2])
    with pytest.raises(IntegrityError, match="16 x 16, not 32 x 32"):
        decode_jpeg(data, np.empty((32, 32, 3), dtype=np.uint8))
    with pytest.raises(IntegrityError):
        decode_jpeg(data, np.empty((8, 8, 3), dtype=np.uint8))


def test_red_stays_red() -> None:
    image = np.zeros((16, 16, 3), dtype=np.uint8)
    image[..., 0] = 200
    assert decode_jpeg(encode_jpeg(image)).mean(axis=(0, 1))[0] > 190
