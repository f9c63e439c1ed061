import hashlib
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import obstore
import pytest
from s3_server import FAULTS, KEY, READ_ONLY_KEY, SECRET, S3Bucket
from synthetic import synthetic_objects, write_synthetic_shard

from turntable.datasets.recipe import load_recipe
from turntable.datasets.shard_reader import ShardReader, local_shards, store_shards
from turntable.datasets.stores import LocalStore, ObjectStore, Store, open_journal, open_store
from turntable.datasets.stores.aws_profile import profile_settings
from turntable.datasets.stores.objects import MEMORY, PART_BYTES
from turntable.errors import IntegrityError, InvalidInputError, StoreError

Servers = Callable[..., S3Bucket]

RECIPE = load_recipe("3diebench").replace(name="t", views=2, image_size_px=16, source="folder")
OBJECTS = tuple(item for item in synthetic_objects(RECIPE, 6, 1) if item.split == "train")
LARGE = np.random.default_rng(0).bytes(PART_BYTES + 1000)
BAD_NAMES = ["", ".", "..", "../x", "a/../../x", "/etc/x", "a//b", "a/", "a\\b", "a\nb", "a\0b", "./a"]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_of(folder: Path, data: bytes) -> Path:
    path = folder / "to-be-uploaded"
    path.write_bytes(data)
    return path


