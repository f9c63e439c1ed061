import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.processes import wait_until
from turntable.datasets.stores import LocalStore
from turntable.datasets.stores.cache import ShardCache, make_default_cache
from turntable.datasets.stores.web import HttpStore
from turntable.errors import IntegrityError, StoreError

DATA = os.urandom(4_000_000)
DIGEST = sha256(DATA).hexdigest()


@pytest.fixture
def server(http_server, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.tar").write_bytes(DATA)
    return http_server(tmp_path / "files")


@pytest.fixture
def cache(tmp_path):
    return ShardCache(tmp_path / "cache", 50_000_000)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr("turntable.datasets.stores.retries.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("turntable.datasets.stores.web.store._READ_S", 0.5)


def files_in(cache: ShardCache) -> list[str]:
    return sorted(path.name for path in cache.folder.glob("??/*"))


def get(cache: ShardCache, store, name="a.tar", data=DATA) -> bytes:
    return cache.fetch_file(store, name, len(data), sha256(data).hexdigest()).read_bytes()


def test_a_file_is_fetched_once_and_kept_by_its_content(server, cache):
    store = HttpStore(server.url)
    for _ in range(3):
        assert get(cache, store) == DATA
    assert len(server.asked) == 1
    assert files_in(cache) == [DIGEST]  # no lock, no part, nothing else
    (server.folder / "b.tar").write_bytes(DATA)
    assert get(cache, store, "b.tar") == DATA  # the same content under another name
    assert len(server.asked) == 1


def test_files_of_one_name_do_not_collide(cache, tmp_path):
    stores = []
    for number in range(3):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "shard-000000.tar").write_bytes(b"%d" % number)
        stores.append(LocalStore(tmp_path / f"{number}"))
    for number, store in enumerate(stores):
        assert get(cache, store, "shard-000000.tar", b"%d" % number) == b"%d" % number


@pytest.mark.parametrize("how", ["cut", "stall", "503", "reset"])
def test_a_download_goes_on_where_it_broke_off(server, cache, how):
    server.fail(how, times=3)
    assert get(cache, HttpStore(server.url)) == DATA
    ranges = [item.range for item in server.asked]
    assert len(ranges) == 4
    if how in ("cut", "stall"):
        starts = [int(said.removeprefix("bytes=").rstrip("-")) for said in ranges[1:]]
        assert starts == sorted(starts)
        assert starts[0] > 0
        assert sum(server.sent.values()) <= len(DATA)


def test_a_file_that_changes_between_two_tries_is_fetched_from_its_start(server, cache):
    other = os.urandom(len(DATA))
    (server.folder / "a.tar").write_bytes(other)
    server.fail("cut", times=1)
    store = HttpStore(server.url)
    real = store.download

    def then_changed(name, offset=0, e_tag=""):
        if offset:
            (server.folder / "a.tar").write_bytes(DATA)
        return real(name, offset, e_tag)

    store.download = then_changed  # type: ignore[method-assign]
    assert get(cache, store) == DATA


def test_without_an_e_tag_the_digest_tells_whether_the_parts_fit(server, cache):
    server.gives_e_tags = False
    server.fail("cut", times=2)
    assert get(cache, HttpStore(server.url)) == DATA
    assert sum(server.sent.values()) == len(DATA)
    other = os.urandom(len(DATA))
    part = cache.get_path(sha256(other).hexdigest()).with_name(
        f"{sha256(other).hexdigest()}-{len(DATA)}.part"
    )
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(DATA[:1000])  # of another version
    (server.folder / "a.tar").write_bytes(other)
    assert get(cache, HttpStore(server.url), data=other) == other
    assert [item.range for item in server.asked[-2:]] == ["bytes=1000-", None]


def test_what_is_refused_is_not_asked_for_again_and_again(server, cache):
    for how, requests in (("403", 1), ("html", 1), ("gzip", 1), ("404", 1), ("503", 6)):
        server.asked.clear()
        server.fail(how, times=100)
        with pytest.raises(StoreError):
            get(cache, HttpStore(server.url))
        assert len(server.asked) == requests
        server.faults.clear()


def test_a_server_without_range_serves_from_the_start(server, cache):
    server.knows_range = False
    server.fail("cut", times=2)
    assert get(cache, HttpStore(server.url)) == DATA


def test_altered_and_cut_files_are_fetched_again_then_told(server, cache):
    altered = bytearray(DATA)
    altered[1000] ^= 1
    (server.folder / "a.tar").write_bytes(altered)
    with pytest.raises(
        IntegrityError, match=r"a\.tar: not the file that manifest\.json names .another sha256"
    ):
        get(cache, HttpStore(server.url))
    assert len(server.asked) == 2
    assert files_in(cache) == []
    (server.folder / "a.tar").write_bytes(DATA[:-10])
    with pytest.raises(IntegrityError, match=r"3,999,990 bytes, manifest\.json says 4,000,000: cut"):
        get(cache, HttpStore(server.url))
    (server.folder / "a.tar").unlink()
    with pytest.raises(StoreError, match=r"a\.tar: missing"):
        get(cache, HttpStore(server.url))


def test_a_page_in_the_place_of_a_file_is_told(server, cache):
    page = b"<!DOCTYPE html><html><title>Please log in</title></html>"
    server.fail("html", times=100)
    with pytest.raises(StoreError, match="a web page, such as of a login"):
        get(cache, HttpStore(server.url))
    server.faults.clear()
    server.fail("unmarked html", times=100)
    with pytest.raises(IntegrityError, match=r"56 bytes, manifest\.json says 4,000,000: a web page"):
        get(cache, HttpStore(server.url))
    expected = b"x" * len(page)
    with pytest.raises(IntegrityError, match=r"another sha256, twice.: it is a web page"):
        get(cache, HttpStore(server.url), data=expected)


def test_something_wrong_once_is_fetched_again(server, cache):
    (server.folder / "page").write_bytes(b"x" * 56)
    server.fail("unmarked html", times=1)
    assert get(cache, HttpStore(server.url), "page", b"x" * 56) == b"x" * 56


FETCH = """
import sys
from pathlib import Path
from turntable.datasets.stores.cache import ShardCache
from turntable.datasets.stores.web import HttpStore
cache, store = ShardCache(Path(sys.argv[1])), HttpStore(sys.argv[2])
path = cache.fetch_file(store, "a.tar", int(sys.argv[3]), sys.argv[4])
print(len(path.read_bytes()))
"""


def start(cache: ShardCache, server) -> subprocess.Popen:
    command = [sys.executable, "-c", FETCH, str(cache.folder), server.url, str(len(DATA)), DIGEST]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_several_processes_fetch_a_file_once(server, cache):
    server.fail("slow", times=1)
    runs = [start(cache, server) for _ in range(3)]
    assert [run.communicate(timeout=30)[0].strip() for run in runs] == [str(len(DATA))] * 3
    assert len(server.asked) == 1
    assert files_in(cache) == [DIGEST]


def test_what_a_killed_process_has_fetched_is_not_fetched_again(server, cache):
    server.fail("stall", times=1)
    first = start(cache, server)
    part = cache.get_path(DIGEST).with_name(f"{DIGEST}-{len(DATA)}.part")
    wait_until(lambda: part.exists() and part.stat().st_size)
    time.sleep(0.2)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    here = part.stat().st_size
    assert 0 < here < len(DATA)
    assert get(cache, HttpStore(server.url)) == DATA
    assert server.asked[-1].range == f"bytes={here}-"
    assert files_in(cache) == [DIGEST]


def test_least_used_files_go_first_and_open_ones_stay(tmp_path):
    source, cache = LocalStore(tmp_path / "source"), ShardCache(tmp_path / "cache", 350)
    data = {name: bytes([number]) * 100 for number, name in enumerate("abcdef")}
    for name, content in data.items():
        source.write(name, content)

    def kept() -> set[str]:
        return {name for name in data if cache.get_path(sha256(data[name]).hexdigest()).exists()}

    for at, name in enumerate("abc"):
        get(cache, source, name, data[name])
        os.utime(cache.folder / "used" / sha256(data[name]).hexdigest(), (at, at))
    descriptor = cache.open_file(source, "a", 100, sha256(data["a"]).hexdigest())
    os.utime(cache.folder / "used" / sha256(data["a"]).hexdigest(), (0, 0))
    get(cache, source, "d", data["d"])
    assert kept() == {"a", "c", "d"}  # a is older than b, but open
    assert os.pread(descriptor, 3, 0) == data["a"][:3]
    os.close(descriptor)
    get(cache, source, "e", data["e"])
    assert kept() == {"c", "d", "e"}
    assert cache.count_used_bytes() == 300
    held = [cache.open_file(source, name, 100, sha256(data[name]).hexdigest()) for name in "cde"]
    with pytest.raises(StoreError, match=r"do not fit beside .* in use .*set TURNTABLE_CACHE_GB higher"):
        get(cache, source, "f", data["f"])
    for descriptor in held:
        os.close(descriptor)
    assert get(cache, source, "f", data["f"]) == data["f"]


def test_a_full_cache_waits_a_moment_for_what_a_reader_lets_go_of(tmp_path):
    source, cache = LocalStore(tmp_path / "source"), ShardCache(tmp_path / "cache", 150)
    for name in "ab":
        source.write(name, name.encode() * 100)
    descriptor = cache.open_file(source, "a", 100, sha256(b"a" * 100).hexdigest())
    reader = threading.Timer(0.1, os.close, [descriptor])
    reader.start()
    assert get(cache, source, "b", b"b" * 100) == b"b" * 100
    reader.join()


def test_parts_of_processes_that_are_gone_make_room_too(tmp_path):
    source, cache = LocalStore(tmp_path / "source"), ShardCache(tmp_path / "cache", 250)
    source.write("x", b"x" * 100)
    old = cache.get_path("ab" * 32).with_name("ab" * 32 + "-200.part")
    old.parent.mkdir(parents=True)
    old.write_bytes(b"y" * 200)
    assert get(cache, source, "x", b"x" * 100) == b"x" * 100
    assert not old.exists()


def test_a_file_that_was_altered_here_is_thrown_away(server, cache):
    store = HttpStore(server.url)
    path = cache.fetch_file(store, "a.tar", len(DATA), DIGEST)
    assert not cache.discard_if_changed(DIGEST)
    path.write_bytes(bytes(len(DATA)))
    assert cache.discard_if_changed(DIGEST)
    assert get(cache, store) == DATA
    path.write_bytes(DATA[:5])  # cut: its length tells
    assert get(cache, store) == DATA


def test_a_folder_that_cannot_be_written_is_told(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="set TURNTABLE_CACHE to another folder"):
        get(ShardCache(tmp_path / "file" / "cache"), HttpStore(server.url))


FORK = """
import fcntl, os, signal, sys, time
from pathlib import Path
from turntable.datasets.stores.cache.safe_folder import SafeFolder
from turntable.datasets.stores.cache.locks import hold_lock
with SafeFolder.open_folder(Path(sys.argv[1])) as folder, hold_lock(folder, "x"):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    waiter = os.open(Path(sys.argv[1], "x.lock"), os.O_RDWR)
try:
    fcntl.flock(waiter, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where the child holds it
finally:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


def test_a_lock_does_not_stay_with_a_child_that_was_forked_meanwhile(tmp_path):
    subprocess.run([sys.executable, "-c", FORK, str(tmp_path)], check=True, timeout=30)


def test_a_file_does_not_stay_with_a_child_that_was_forked_while_it_was_fetched(cache, tmp_path):
    source, children = LocalStore(tmp_path / "files"), []
    source.write("a", DATA)

    class Forking(LocalStore):
        def download(self, name, offset=0, e_tag=""):
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
            return super().download(name, offset, e_tag)

    try:
        path = cache.fetch_file(Forking(source.folder), "a", len(DATA), DIGEST)
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as who lets go of it does
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert len(children) == 1


def test_strange_files_in_the_folder_are_let_go_like_others(tmp_path):
    source, cache = LocalStore(tmp_path / "source"), ShardCache(tmp_path / "cache", 250)
    source.write("x", b"x" * 100)
    for name in ("old.part", "a-b.part", "-.part"):
        (cache.folder / "ab").mkdir(parents=True, exist_ok=True)
        (cache.folder / "ab" / name).write_bytes(b"y" * 100)
    assert get(cache, source, "x", b"x" * 100) == b"x" * 100
    assert cache.count_used_bytes() <= 250


def test_the_usual_place_and_bound(monkeypatch, tmp_path):
    for name in ("TURNTABLE_CACHE", "TURNTABLE_CACHE_GB", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert make_default_cache() == ShardCache(tmp_path / ".cache" / "turntable" / "shards", 100 * 10**9)
    monkeypatch.setenv("XDG_CACHE_HOME", "/big")
    assert make_default_cache().folder == Path("/big/turntable/shards")
    monkeypatch.setenv("TURNTABLE_CACHE", "/own")
    monkeypatch.setenv("TURNTABLE_CACHE_GB", "0.5")
    assert make_default_cache() == ShardCache(Path("/own"), 500_000_000)
    monkeypatch.setenv("TURNTABLE_CACHE_GB", "much")
    with pytest.raises(StoreError, match="TURNTABLE_CACHE_GB=much: give a number"):
        make_default_cache()


def test_a_user_without_a_home_gives_a_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("TURNTABLE_CACHE", raising=False)
    monkeypatch.setattr("turntable.datasets.stores.cache.shard_cache.get_cache_home", lambda: None)
    with pytest.raises(StoreError, match="no home folder for a cache; set TURNTABLE_CACHE"):
        make_default_cache()
    assert make_default_cache(tmp_path).folder == tmp_path


def test_a_full_disk_is_told_and_nothing_half_is_left_as_whole(server, cache, monkeypatch):
    import errno

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", full)
        with pytest.raises(StoreError, match="the disk is full"):
            get(cache, HttpStore(server.url))
    assert DIGEST not in files_in(cache)
    assert get(cache, HttpStore(server.url)) == DATA
