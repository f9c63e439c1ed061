"""Copies of data sets from any place to any place."""

import errno
import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.places import edit
from turntable.datasets import copy_dataset, open_dataset, open_store, verify_dataset
from turntable.datasets.copying.destination import MARK_NAME
from turntable.datasets.query import make_subset_manifest
from turntable.datasets.stores import Download, LocalStore
from turntable.datasets.stores.cache.partial_file import PartialFile
from turntable.errors import IntegrityError, InvalidInputError, StoreError
from turntable.testing.datasets import make_synthetic_dataset


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_web_servers_set_comes_whole_with_all_that_lies_beside_it(made, server, tmp_path) -> None:
    seen: list[tuple[int, int]] = []
    counts = copy_dataset(f"{server.url}/set/", tmp_path / "out", lambda *told: seen.append(told))
    assert contents(tmp_path / "out") == contents(made.path)
    assert {"quarantine.jsonl", "warnings.jsonl", "README.md", "croissant.json"} <= contents(made.path).keys()
    assert verify_dataset(tmp_path / "out", deep=True).ok
    assert seen == sorted(seen)
    assert seen[-1] == (counts.sent_bytes, counts.sent_bytes)
    before = server.sent_in_all()
    again = copy_dataset(f"{server.url}/set", tmp_path / "out")
    assert (again.num_sent, again.num_present) == (0, counts.num_sent)
    assert server.count(".tar") == len(made.manifest.shards)  # none was asked for again
    assert server.sent_in_all() - before < counts.sent_bytes


@pytest.mark.slow
def test_from_bucket_to_bucket_and_back(made, s3_server, tmp_path) -> None:
    bucket = s3_server()
    sent = copy_dataset(made.path, f"{bucket.url}/first")
    through = copy_dataset(f"{bucket.url}/first", f"{bucket.url}/second")
    back = copy_dataset(f"{bucket.url}/second", tmp_path / "back")
    assert sent == through == back
    assert contents(tmp_path / "back") == contents(made.path)
    assert copy_dataset(f"{bucket.url}/first", f"{bucket.url}/second").num_sent == 0
    assert MARK_NAME not in open_store(f"{bucket.url}/second").list()
    with pytest.raises(InvalidInputError, match="this is the data set itself"):
        copy_dataset(f"{bucket.url}/first", f"{bucket.url}/first/")


def test_a_download_that_breaks_off_goes_on_where_it_was(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("turntable.datasets.stores.retries.MAX_TRIES", 1)
    monkeypatch.setattr("turntable.datasets.stores.cache.resumable_fetch._MIN_PROGRESS_BYTES", 1 << 40)
    shard = "set/train/shard-000001.tar"
    size = (server.folder / shard).stat().st_size
    server.fail("cut", times=1, on=shard)
    with pytest.raises(StoreError, match="ended too early"):
        copy_dataset(f"{server.url}/set", tmp_path / "out")
    with pytest.raises(IntegrityError, match="missing"):
        open_dataset(tmp_path / "out")
    before = server.sent[f"/{shard}"]
    copy_dataset(f"{server.url}/set", tmp_path / "out")
    assert server.sent[f"/{shard}"] - before == size - size // 2
    assert server.asked[-1].path.endswith("manifest.json")
    assert verify_dataset(tmp_path / "out").ok
    assert not [name for name in contents(tmp_path / "out") if Path(name).name.startswith(".")]


@pytest.mark.parametrize("name", ["train/shard-000000.tar", "train/shard-000001.idx", "labels.parquet"])
def test_what_was_altered_at_the_source_is_not_taken(server, tmp_path, name: str) -> None:
    edit(server.folder / "set" / name)
    with pytest.raises(IntegrityError, match=f"{re.escape(name)}: not the file that manifest.json names"):
        copy_dataset(f"{server.url}/set", tmp_path / "out")
    assert not (tmp_path / "out" / name).exists()
    assert not (tmp_path / "out/manifest.json").exists()


def test_what_was_altered_at_the_destination_is_copied_again(server, tmp_path) -> None:
    copy_dataset(f"{server.url}/set", tmp_path / "out")
    edit(tmp_path / "out/train/shard-000000.tar")
    assert copy_dataset(f"{server.url}/set", tmp_path / "out").num_sent == 1
    assert verify_dataset(tmp_path / "out").ok


def test_a_source_that_changes_between_two_tries_is_told(server, tmp_path) -> None:
    (server.folder / "set/val/shard-000000.tar").rename(tmp_path / "kept")
    with pytest.raises(StoreError, match="missing"):
        copy_dataset(f"{server.url}/set", tmp_path / "out")
    path = server.folder / "set/manifest.json"
    table = json.loads(path.read_text())
    table["shards"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(table))
    with pytest.raises(
        InvalidInputError, match="an unfinished copy of another data set, or of this one before"
    ):
        copy_dataset(f"{server.url}/set", tmp_path / "out")


def test_a_source_that_changes_during_the_copy_is_told(server, tmp_path) -> None:
    path = server.folder / "set/manifest.json"

    def change(done: int, total: int) -> None:
        path.write_text(path.read_text().replace("\n", "\n "))

    with pytest.raises(IntegrityError, match="the data set was changed while it was copied; remove"):
        copy_dataset(f"{server.url}/set", tmp_path / "out", change)
    assert not (tmp_path / "out/manifest.json").exists()


def test_a_place_that_holds_something_else_is_refused(made, tmp_path) -> None:
    other = make_synthetic_dataset(tmp_path / "other", num_objects=8, num_views=2, image_size=16, seed=3)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/thesis.tex").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for place, said in (
        (other.path, "holds another data set"),
        (tmp_path / "home", r"is not empty: it holds thesis\.tex; choose an empty or new place"),
        (made.path, "this is the data set itself"),
        (made.path / "copy", "lies in its folder"),
        (tmp_path / "file", "a file"),
    ):
        before = contents(place) if place.is_dir() else {}
        with pytest.raises((InvalidInputError, StoreError), match=said):
            copy_dataset(made.path, place)
        assert (contents(place) if place.is_dir() else {}) == before
    assert (tmp_path / "file").read_text() == "precious"