class StoreTests:
    """The contract. A new store inherits it and gives a ``store`` fixture."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    def test_a_file_is_what_was_written_last(self, store: Store) -> None:
        assert store.read("train/a.bin") is None
        assert store.size("train/a.bin") is None
        assert store.sha256("train/a.bin") is None
        for data in (b"first", b"", bytes(range(256))):
            store.write("train/a.bin", data)
            assert store.read("train/a.bin") == data
            assert store.size("train/a.bin") == len(data)
            assert store.sha256("train/a.bin") == digest(data)
        assert store.read("train") is None
        assert store.list() == ("train/a.bin",)

    def test_ranges(self, store: Store) -> None:
        store.write("x", b"0123456789")
        ranges = [(0, 10), (3, 4), (8, 5), (10, 1), (50, 5), (4, 0)]
        found = [store.read_range("x", offset, size) for offset, size in ranges]
        assert found == [b"0123456789", b"3456", b"89", b"", b"", b""]
        with pytest.raises(StoreError, match=f"{re.escape(store.url)}/y: missing"):
            store.read_range("y", 0, 1)

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_a_name_never_leaves_the_store(self, store: Store, name: str, tmp_path: Path) -> None:
        path = file_of(tmp_path, b"x")
        for use in (
            store.read,
            store.size,
            store.sha256,
            store.delete,
            lambda name: store.read_range(name, 0, 1),
            lambda name: store.write(name, b"x"),
            lambda name: store.upload(name, path, digest(b"x")),
            *([store.list] if name else []),
        ):
            with pytest.raises(InvalidInputError, match="not a name in a store"):
                use(name)
        assert store.list() == ()

    def test_lists_are_of_folders_and_sorted(self, store: Store) -> None:
        names = ("train/b", "train/a", "train/deep/er/c", "train2/d", "trainer", "val/e")
        for name in names:
            store.write(name, b"1")
        assert store.list() == tuple(sorted(names))
        assert store.list("train") == ("train/a", "train/b", "train/deep/er/c")
        assert store.list("train/deep") == ("train/deep/er/c",)
        assert store.list("nothing") == ()

    def test_delete(self, store: Store) -> None:
        store.write("train/a", b"1")
        store.write("train/b", b"2")
        store.delete("train/a")
        store.delete("train/a")
        assert store.list() == ("train/b",)

    @pytest.mark.parametrize("data", [b"", b"small", LARGE], ids=["empty", "small", "large"])
    def test_upload(self, store: Store, tmp_path: Path, data: bytes) -> None:
        path = file_of(tmp_path, data)
        store.write("train/s.tar", b"an older one")
        store.upload("train/s.tar", path, digest(data))
        assert store.read("train/s.tar") == data
        assert store.sha256("train/s.tar") == digest(data)
        assert path.read_bytes() == data
        assert store.list() == ("train/s.tar",)

    def test_upload_of_something_else_leaves_what_was_there(self, store: Store, tmp_path: Path) -> None:
        store.write("s.tar", b"old")
        with pytest.raises(IntegrityError, match="another sha256"):
            store.upload("s.tar", file_of(tmp_path, b"edited"), digest(b"written"))
        assert store.read("s.tar") == b"old"
        assert store.list() == ("s.tar",)

    def test_the_check_leaves_nothing(self, store: Store) -> None:
        store.check_writable()
        assert store.list() == ()
        store.write("a", b"1")
        store.check_writable(1000)
        assert store.list() == ("a",)

    def test_journal(self, store: Store) -> None:
        journal = open_journal(store, "journal-1")
        assert journal.lines() == []
        journal.append("train/shard-000000", '{"first": "ä"}')
        journal.append("val/shard-000000", "second")
        journal.append("train/shard-000000", "third")
        assert journal.lines()[-2:] in (["second", "third"], ["third", "second"])
        assert open_journal(store, "journal-1").lines() == journal.lines()
        assert open_journal(store, "journal-2").lines() == []
        with pytest.raises(InvalidInputError, match="no line end"):
            journal.append("x", "two\nlines")
        with pytest.raises(InvalidInputError, match="not a name"):
            journal.append("../x", "line")

    def test_shards_read_as_from_a_disk(self, store: Store, tmp_path: Path) -> None:
        shard = write_synthetic_shard(tmp_path, RECIPE, "train", "shard-000000", OBJECTS)
        store.upload("train/shard-000000.tar", tmp_path / "train/shard-000000.tar", shard.sha256)
        index = (tmp_path / "train/shard-000000.idx").read_bytes()
        store.write("train/shard-000000.idx", index)
        with local_shards(tmp_path)(shard) as here, store_shards(store)(shard) as there:
            assert there.keys == here.keys
            assert there.records() == here.records() == OBJECTS
            np.testing.assert_array_equal(there.latents, here.latents)
            for row, view in np.ndindex(len(OBJECTS), RECIPE.views):
                assert there.read(row, view) == here.read(row, view)


class TestLocal(StoreTests):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return LocalStore(tmp_path / "new" / "set")


class TestMemory(StoreTests):
    @pytest.fixture
    def store(self) -> Store:
        return ObjectStore(MEMORY)


class TestS3(StoreTests):
    @pytest.fixture
    def store(self, s3_server: Servers) -> Store:
        return open_store(f"{s3_server().url}/sets/mine")


class TestS3ThatFailsEveryThirdRequest(StoreTests):
    @pytest.fixture
    def store(self, s3_server: Servers) -> Store:
        return open_store(f"{s3_server(fail_every=3).url}/mine/")


class TestGoogle(StoreTests):
    """Against S3 in Google's dialect: multipart uploads and headers are as Google's API documents them."""

    @pytest.fixture
    def store(self, gcs_server: Servers) -> Store:
        return open_store(f"{gcs_server(fail_every=3).url}/sets/mine")


@pytest.mark.parametrize("how", FAULTS[1:])  # the first meets the whole contract
def test_nothing_is_lost_or_doubled_by_faults(s3_server: Servers, tmp_path: Path, how: str) -> None:
    bucket = s3_server(fail_every=3, how=how)
    store, journal = open_store(bucket.url), open_journal(open_store(bucket.url))
    path = file_of(tmp_path, LARGE)
    store.check_writable()
    for number in range(2):
        store.upload(f"train/{number}.tar", path, digest(LARGE))
        store.write(f"train/{number}.idx", b"index %d" % number)
        journal.append(f"train/{number}", f"line {number}")
    store.delete("train/1.idx")
    assert store.read("train/0.tar") == store.read_range("train/1.tar", 0, len(LARGE)) == LARGE
    assert store.sha256("train/1.tar") == digest(LARGE)
    assert store.size("train/1.idx") is None
    assert journal.lines() == ["line 0", "line 1"]
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
    open_store(bucket.url).upload("a.tar", file_of(tmp_path, LARGE), digest(LARGE))
    assert bucket.counts() == {"POST": 2, "PUT": 2, "all": 4}


def test_a_checksum_of_another_kind_is_settled_by_reading_back(tmp_path: Path) -> None:
    """The memory store's is a counter, as are those of encrypted buckets something of their own."""
    store = ObjectStore(MEMORY)
    store.upload("a", file_of(tmp_path, b"right"), digest(b"right"))
    put = obstore.put
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda _: None)
        patch.setattr(obstore, "put", lambda client, name, file, **more: put(client, name, b"wrong", **more))
        with pytest.raises(IntegrityError, match="memory:///b: the store gives back other bytes"):
            store.upload("b", file_of(tmp_path, b"right"), digest(b"right"))


def test_many_threads_share_a_store(s3_server: Servers) -> None:
    store = open_store(s3_server(fail_every=4).url)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.write(f"x/{n:02d}", b"%d" % n), range(40)))
        assert list(pool.map(store.read, store.list("x"))) == [b"%d" % n for n in range(40)]


