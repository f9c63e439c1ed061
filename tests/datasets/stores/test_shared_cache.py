"""What others may say and plant: digests of a hostile manifest, and anything at all in a shared folder."""

import os
import resource
import signal
import socket
import stat
import tempfile
from collections.abc import Callable, Generator
from contextlib import nullcontext, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from turntable.datasets.stores import LocalStore, ShardCache
from turntable.datasets.stores.protocol import Download
from turntable.errors import IntegrityError, StoreError

DATA = bytes(range(256)) * 100
DIGEST = sha256(DATA).hexdigest()
OTHER_USER = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user, or make devices")


@pytest.fixture
def source(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "source")
    store.write("a", DATA)
    return store


@pytest.fixture
def cache(tmp_path: Path) -> ShardCache:
    return ShardCache(tmp_path / "cache", 1_000_000)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that nothing may happen to, alone in its folder."""
    path = tmp_path / "precious" / "victim"
    path.parent.mkdir()
    path.write_bytes(b"precious")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


@pytest.fixture(autouse=True)
def _never_waits_or_swells() -> Generator[None, None, None]:

    def stop(*_: object) -> None:
        raise TimeoutError("waited for what never comes")

    before, limits = signal.signal(signal.SIGALRM, stop), resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), limits[1]))
    signal.alarm(20)
    yield
    signal.alarm(0)
    resource.setrlimit(resource.RLIMIT_AS, limits)
    signal.signal(signal.SIGALRM, before)


def get(cache: ShardCache, store: LocalStore, size: int = len(DATA)) -> bytes:
    descriptor = cache.opened(store, "a", size, DIGEST)
    try:
        return os.pread(descriptor, 1_000_000, 0)
    finally:
        os.close(descriptor)


def tree(folder: Path) -> dict[str, object]:
    """All that is in a folder, with contents, modes and times of change."""
    return {
        str(path): (
            path.read_bytes() if path.is_file() else None,
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }


def is_untouched(victim: Path) -> bool:
    return (
        victim.read_bytes() == b"precious"
        and victim.stat().st_mtime == 1_000_000_000
        and [path.name for path in victim.parent.iterdir()] == ["victim"]
    )


# Digests of a manifest.


@pytest.mark.parametrize(
    "digest",
    [
        "../../victim",
        "../precious/victim",
        "/etc/passwd",
        "",
        ".",
        "..",
        DIGEST.upper(),
        DIGEST + "\n",
        "\n" + DIGEST,
        DIGEST + " ",
        DIGEST[:-1],
        DIGEST + "0",
        DIGEST[:63] + "/",
        DIGEST[:63] + "\0",
        DIGEST[:32] + "/" + DIGEST[33:],
        "\N{ARABIC-INDIC DIGIT ONE}" * 64,
        "\N{FULLWIDTH LATIN SMALL LETTER A}" * 64,
        "g" * 64,
        "a" * 1_000_000,
        None,
        5,
        ["a"] * 64,
        DIGEST.encode(),
    ],
    ids=lambda digest: repr(digest)[:30],
)
def test_what_is_no_digest_names_no_file(
    cache: ShardCache, source: LocalStore, tmp_path, victim, digest
) -> None:
    before = tree(tmp_path)
    for use in (
        cache.path_of,
        cache.opened_if_kept,
        cache.discard_altered,
        lambda digest: cache.file(source, "a", len(DATA), digest),
        lambda digest: cache.opened(source, "a", len(DATA), digest),
    ):
        with pytest.raises(IntegrityError, match="not 64 lower-case hexadecimal digits") as caught:
            use(digest)
        assert len(str(caught.value)) < 400
        assert "victim" not in str(caught.value)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("size", [-1, 10**30, 1.5, float("nan"), "1/../../../victim", None, True, [1]])
def test_what_is_no_size_names_no_part(cache: ShardCache, source: LocalStore, tmp_path, size) -> None:
    before = tree(tmp_path)
    with pytest.raises(IntegrityError, match="a: its size is not a number of bytes"):
        cache.opened(source, "a", size, DIGEST)
    assert tree(tmp_path) == before


def test_a_size_that_is_wrong_costs_no_file(cache: ShardCache, source: LocalStore) -> None:
    kept = cache.file(source, "a", len(DATA), DIGEST)
    for size in (1, len(DATA) + 1, 0):
        with pytest.raises(IntegrityError, match=rf"manifest\.json says {size:,} bytes, .* has 25,600"):
            cache.file(source, "another/name", size, DIGEST)
        assert kept.read_bytes() == DATA
    assert cache.file(source, "of/another/set", len(DATA), DIGEST) == kept


def test_a_size_that_never_fits_lets_nothing_go(cache: ShardCache, source: LocalStore) -> None:
    kept = cache.file(source, "a", len(DATA), DIGEST)
    with pytest.raises(StoreError, match="do not fit beside 0 MB that are in use in a cache of 1 MB"):
        cache.opened(source, "a", 10**15, DIGEST[::-1])
    assert kept.read_bytes() == DATA


# Things in the place of files.


def link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def dangling_link(path: Path, victim: Path) -> None:
    path.symlink_to(victim.parent / "new")


def relative_link(path: Path, victim: Path) -> None:
    path.symlink_to(os.path.relpath(victim, path.parent))


def link_loop(path: Path, victim: Path) -> None:
    path.symlink_to(path.name)


def hard_link(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


def pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


def local_socket(path: Path, victim: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
    os.chdir(here)
    (path.parent / "socket").rename(path)


def folder(path: Path, victim: Path) -> None:
    path.mkdir()


def folder_of_files(path: Path, victim: Path) -> None:
    path.mkdir()
    (path / "x").write_bytes(b"x")


def endless_device(path: Path, victim: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))


def full_device(path: Path, victim: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 7))


KINDS = [
    link,
    dangling_link,
    relative_link,
    link_loop,
    hard_link,
    pipe,
    local_socket,
    folder,
    folder_of_files,
    pytest.param(endless_device, marks=as_root),
    pytest.param(full_device, marks=as_root),
]
PLACES = {
    "file": f"{DIGEST[:2]}/{DIGEST}",
    "part": f"{DIGEST[:2]}/{DIGEST}-{len(DATA)}.part",
    "e-tag": f"{DIGEST[:2]}/{DIGEST}-{len(DATA)}.part.etag",
    "lock": f"{DIGEST[:2]}/{DIGEST}.lock",
    "room": "room.lock",
    "use": f"used/{DIGEST}",
}


@pytest.mark.parametrize("plant", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_what_stands_in_the_place_of_a_file_leads_nowhere(
    cache: ShardCache, source: LocalStore, victim: Path, place: str, plant: Callable[[Path, Path], None]
) -> None:
    path = cache.folder / PLACES[place]
    path.parent.mkdir(parents=True)
    plant(path, victim)
    # What cannot be removed is told, where it is in the way.
    stays = plant is folder_of_files and place not in ("e-tag", "use")
    with pytest.raises(StoreError, match="not empty") if stays else nullcontext():
        for _ in range(2):
            assert get(cache, source) == DATA
    with suppress(StoreError):
        cache.discard_altered(DIGEST)
    with suppress(StoreError):
        descriptor = cache.opened_if_kept(DIGEST)
        if descriptor is not None:
            os.close(descriptor)
    assert is_untouched(victim)


@pytest.mark.parametrize("plant", KINDS)
def test_what_stands_in_the_place_of_an_index_is_not_opened(
    cache: ShardCache, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    path = cache.folder / PLACES["file"]
    path.parent.mkdir(parents=True)
    plant(path, victim)
    with pytest.raises(StoreError, match="not empty") if plant is folder_of_files else nullcontext():
        assert cache.opened_if_kept(DIGEST) is None
        assert list(path.parent.iterdir()) == []
    assert is_untouched(victim)


def test_a_link_to_another_file_of_the_same_size_is_not_read(
    cache: ShardCache, source: LocalStore, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(len(DATA)))
    path = cache.folder / PLACES["file"]
    path.parent.mkdir(parents=True)
    path.symlink_to(secret)
    assert get(cache, source) == DATA
    assert secret.read_bytes() == bytes(len(DATA))


@pytest.mark.parametrize("plant", [link, dangling_link, relative_link, link_loop, pipe])
@pytest.mark.parametrize("place", [DIGEST[:2], "used"])
def test_what_stands_in_the_place_of_a_folder_leads_nowhere(
    cache: ShardCache, source: LocalStore, victim: Path, place: str, plant: Callable[[Path, Path], None]
) -> None:
    cache.folder.mkdir()
    aim = victim.parent if plant in (link, relative_link) else victim
    plant(cache.folder / place, aim)
    if place == "used":
        assert get(cache, source) == DATA
    else:
        for use in (lambda: get(cache, source), lambda: cache.opened_if_kept(DIGEST)):
            with pytest.raises(StoreError, match=f"{place} is not a folder .*a link.* set TURNTABLE_CACHE"):
                use()
    assert cache.used_bytes() <= len(DATA)
    assert is_untouched(victim)


def test_the_folder_itself_may_be_a_link(cache: ShardCache, source: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    cache.folder.symlink_to(tmp_path / "elsewhere")
    assert get(cache, source) == DATA
    assert (tmp_path / "elsewhere" / PLACES["file"]).read_bytes() == DATA


@pytest.mark.parametrize("plant", KINDS)
def test_room_is_made_around_what_stands_there(
    source: LocalStore, victim: Path, tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    cache = ShardCache(tmp_path / "small", len(DATA) + 100)
    names = (
        "0" * 64,
        "1" * 64 + "-500.part",
        "2" * 64 + "-500.part.etag",
        "3" * 64 + ".lock",
        "x-\u00b2.part",
    )
    for name in names:
        (cache.folder / name[:2]).mkdir(parents=True, exist_ok=True)
        plant(cache.folder / name[:2] / name, victim)
    with suppress(StoreError):
        assert get(cache, source) == DATA
    assert is_untouched(victim)


def test_a_part_that_is_a_hard_link_is_begun_anew(
    cache: ShardCache, source: LocalStore, victim: Path
) -> None:
    part = cache.folder / PLACES["part"]
    part.parent.mkdir(parents=True)
    part.hardlink_to(victim)
    assert get(cache, source) == DATA
    assert not part.exists()
    assert victim.stat().st_nlink == 1
    assert is_untouched(victim)


def test_a_part_that_others_may_write_is_begun_anew(cache: ShardCache, source: LocalStore) -> None:
    part = cache.folder / PLACES["part"]
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA[:1000])
    part.chmod(0o666)
    with part.open("r+b") as kept_open:
        assert get(cache, source) == DATA
        kept_open.write(b"altered")
    assert get(cache, source) == DATA


def changing(store: LocalStore, change: Callable[[int], None]) -> LocalStore:
    """The store, which does something before each of four pieces of a download."""
    real = store.download

    def download(name: str, offset: int = 0, e_tag: str = "") -> Download:
        whole = real(name, offset, e_tag)

        def pieces() -> Generator[bytes, None, None]:
            rest = DATA[whole.offset :]
            for number in range(4):
                change(number)
                yield rest[number * len(rest) // 4 : (number + 1) * len(rest) // 4]

        return Download(whole.size, whole.offset, whole.e_tag, pieces())

    changing_store = _Changing(store.folder)
    changing_store.__dict__["download"] = download
    return changing_store


class _Changing(LocalStore):
    """A LocalStore with a download that can be replaced."""


@pytest.mark.parametrize("plant", [link, dangling_link, hard_link, pipe, folder])
def test_a_part_that_is_swapped_while_it_is_written_leads_nowhere(
    cache: ShardCache, source: LocalStore, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    part = cache.folder / PLACES["part"]

    def swap(number: int) -> None:
        if number == 2:
            part.unlink()
            plant(part, victim)

    assert get(cache, changing(source, swap)) == DATA
    assert get(cache, source) == DATA
    assert is_untouched(victim)


def test_a_part_that_grows_while_it_is_written_is_fetched_again(
    cache: ShardCache, source: LocalStore
) -> None:
    part, grown = cache.folder / PLACES["part"], list[int]()

    def grow(number: int) -> None:
        if number == 3 and not grown:
            grown.append(number)
            with part.open("ab") as file:
                file.write(b"more" * 30_000)

    assert get(cache, changing(source, grow)) == DATA
    assert grown
    assert get(cache, source) == DATA


def test_an_answer_without_an_end_fills_no_disk(cache: ShardCache, source: LocalStore) -> None:
    def endless() -> Generator[bytes, None, None]:
        while True:
            yield bytes(10_000)

    store = _Changing(source.folder)
    store.__dict__["download"] = lambda *_: Download(len(DATA), 0, "", endless())
    with pytest.raises(IntegrityError, match="another sha256, twice"):
        get(cache, store)
    assert cache.used_bytes() == 0


def test_a_lock_that_is_taken_away_lets_no_two_write_one_part(cache: ShardCache, source: LocalStore) -> None:
    lock, found = cache.folder / PLACES["lock"], list[bytes]()

    def once_more(number: int) -> None:
        if number == 2 and not found:
            lock.unlink()
            found.append(get(cache, source))

    assert get(cache, changing(source, once_more)) == DATA
    assert found == [DATA]
    assert get(cache, source) == DATA


def test_an_e_tag_of_any_length_and_kind_is_no_error(cache: ShardCache, source: LocalStore) -> None:
    part = cache.folder / PLACES["part"]
    part.parent.mkdir(parents=True)
    for said in (b"\xff\xfe", b"x" * 5_000_000, b"a\r\nHost: b", b""):
        part.write_bytes(DATA[:1000])
        part.with_name(part.name + ".etag").write_bytes(said)
        assert get(cache, source) == DATA
        cache.path_of(DIGEST).unlink()


# What is trusted.


def test_an_altered_file_of_the_same_size_and_time_is_noticed(cache: ShardCache, source: LocalStore) -> None:
    kept = cache.file(source, "a", len(DATA), DIGEST)
    status = kept.stat()
    altered = bytearray(DATA)
    altered[5] ^= 1
    kept.write_bytes(altered)
    os.utime(kept, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert get(cache, source) == DATA


def test_a_file_swapped_for_another_of_the_same_size_and_time_is_noticed(cache, source) -> None:
    kept = cache.file(source, "a", len(DATA), DIGEST)
    status = kept.stat()
    kept.with_name("other").write_bytes(bytes(len(DATA)))
    os.utime(kept.with_name("other"), ns=(status.st_atime_ns, status.st_mtime_ns))
    kept.with_name("other").replace(kept)
    assert get(cache, source) == DATA


def test_a_file_that_was_planted_is_used_only_if_it_is_what_its_name_says(cache, source, tmp_path) -> None:
    kept = cache.folder / PLACES["file"]
    kept.parent.mkdir(parents=True)
    kept.write_bytes(bytes(len(DATA)))
    assert get(cache, source) == DATA
    kept.unlink()
    kept.write_bytes(DATA)
    (source.folder / "a").unlink()
    assert get(cache, source) == DATA
    kept.write_bytes(DATA[:-1])
    with pytest.raises(StoreError, match="missing"):
        get(cache, source)
    assert not kept.exists()


# Other users.


@pytest.fixture
def shared() -> Generator[ShardCache, None, None]:
    """A cache in which every user may write, and nobody can remove what is another's."""
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o711)
        cache = ShardCache(Path(temporary) / "shared", 1_000_000)
        for name in (".", DIGEST[:2], "used"):
            (cache.folder / name).mkdir(exist_ok=True)
            (cache.folder / name).chmod(0o1777)
        (Path(temporary) / "a").write_bytes(DATA)
        yield cache