def test_the_same_set_rendered_elsewhere_is_not_mixed_in(made, tmp_path) -> None:
    copy_dataset(made.path, tmp_path / "out")
    path = tmp_path / "out/manifest.json"
    table = json.loads(path.read_text())
    table["shards"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(table))
    with pytest.raises(InvalidInputError, match="the same data set rendered elsewhere, with other pictures"):
        copy_dataset(made.path, tmp_path / "out")


def test_too_little_space_is_told_before_anything_is_fetched(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Disk(1000))
    with pytest.raises(StoreError, match=r"1\.0 kB are free, about \d+ kB are to be written"):
        copy_dataset(f"{server.url}/set", tmp_path / "out")
    assert server.count(".tar") == 0


class _Disk:
    def __init__(self, free: int) -> None:
        self.free = free


def test_a_disk_that_fills_up_is_the_one_error_and_the_copy_resumes(server, tmp_path, monkeypatch) -> None:
    closed: list[str] = []
    with monkeypatch.context() as patch:
        _fill_up(patch, closed)
        with pytest.raises(
            StoreError, match="the disk is full; free some space and run the same command again"
        ):
            copy_dataset(f"{server.url}/set", tmp_path / "out")
    assert closed  # no response is left to be closed when Python ends
    copy_dataset(f"{server.url}/set", tmp_path / "out")
    assert verify_dataset(tmp_path / "out").ok


def _fill_up(patch: pytest.MonkeyPatch, closed: list[str]) -> None:
    """Let the disk have no room for what arrives, and note the downloads that are closed."""
    real_write, real_close = PartialFile.open_for_writing, Download.close

    class Full:
        def __init__(self, file) -> None:
            self.tell, self.flush, self.fileno = file.tell, file.flush, file.fileno

        def write(self, data: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    @contextmanager
    def opened(part, offset, e_tag):
        with real_write(part, offset, e_tag) as file:
            yield Full(file)

    def close(download) -> None:
        closed.append("closed")
        real_close(download)

    patch.setattr(PartialFile, "open_for_writing", opened)
    patch.setattr(Download, "close", close)


def test_a_link_out_of_the_set_is_not_followed(made, tmp_path) -> None:
    copy = Path(shutil.copytree(made.path, tmp_path / "copy"))
    (tmp_path / "private").write_text("TOP-SECRET")
    (copy / "README.md").unlink()
    (copy / "README.md").symlink_to(tmp_path / "private")
    with pytest.raises(IntegrityError, match="a link that leads out of the data set"):
        copy_dataset(copy, tmp_path / "out")
    copy_dataset(copy, tmp_path / "out", links_under=[tmp_path])
    assert (tmp_path / "out/README.md").read_text() == "TOP-SECRET"


def test_the_manifest_of_a_subset_travels_too(made, tmp_path) -> None:
    folder = tmp_path / "sub"
    copy_dataset(made.path, folder)
    subset = make_subset_manifest(open_dataset(folder), "floor_hue < 0.5")
    (folder / "manifest.json").write_text(subset.to_json())
    copy_dataset(folder, tmp_path / "out")
    assert open_dataset(tmp_path / "out").manifest.subset == subset.subset


def test_the_command_copies_and_goes_on(server, tmp_path) -> None:
    command = [sys.executable, "-m", "turntable", "copy", f"{server.url}/set", str(tmp_path / "out")]
    for said in (
        r"out: 17 files sent \(\d+ kB\), 0 were already there",
        r"out: 0 files sent .* 17 were already",
    ):
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
        )
        assert re.search(said, done.stdout)


def test_a_store_that_cannot_be_written_says_so(made, server) -> None:
    with pytest.raises(StoreError, match="read-only; write to a folder, s3:// or gs://"):
        copy_dataset(made.path, f"{server.url}/new")


def test_two_copies_into_one_folder_do_not_mix(made, tmp_path) -> None:
    def copy_too(done: int, total: int) -> None:
        with pytest.raises(InvalidInputError, match="another run is writing there"):
            copy_dataset(made.path, LocalStore(tmp_path / "out"))

    copy_dataset(made.path, tmp_path / "out", copy_too)
    assert verify_dataset(tmp_path / "out").ok
