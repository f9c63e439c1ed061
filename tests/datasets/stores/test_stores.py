import pickle
import subprocess
import sys
from pathlib import Path

import obstore
import pytest

from tests.support.s3_server import FAULTS, KEY, SECRET, Servers
from turntable.datasets import open_store
from turntable.datasets.shards import ShardReader
from turntable.datasets.stores import LocalStore, Store, open_journal
from turntable.datasets.stores.buckets import BucketStore
from turntable.datasets.stores.buckets.store import MEMORY_URL
from turntable.datasets.stores.cache import ShardCache
from turntable.errors import IntegrityError, InvalidInputError
from turntable.testing.datasets import write_synthetic_shard
from turntable.testing.stores import StoreContract
from turntable.testing.stores.contract import LARGE, OBJECTS, RECIPE, compute_digest, write_file


class TestLocal(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return LocalStore(tmp_path / "new" / "set")


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return BucketStore(MEMORY_URL)

    def test_a_pickled_store_is_the_same_place(self, store: Store) -> None:
        """It is not: the memory is its process's."""
        store.write("a", b"hello")
        assert pickle.loads(pickle.dumps(store)).read("a", 9) is None


class TestS3(StoreContract):
    @pytest.fixture
    def store(self, s3_server: Servers) -> Store:
        return open_store(f"{s3_server().url}/sets/mine")


class TestS3ThatFailsEveryThirdRequest(StoreContract):
    @pytest.fixture
    def store(self, s3_server: Servers) -> Store:
        return open_store(f"{s3_server(fail_every=3).url}/mine/")


class TestGoogle(StoreContract):
    """Against S3 in Google's dialect: multipart uploads and headers are as Google's API documents them."""

    @pytest.fixture
    def store(self, gcs_server: Servers) -> Store:
        return open_store(f"{gcs_server(fail_every=3).url}/sets/mine")


@pytest.mark.parametrize("how", FAULTS)
def test_a_download_is_whole_in_spite_of_faults(s3_server: Servers, tmp_path: Path, how: str) -> None:
    bucket = s3_server()
    store = open_store(bucket.url)
    store.write("a.tar", LARGE)
    bucket.fail(2, how)
    for number in range(3):
        cache = ShardCache(tmp_path / f"{number}")
        assert cache.fetch_file(store, "a.tar", len(LARGE), compute_digest(LARGE)).read_bytes() == LARGE
    assert bucket.counts()["faults"] >= 2


@pytest.mark.parametrize("how", FAULTS[1:])  # the first meets the whole contract
def test_nothing_is_lost_or_doubled_by_faults(s3_server: Servers, tmp_path: Path, how: str) -> None:
    bucket = s3_server(fail_every=3, how=how)
    store, journal = open_store(bucket.url), open_journal(open_store(bucket.url))
    path = write_file(tmp_path, LARGE)
    store.check_writable()
    for number in range(2):
        store.upload(f"train/{number}.tar", path, compute_digest(LARGE))
        store.write(f"train/{number}.idx", b"index %d" % number)
        journal.append_line(f"train/{number}", f"line {number}")
    store.delete("train/1.idx")
    assert store.read("train/0.tar", 1 << 24) == store.read_range("train/1.tar", 0, len(LARGE)) == LARGE
    assert store.get_sha256("train/1.tar") == compute_digest(LARGE)
    assert store.get_size("train/1.idx") is None
    assert journal.read_lines() == ["line 0", "line 1"]
    assert bucket.counts()["faults"] >= 8
    bucket.fail(0)
    assert store.list() == (
        "journal/train/0",
        "journal/train/1",
        "train/0.idx",
        "train/0.tar",
        "train/1.tar",
    )


def test_a_large_file_goes_in_parts_and_is_not_read_back(s3_server: Servers, tmp_path: Path) -> None:
    bucket = s3_server()
    open_store(bucket.url).upload("a.tar", write_file(tmp_path, LARGE), compute_digest(LARGE))
    assert bucket.counts() == {"POST": 2, "PUT": 2, "all": 4}


def test_a_checksum_of_another_kind_is_settled_by_reading_back(tmp_path: Path) -> None:
    """The memory store's is a counter, as are those of encrypted buckets something of their own."""
    store = BucketStore(MEMORY_URL)
    store.upload("a", write_file(tmp_path, b"right"), compute_digest(b"right"))
    put = obstore.put
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda _: None)
        patch.setattr(obstore, "put", lambda client, name, file, **more: put(client, name, b"wrong", **more))
        with pytest.raises(IntegrityError, match="memory:///b: the store gives back other bytes"):
            store.upload("b", write_file(tmp_path, b"right"), compute_digest(b"right"))


