import hashlib
import os
import shutil

import pytest

from turntable.datasets import open_dataset, open_store, prepare_hub_folder, publish
from turntable.datasets.copying.sources import FolderCopySource
from turntable.datasets.stores import LocalStore
from turntable.errors import IntegrityError, InvalidInputError, StoreError
from turntable.loaders import BatchConfig, Loader, Views
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("data") / "set"
    make_synthetic_dataset(place, num_objects=12, num_categories=2, num_views=3, image_size=16)
    return place


class CutError(Exception):
    pass


class CutStore(LocalStore):
    """One that breaks down after so many uploads."""

    left = 3

    def upload(self, name, path, sha256):
        if CutStore.left == 0:
            raise CutError
        CutStore.left -= 1
        super().upload(name, path, sha256)


def test_a_bucket_gets_all_of_it_and_only_what_it_lacks(folder, s3_server):
    bucket = s3_server()
    seen = []
    done = publish(folder, open_store(f"{bucket.url}/set"), lambda *told: seen.append(told))
    assert done.num_sent > 5
    assert done.num_present == 0
    assert seen[-1][0] == seen[-1][1] == done.sent_bytes
    again = publish(folder, open_store(f"{bucket.url}/set"))
    assert (again.num_sent, again.num_present) == (0, done.num_sent)
    loader = Loader(
        f"{bucket.url}/set",
        BatchConfig(split="train", sampler=Views(False), batch_size=4, last_batch="short", output="numpy"),
        cache=False,
    )
    here = Loader(
        folder,
        BatchConfig(split="train", sampler=Views(False), batch_size=4, last_batch="short", output="numpy"),
    )
    for first, second in zip(loader.iter_batches(0), here.iter_batches(0), strict=True):
        assert (first["view"] == second["view"]).all()


def test_an_interrupted_one_goes_on_and_is_no_data_set_before_its_end(folder, tmp_path):
    CutStore.left = 3
    with pytest.raises(CutError):
        publish(folder, CutStore(tmp_path / "out"))
    with pytest.raises(IntegrityError, match="missing"):
        open_dataset(tmp_path / "out")
    done = publish(folder, LocalStore(tmp_path / "out"))
    assert done.num_present == 3
    assert open_dataset(tmp_path / "out").manifest == open_dataset(folder).manifest