IN_ANOTHER_PROCESS = """
import pickle, sys
store = pickle.loads(sys.stdin.buffer.read())
print(store.read("a"), store.url, repr(store))
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
    assert done.stdout.decode().strip() == f"b'hello' {store.url} ObjectStore({store.url!r})"


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


# What is wrong is said before any work, once, without secrets.


def refusal(url: str) -> str:
    store = open_store(url)
    with pytest.raises(StoreError) as caught:
        store.check_writable()
    text = str(caught.value)
    assert text.startswith(url)
    assert len(text) < 400
    for secret in (SECRET, "Credential=", "Signature"):
        assert secret not in text + repr(store)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return text


def test_wrong_credentials(s3_server: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3_server()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    assert re.search(r"wrong or have expired \(403 InvalidAccessKeyId\); set AWS_ACCESS", refusal(bucket.url))
    assert bucket.counts() == {"PUT": 1, "all": 1}  # one try


def test_no_permission(s3_server: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3_server()
    open_store(bucket.url).write("a", b"1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", READ_ONLY_KEY)
    assert re.search(r"may not do that \(403 AccessDenied\); ask for permission", refusal(bucket.url))
    assert open_store(bucket.url).read("a") == b"1"


def test_missing_bucket(s3_server: Servers) -> None:
    s3_server()
    assert "there is no bucket 'no-such-bucket' (404 NoSuchBucket); make it" in refusal(
        "s3://no-such-bucket/a"
    )
    for use in (lambda store: store.list(), lambda store: store.read("a")):
        with pytest.raises(StoreError, match="there is no bucket 'no-such-bucket'"):
            use(open_store("s3://no-such-bucket/a"))


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "both"])
def test_missing_credentials(s3_server: Servers, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    bucket = s3_server()
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")  # this machine is none of the cloud's
    monkeypatch.setenv("HOME", "/nonexistent")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if missing in (name, "both"):
            monkeypatch.delenv(name)
    assert "credentials were found; set AWS_ACCESS_KEY_ID and" in refusal(bucket.url)


def test_a_server_that_is_down_or_is_none(s3_server: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3_server(fail_every=1)
    assert "the server answered 503 SlowDown to every try; run again later" in refusal(bucket.url)
    assert bucket.counts()["PUT"] == 4
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert re.search(r"nobody answers .*\(Connection refused\); look at the network", refusal(bucket.url))
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    assert "http://127.0.0.1:1 is not encrypted" in refusal(bucket.url)


def test_a_server_without_room(s3_server: Servers) -> None:
    bucket = s3_server(fail_every=1, how="full")
    assert "there is no room left (507 XMinioStorageFull); free some" in refusal(bucket.url)


def test_a_key_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "no.json"))
    assert re.search(
        r"credentials cannot be used \(.*no\.json.*\); set GOOGLE_APPL", refusal("gs://some-bucket/x")
    )
    (tmp_path / "no.json").write_text(f'{{"private_key": "{SECRET}"')
    assert "credentials cannot be used" in refusal("gs://some-bucket/x")


# Profiles of the AWS command line.

PROFILES = f"""[default]
aws_access_key_id = other
aws_secret_access_key = 100%other