IN_ANOTHER_PROCESS = """
import pickle, sys
store = pickle.loads(sys.stdin.buffer.read())
print(store.read("a", 1 << 24), store.url, repr(store))
"""


def test_a_pickled_store_opens_in_another_process(s3_server: Servers) -> None:
    store = open_store(s3_server().url + "/p")
    store.write("a", b"hello")
    pickled = pickle.dumps(store)
    assert len(pickled) < 200
    assert SECRET.encode() not in pickled
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS], input=pickled, stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.decode().strip() == f"b'hello' {store.url} BucketStore({store.url!r})"


AFTER_A_FORK = """
import os, sys
from turntable.datasets.stores import open_store
from turntable.errors import StoreError
store = open_store(sys.argv[1])
if sys.argv[2] == "used":
    store.write("a", b"1")
child = os.fork()
if child == 0:
    try:
        open_store(sys.argv[1]).write("b", b"2")
    except StoreError as error:
        os._exit(3 if "forked" in str(error) and "spawn" in str(error) else 4)
    os._exit(0)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize(("before", "code"), [("used", 3), ("unused", 0)])
def test_a_forked_child_says_so_instead_of_hanging(s3_server: Servers, before: str, code: int) -> None:
    arguments = [sys.executable, "-W", "ignore", "-c", AFTER_A_FORK, s3_server().url, before]
    assert subprocess.run(arguments, check=False, timeout=30).returncode == code


# Opening.


def test_places(tmp_path: Path) -> None:
    assert open_store(tmp_path) == open_store(str(tmp_path)) == open_store(f"file://{tmp_path}")
    assert open_store("file:///a%20b") == LocalStore(Path("/a b"))
    assert open_store("s3://bucket/folder/").url == "s3://bucket/folder"
    assert open_store("gs://bucket").url == "gs://bucket"


@pytest.mark.parametrize(
    "place",
    [
        "s3://",
        "s3:///x",
        "ftp://x/y",
        "s3://b/../c",
        "s3://b/x?y=1",
        "file://host/x",
        "memory://x",
    ],
)
def test_places_that_are_none(place: str) -> None:
    with pytest.raises(InvalidInputError):
        open_store(place)


def test_keys_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidInputError, match="keys do not belong in a URL") as caught:
        open_store(f"s3://{KEY}:{SECRET}@bucket/x")
    assert SECRET not in str(caught.value)


# Shards that are not whole.


@pytest.fixture
def shard_store(tmp_path: Path) -> Store:
    write_synthetic_shard(tmp_path / "made", RECIPE, "train", "shard-000000", OBJECTS)
    store = BucketStore(MEMORY_URL)
    for path in (tmp_path / "made/train").iterdir():
        store.write(f"train/{path.name}", path.read_bytes())
    return store


TAR, INDEX = "train/shard-000000.tar", "train/shard-000000.idx"


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        (TAR, None, "shard-000000.tar: missing"),
        (INDEX, None, "shard-000000.idx: missing"),
        (TAR, lambda data: data[:-1], r"shard-000000.tar: \d+ bytes, its index says \d+: cut or edited"),
        (INDEX, lambda data: data[:-100], "shard-000000.idx: not a whole index of a shard"),
        (INDEX, lambda data: b"", "shard-000000.idx: not a whole index of a shard"),
    ],
)
def test_a_shard_that_is_not_whole_does_not_open(shard_store: Store, name: str, change, told: str) -> None:
    data = shard_store.read(name, 1 << 24)
    assert data is not None
    shard_store.delete(name)
    if change is not None:
        shard_store.write(name, change(data))
    with pytest.raises(IntegrityError, match=f"^memory:///train/{told.removeprefix('train/')}"):
        ShardReader(TAR, shard_store)


def test_edited_bytes_of_a_remote_shard_are_found(shard_store: Store) -> None:
    data = bytearray(shard_store.read(TAR, 1 << 24) or b"")
    with ShardReader(TAR, shard_store) as reader:
        first, start = int(reader.index.offset[0, 0]), int(reader.index.object_start[1])
    data[first + 20] ^= 1
    data[start + 124 : start + 135] = b"not a number"[:11]
    shard_store.write(TAR, bytes(data))
    with ShardReader(TAR, shard_store) as reader:
        assert reader.read_jpeg(0, 1)
        with pytest.raises(IntegrityError, match=f"{TAR}: object .*, view 0: wrong checksum"):
            reader.read_jpeg(0, 0)
        with pytest.raises(IntegrityError, match=f"{TAR}: object .*: its description cannot be read"):
            reader.read_records()
