"""Places that others wrote to: leases, journals, and the folder where a bucket's shards are built."""

import os
from pathlib import Path

import pytest

from turntable.datasets import open_store
from turntable.datasets.stores import open_journal
from turntable.datasets.stores.buckets import BucketStore
from turntable.datasets.stores.buckets.errors import make_store_error
from turntable.datasets.stores.buckets.store import MEMORY_URL
from turntable.datasets.writing import PLAN_NAME, FolderDestination
from turntable.datasets.writing.destination import StoreDestination
from turntable.datasets.writing.lease import hold_lease
from turntable.errors import IntegrityError, InvalidInputError, RejectedResponseError, StoreError


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    monkeypatch.setattr("turntable.datasets.writing.destination.gettempdir", lambda: str(tmp_path / "tmp"))
    return StoreDestination(BucketStore(MEMORY_URL))


def test_nobody_else_may_write_where_shards_are_built(bucket):
    with bucket.claim(None):
        assert bucket.folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_others_may_write_to_is_refused(bucket):
    bucket.folder.mkdir(parents=True)
    bucket.folder.chmod(0o777)
    for use in (bucket.check_writable, lambda: bucket.claim(None).__enter__()):
        with pytest.raises(StoreError, match=r"other users may write to it.*set TMPDIR"):
            use()


def test_a_link_in_the_place_of_the_folder_is_refused(bucket, tmp_path):
    elsewhere = tmp_path / "mine"
    elsewhere.mkdir(mode=0o700)
    bucket.folder.parent.mkdir()
    bucket.folder.symlink_to(elsewhere)
    for use in (bucket.check_writable, lambda: bucket.claim(None).__enter__()):
        with pytest.raises(StoreError, match="not a folder of yours"):
            use()
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize(
    "lease",
    [
        b"[" * 60_000,
        b'{"renewed": 1' + b"0" * 400 + b', "process": 1, "host": "x"}',
        b'{"renewed": Infinity, "process": 1, "host": "x"}',
        b"\xff",
    ],
)
def test_a_lease_of_no_run_holds_nothing(lease):
    store = BucketStore(MEMORY_URL)
    store.write("leases/run-x.json", lease)
    with hold_lease(store, "leases/run.json", True):
        assert store.read("leases/run.json", 1 << 10)


def test_a_terminal_does_not_obey_a_lease():
    store = BucketStore(MEMORY_URL)
    store.write("leases/run-x.json", b'{"renewed": 1e18, "process": "\\u001b[2J", "host": "x"}')
    with pytest.raises(InvalidInputError, match="another run") as told, hold_lease(store, "leases/a", True):
        pass
    assert str(told.value).isprintable()


def test_a_journal_that_is_no_text_is_told():
    store = BucketStore(MEMORY_URL)
    store.write("journal/train/shard-000000", b"\xff\n")
    with pytest.raises(IntegrityError, match="journal: not UTF-8"):
        open_journal(store).read_lines()


@pytest.mark.parametrize("local", [True, False])
def test_a_plan_that_is_no_text_is_told(bucket, tmp_path, local):
    place = FolderDestination(tmp_path) if local else bucket
    open_store(tmp_path).write(PLAN_NAME, b"\xff")
    bucket.store.write(PLAN_NAME, b"\xff")
    with pytest.raises(IntegrityError, match=r"plan\.json: not UTF-8"):
        place.read_plan()


def test_a_pipe_in_the_place_of_a_plan_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / PLAN_NAME)
    with pytest.raises(StoreError, match="a link or no plain file"):
        FolderDestination(tmp_path).read_plan()


def test_a_terminal_does_not_obey_what_a_store_answers():
    error = make_store_error("s3://b/x", OSError("status code: 400 Bad Request: \x1b[2Jowned"))
    assert str(error).isprintable()


def test_a_listing_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr("turntable.datasets.stores.buckets.store.MAX_LISTED", 5)
    store = BucketStore(MEMORY_URL)
    for number in range(5):
        store.write(f"journal/{number}", b"x")
    assert len(store.list()) == 5
    store.write("other", b"x")
    with pytest.raises(RejectedResponseError, match="more than 5 objects, which no data set has"):
        store.list()
    assert len(store.list("journal")) == 5