def as_other_user(work: Callable[[], object]) -> None:
    """Do something in a child that is another user; what it raises is raised here, as text."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        said = b""
        try:
            os.environ["XDG_CACHE_HOME"] = "/no/home"
            os.setgroups([])
            os.setegid(OTHER_USER)
            os.seteuid(OTHER_USER)
            work()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}".encode()
        os.write(sender, said)
        os._exit(0)
    os.close(sender)
    os.waitpid(child, 0)
    with os.fdopen(receiver, "rb") as told:
        said = told.read().decode()
    if said:
        raise AssertionError(said)


def store_of(cache: ShardCache) -> LocalStore:
    return LocalStore(cache.folder.parent)


@as_root
def test_a_file_that_another_user_fetched_serves_all(shared: ShardCache) -> None:
    assert get(shared, store_of(shared)) == DATA
    (shared.folder.parent / "a").unlink()
    as_other_user(lambda: get(shared, store_of(shared)))


@as_root
def test_a_file_of_another_user_is_trusted_until_it_changes(shared: ShardCache) -> None:
    kept = shared.folder / PLACES["file"]
    as_other_user(lambda: kept.write_bytes(DATA))
    assert get(shared, store_of(shared)) == DATA
    as_other_user(lambda: kept.write_bytes(bytes(len(DATA))))
    assert get(shared, store_of(shared)) == DATA
    assert kept.stat().st_uid == 0


@as_root
def test_what_another_user_left_and_may_not_be_removed_is_told(shared: ShardCache) -> None:
    part = shared.folder / PLACES["part"]
    part.write_bytes(DATA[:1000])
    part.chmod(0o666)
    with pytest.raises(
        AssertionError, match=r"StoreError: .*\.part: neither a part that this user left nor to be"
    ):
        as_other_user(lambda: get(shared, store_of(shared)))
    assert part.read_bytes() == DATA[:1000]


@as_root
def test_what_another_user_left_is_begun_anew_where_it_may_be_removed(shared: ShardCache) -> None:
    part = shared.folder / PLACES["part"]
    part.parent.chmod(0o777)
    as_other_user(lambda: part.write_bytes(bytes(1000)))
    os.chown(part, OTHER_USER, OTHER_USER)
    assert get(shared, store_of(shared)) == DATA
    assert (shared.folder / PLACES["file"]).stat().st_uid == 0


@as_root
def test_a_lock_of_another_user_serves_all_and_one_that_is_closed_is_told(shared: ShardCache) -> None:
    lock = shared.folder / PLACES["lock"]
    lock.touch(0o644)
    as_other_user(lambda: get(shared, store_of(shared)))
    (shared.folder / PLACES["file"]).unlink()
    lock.chmod(0o600)
    with pytest.raises(
        AssertionError, match=r"StoreError: .*no permission; change its owner or mode, or set TURN"
    ):
        as_other_user(lambda: get(shared, store_of(shared)))


@as_root
def test_room_is_made_beside_files_that_cannot_be_read(shared: ShardCache) -> None:
    (shared.folder / DIGEST[:2] / ("0" * 64)).write_bytes(bytes(980_000))
    (shared.folder / DIGEST[:2] / ("0" * 64)).chmod(0o600)
    with pytest.raises(AssertionError, match=r"StoreError: .*do not fit beside 1 MB that are in use"):
        as_other_user(lambda: get(shared, store_of(shared)))
    shared = ShardCache(shared.folder, 1_010_000)
    as_other_user(lambda: get(shared, store_of(shared)))


@as_root
def test_a_folder_that_cannot_be_written_can_be_read(shared: ShardCache) -> None:
    assert get(shared, store_of(shared)) == DATA
    for name in (".", DIGEST[:2], "used"):
        (shared.folder / name).chmod(0o755)
    as_other_user(lambda: get(shared, store_of(shared)))
    as_other_user(lambda: shared.discard_altered(DIGEST))
    with pytest.raises(AssertionError, match=r"StoreError: .*no permission"):
        as_other_user(lambda: shared.file(store_of(shared), "a", len(DATA), DIGEST[::-1]))