def test_what_is_damaged_here_is_not_sent(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    shard = next(copy.glob("train/*.tar"))
    data = bytearray(shard.read_bytes())
    data[600] ^= 1
    shard.write_bytes(data)
    with pytest.raises(IntegrityError, match="not what was written"):
        publish(copy, LocalStore(tmp_path / "out"))
    with pytest.raises(IntegrityError, match="not what was written"):
        prepare_hub_folder(copy, tmp_path / "hub")
    shard.unlink()
    with pytest.raises(IntegrityError, match="missing"):
        publish(copy, LocalStore(tmp_path / "out"))


def test_what_was_altered_there_is_sent_again(folder, tmp_path):
    store = LocalStore(tmp_path / "out")
    publish(folder, store)
    shard = next((tmp_path / "out").glob("train/*.tar"))
    shard.write_bytes(bytes(shard.stat().st_size))
    assert publish(folder, store).num_sent == 1


def test_another_data_set_is_not_written_over(folder, tmp_path):
    make_synthetic_dataset(
        tmp_path / "other", num_objects=8, num_categories=2, num_views=2, image_size=16, seed=3
    )
    publish(folder, LocalStore(tmp_path / "out"))
    with pytest.raises(InvalidInputError, match="holds another data set"):
        publish(tmp_path / "other", LocalStore(tmp_path / "out"))
    prepare_hub_folder(folder, tmp_path / "hub")
    with pytest.raises(InvalidInputError, match="something else"):
        prepare_hub_folder(tmp_path / "other", tmp_path / "hub")
    prepare_hub_folder(folder, tmp_path / "hub")


def test_the_hubs_own_reader_opens_its_layout(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    out = prepare_hub_folder(folder, tmp_path / "hub")
    card = (out / "README.md").read_text()
    assert card.startswith("---\npretty_name: ")
    assert "filter=lfs" in (out / ".gitattributes").read_text()
    rows = datasets.load_dataset(str(out), "views", split="train", streaming=True)
    first = next(iter(rows))
    with open_dataset(folder).open_split("train") as train:
        assert first["__key__"] == train.keys[0]
        assert {"000.jpg", "001.jpg", "002.jpg", "meta.json"} <= first.keys()
    validation = datasets.load_dataset(str(out), "views", split="validation", streaming=True)
    assert next(iter(validation))["__key__"]
    assert open_dataset(out).manifest == open_dataset(folder).manifest
    assert next(out.glob("train/*.tar")).stat().st_nlink > 1


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_hubs_layout_is_not_laid_over_the_data_set(copy, tmp_path):
    before = contents(copy)
    (tmp_path / "link").symlink_to(copy)
    for out in (copy, tmp_path / "link"):
        with pytest.raises(InvalidInputError, match="this is the data set itself, which must not change"):
            prepare_hub_folder(copy, out)
    assert contents(copy) == before


def test_a_layout_that_shares_a_folder_with_the_data_set_takes_nothing_from_it(copy, tmp_path):
    before = contents(copy)
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / ".gitattributes").touch()
    (tmp_path / "hub" / "train").symlink_to(copy / "train")
    prepare_hub_folder(copy, tmp_path / "hub")
    assert contents(copy) == before


@pytest.mark.parametrize("what", ["bytes", "pipe", "file"])
def test_a_place_for_the_hub_that_holds_something_odd_is_refused(copy, tmp_path, what):
    out = tmp_path / "hub"
    if what == "file":
        out.touch()
    else:
        out.mkdir()
        os.mkfifo(out / "manifest.json") if what == "pipe" else (out / "manifest.json").write_bytes(b"\xff")
    with pytest.raises(InvalidInputError, match="choose an empty folder"):
        prepare_hub_folder(copy, out)


def test_a_pipe_in_the_place_of_a_manifest_is_told_and_not_waited_for(copy, tmp_path):
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / "manifest.json")
    with pytest.raises(StoreError, match=r"manifest\.json: a link or no plain file"):
        publish(copy, LocalStore(tmp_path / "out"))


def to_hub(copy, out):
    prepare_hub_folder(copy, out)


def to_store(copy, out):
    publish(copy, LocalStore(out))


@pytest.mark.parametrize("send", [to_hub, to_store])
@pytest.mark.parametrize("name", ["README.md", "train/shard-000000.tar"])
@pytest.mark.parametrize("how", ["link", "pipe", "gone"])
def test_a_file_that_is_swapped_after_it_was_listed_is_not_sent(copy, tmp_path, monkeypatch, send, name, how):
    private, listed = tmp_path / "private", FolderCopySource.list_files
    private.write_text("TOP-SECRET")

    def swapped(source):
        files = listed(source)
        (copy / name).unlink()
        if how == "link":
            (copy / name).symlink_to(private)
        elif how == "pipe":
            os.mkfifo(copy / name)
        return files

    monkeypatch.setattr(FolderCopySource, "list_files", swapped)
    with pytest.raises(IntegrityError, match=f"{name}: (a link that leads out|no ordinary file|missing)"):
        send(copy, tmp_path / "out")
    assert b"TOP-SECRET" not in contents(tmp_path / "out").values()


@pytest.mark.parametrize("send", [to_hub, to_store])
def test_a_file_that_is_swapped_after_it_was_hashed_is_not_sent(copy, tmp_path, monkeypatch, send):
    private, digest = tmp_path / "private", hashlib.file_digest
    private.write_text("TOP-SECRET")

    def hashed(file, name):
        found = digest(file, name)
        table = copy / "labels.parquet"
        if table.exists() and os.fstat(file.fileno()).st_ino == table.lstat().st_ino:
            table.unlink()
            table.symlink_to(private)
        return found

    files = FolderCopySource(open_dataset(copy)).list_files()
    monkeypatch.setattr(FolderCopySource, "list_files", lambda source: files)
    monkeypatch.setattr(hashlib, "file_digest", hashed)
    send(copy, tmp_path / "out")
    assert (copy / "labels.parquet").is_symlink()
    assert not (tmp_path / "out" / "labels.parquet").is_symlink()
    assert (tmp_path / "out" / "labels.parquet").read_bytes()[:4] == b"PAR1"