[lab]
aws_access_key_id = {KEY}
aws_secret_access_key = {SECRET}
aws_session_token = token
"""


@pytest.fixture
def profiles(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(PROFILES)
    (tmp_path / ".aws/config").write_text(
        "[default]\nregion = eu-west-1\n[profile lab]\nregion = us-west-2\n"
    )
    return {"HOME": str(tmp_path)}


def test_profiles_fill_what_the_environment_leaves(profiles: dict[str, str]) -> None:
    assert profile_settings(profiles) == {
        "region": "eu-west-1",
        "access_key_id": "other",
        "secret_access_key": "100%other",
    }
    lab = profile_settings(profiles | {"AWS_PROFILE": "lab"})
    assert lab["region"], lab["session_token"] == ("us-west-2", "token")
    assert profile_settings(profiles | {"AWS_ACCESS_KEY_ID": "x", "AWS_REGION": "y"}) == {}
    assert profile_settings({"HOME": "/nonexistent"}) == {}


def test_a_store_opens_by_profile(
    s3_server: Servers,
    profiles: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = s3_server()
    for name, value in (profiles | {"AWS_PROFILE": "lab"}).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name)
    open_store(bucket.url).check_writable()
    monkeypatch.setenv("AWS_PROFILE", "nobody's")
    with pytest.raises(StoreError, match="AWS_PROFILE=nobody's: no such profile"):
        open_store(bucket.url).list()


def test_a_spoilt_profile_file_is_named_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text(f"{SECRET} without a section\n")
    with pytest.raises(StoreError, match="cannot be read as a file of AWS profiles") as caught:
        profile_settings({"AWS_SHARED_CREDENTIALS_FILE": str(path), "HOME": str(tmp_path)})
    assert SECRET not in str(caught.value)


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
        "https://host/x",
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
    store = ObjectStore(MEMORY)
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
    data = shard_store.read(name)
    assert data is not None
    shard_store.delete(name)
    if change is not None:
        shard_store.write(name, change(data))
    with pytest.raises(IntegrityError, match=f"^memory:///train/{told.removeprefix('train/')}"):
        ShardReader(TAR, shard_store)


def test_edited_bytes_of_a_remote_shard_are_found(shard_store: Store) -> None:
    data = bytearray(shard_store.read(TAR) or b"")
    with ShardReader(TAR, shard_store) as reader:
        first, start = int(reader.index.offset[0, 0]), int(reader.index.object_start[1])
    data[first + 20] ^= 1
    data[start + 124 : start + 135] = b"not a number"[:11]
    shard_store.write(TAR, bytes(data))
    with ShardReader(TAR, shard_store) as reader:
        assert reader.read(0, 1)
        with pytest.raises(IntegrityError, match=f"{TAR}: object .*, view 0: wrong checksum"):
            reader.read(0, 0)
        with pytest.raises(IntegrityError, match=f"{TAR}: object .*: its description cannot be read"):
            reader.records()


# Folders that take nothing.


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(
            f"this needs a small file system, and mounting one is not permitted: {done.stderr.strip()}"
        )


@pytest.fixture
def full_disk(tmp_path: Path) -> Generator[Path, None, None]:
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Generator[Path, None, None]:
    """It holds one file. Permission bits stop everybody but root, whom a read-only mount stops too."""
    folder = tmp_path / "disk"
    folder.mkdir()
    (folder / "kept").write_bytes(b"kept")
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    mount("--bind", str(folder), str(folder))
    try:
        mount("-o", "remount,bind,ro", str(folder))
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_no_half_file(full_disk: Path, tmp_path: Path) -> None:
    store, big = LocalStore(full_disk / "set"), bytes(400 << 10)
    store.write("a", b"old")
    for use in (
        lambda: store.write("a", big),
        lambda: store.upload("a", file_of(tmp_path, big), digest(big)),
        lambda: store.upload("new/b", file_of(tmp_path, big), digest(big)),
    ):
        with pytest.raises(StoreError, match=r"set/.*: the disk is full; free some space and run the same"):
            use()
        assert store.list() == ("a",)
        assert store.read("a") == b"old"
        assert [path.name for path in full_disk.rglob("*") if path.is_file()] == ["a"]


def test_a_full_disk_is_found_before_the_work(full_disk: Path) -> None:
    store = LocalStore(full_disk)
    store.check_writable(100 << 10)
    with pytest.raises(StoreError, match=r"0\.0 GB are free, about 3\.0 GB are to be written; free some"):
        store.check_writable(3_000_000_000)
    (full_disk / "filler").write_bytes(bytes(256 << 10))
    with pytest.raises(StoreError, match="the disk is full"):
        store.check_writable()
    assert os.listdir(full_disk) == ["filler"]  # noqa: PTH208


@pytest.mark.parametrize("free", [0, 5000, 15_000, 30_000])
def test_a_shard_is_whole_or_none_on_a_full_disk(full_disk: Path, tmp_path: Path, free: int) -> None:
    """Full in the midst of an object, of the end, of the index; with enough room at last, the same shard."""
    whole = write_synthetic_shard(tmp_path / "made", RECIPE, "train", "shard-000000", OBJECTS)
    filler = full_disk / "filler"
    filler.write_bytes(bytes((256 << 10) - free // 4096 * 4096))
    with pytest.raises(StoreError, match="the disk is full"):
        write_synthetic_shard(full_disk, RECIPE, "train", "shard-000000", OBJECTS)
    assert not list((full_disk / "train").glob("*.tar"))
    assert not list((full_disk / "train").glob(".*"))
    filler.unlink()
    assert write_synthetic_shard(full_disk, RECIPE, "train", "shard-000000", OBJECTS) == whole


def test_a_journal_on_a_full_disk_keeps_its_lines(full_disk: Path) -> None:
    journal = open_journal(LocalStore(full_disk))
    journal.append("a", "first")
    filler = full_disk / "filler"
    filler.write_bytes(bytes((256 << 10) - 4096))
    with pytest.raises(StoreError, match=r"journal\.jsonl: the disk is full"):
        journal.append("b", "long " * 10_000)
    assert journal.lines() == ["first"]
    filler.unlink()
    journal.append("c", "third")
    assert journal.lines() == ["first", "third"]


def test_a_folder_for_reading_only(read_only_folder: Path) -> None:
    for store in (LocalStore(read_only_folder), LocalStore(read_only_folder / "new")):
        with pytest.raises(StoreError, match=r"(read-only|no permission)"):
            store.check_writable()
        with pytest.raises(StoreError, match=r"(read-only|no permission)"):
            store.write("a", b"1")
    assert LocalStore(read_only_folder).read("kept") == b"kept"


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for store in (LocalStore(tmp_path / "file"), LocalStore(tmp_path / "file" / "deeper")):
        with pytest.raises(StoreError, match="a file is where a folder should be; choose another place"):
            store.check_writable()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
