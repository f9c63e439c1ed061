"""Files are hashed once per machine, and again if anything about them changed or nothing can be recorded."""

import os
from collections.abc import Callable, Generator
from hashlib import sha256
from pathlib import Path

import pytest

from turntable.datasets.stores.cache import known_digests

DATA = b"content" * 1000
DIGEST = sha256(DATA).hexdigest()
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(autouse=True)
def notes(_home_of_caches: None, tmp_path: Path) -> Generator[Path, None, None]:
    """The folder of the records, in a process that has read none yet."""
    forget()
    yield tmp_path / "home" / "turntable" / "hashed"
    forget()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever a file is read."""
    times, real = list[int](), known_digests.compute_descriptor_digest
    monkeypatch.setattr(
        known_digests, "compute_descriptor_digest", lambda descriptor: times.append(1) or real(descriptor)
    )
    return times


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(DATA)
    (tmp_path / "file").chmod(0o644)
    return tmp_path / "file"


def forget() -> None:
    """Know as little as a new process."""
    known_digests._get_records_at.cache_clear()


def is_data(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return known_digests.has_digest(descriptor, DIGEST)
    finally:
        os.close(descriptor)


def lines(notes: Path) -> list[str]:
    [text] = notes.iterdir()
    return text.read_text().splitlines()


def test_a_file_is_hashed_once_for_all_processes(path: Path, read: list[int], notes: Path) -> None:
    for _ in range(3):
        assert is_data(path)
        forget()
    assert len(read) == 1
    assert len(lines(notes)) == 1
    assert notes.stat().st_mode & 0o777 == 0o700


def test_what_another_process_notes_is_known_at_once(path: Path, read: list[int], notes: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(DATA)
    assert is_data(path)
    of_another_process = known_digests._DigestRecords(notes)
    of_another_process.add_line(known_digests._format_line(other.stat(), DIGEST))
    assert is_data(other)
    assert of_another_process.has_line(known_digests._format_line(path.stat(), DIGEST))
    assert len(read) == 1


def rewritten(path: Path) -> None:
    times = path.stat()
    path.write_bytes(DATA)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def replaced(path: Path) -> None:
    times = path.stat()
    path.with_name("new").write_bytes(DATA)
    path.with_name("new").chmod(0o644)
    os.utime(path.with_name("new"), ns=(times.st_atime_ns, times.st_mtime_ns))
    path.with_name("new").replace(path)


@pytest.mark.parametrize(
    "change",
    [
        rewritten,
        replaced,
        lambda path: path.chmod(0o600),
        lambda path: os.utime(path, (1, 1)),
        lambda path: path.with_name("second").hardlink_to(path),
        pytest.param(lambda path: os.chown(path, 54321, 54321), marks=as_root),
    ],
    ids=["rewritten", "replaced", "mode", "times", "link", "owner"],
)
def test_a_file_that_changed_is_hashed_again(
    path: Path, read: list[int], change: Callable[[Path], None]
) -> None:
    assert is_data(path)
    change(path)
    assert is_data(path)
    assert len(read) == 2


def test_an_altered_file_is_not_what_it_was(path: Path) -> None:
    assert is_data(path)
    times = path.stat()
    path.write_bytes(DATA[:-1] + b"x")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not is_data(path)
    path.write_bytes(b"")
    assert not is_data(path)


def test_a_file_that_others_may_write_is_noted_once_it_has_settled(path, read, monkeypatch) -> None:
    path.chmod(0o666)
    for _ in range(2):  # a change of this very moment could have the same time
        assert is_data(path)
    assert len(read) == 2
    now = path.stat().st_ctime
    monkeypatch.setattr("time.time", lambda: now + 10)
    for _ in range(2):
        assert is_data(path)
    assert len(read) == 3


def test_only_a_file_that_nobody_else_can_have_changed_is_noted_unread(path: Path, notes: Path) -> None:
    for mode in (0o666, 0o664, 0o644):
        path.chmod(mode)
        descriptor = os.open(path, os.O_RDONLY)
        known_digests.record_digest(descriptor, DIGEST)
        assert known_digests.is_digest_recorded(descriptor, DIGEST) == (mode == 0o644)
        os.close(descriptor)


def file_instead(notes: Path) -> None:
    notes.parent.mkdir(parents=True)
    notes.write_text("")


def link_instead(notes: Path) -> None:
    (notes.parent.parent / "aim").mkdir(parents=True)
    notes.parent.mkdir()
    notes.symlink_to(notes.parent.parent / "aim")


def open_to_all(notes: Path) -> None:
    notes.mkdir(parents=True)
    notes.chmod(0o777)


def open_to_group(notes: Path) -> None:
    notes.mkdir(parents=True)
    notes.chmod(0o775)


def file_in_the_way(notes: Path) -> None:
    notes.parent.parent.write_text("")


def of_another_user(notes: Path) -> None:
    notes.mkdir(parents=True)
    os.chown(notes, 54321, 54321)


PLACES = [
    file_instead,
    link_instead,
    open_to_all,
    open_to_group,
    file_in_the_way,
    pytest.param(of_another_user, marks=as_root),
]


@pytest.mark.parametrize("make", PLACES)
def test_where_nothing_can_be_noted_safely_a_file_is_hashed_once_a_process(
    path: Path, read: list[int], notes: Path, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(notes)
    before = sorted(tmp_path.rglob("*"))
    for _ in range(2):
        for _ in range(3):
            assert is_data(path)
        forget()
    assert len(read) == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("make", [open_to_all, open_to_group, pytest.param(of_another_user, marks=as_root)])
def test_what_others_could_have_noted_is_not_believed(path: Path, notes: Path, make) -> None:
    assert is_data(path)
    [text] = notes.iterdir()
    status = path.stat()
    path.write_bytes(bytes(len(DATA)))
    forged = known_digests._format_line(path.stat(), DIGEST)
    assert str(status.st_ino) in forged
    text.write_text(forged + "\n")
    forget()
    assert is_data(path)  # by this user's own hand it is believed
    kept = text.read_text()
    text.unlink()
    notes.rmdir()
    make(notes)
    text.write_text(kept)
    forget()
    assert not is_data(path)


@pytest.mark.parametrize("mode", [0o666, 0o620])
def test_a_text_that_others_may_write_is_not_believed(path: Path, notes: Path, mode: int) -> None:
    assert is_data(path)
    [text] = notes.iterdir()
    path.write_bytes(bytes(len(DATA)))
    text.write_text(known_digests._format_line(path.stat(), DIGEST) + "\n")
    text.chmod(mode)
    forget()
    assert not is_data(path)


def test_a_user_without_a_home_is_no_error(path: Path, read: list[int], monkeypatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    for _ in range(3):
        assert is_data(path)
    assert len(read) == 1


def test_damaged_notes_are_passed_over(path: Path, read: list[int], notes: Path) -> None:
    assert is_data(path)
    [text] = notes.iterdir()
    whole = text.read_bytes()
    for damaged in (
        b"\0" * 500,
        b"\xff\xfe" + whole[:-5],
        whole.replace(b" ", b"\n"),
        b"x" * 100_000 + b"\n",
    ):
        text.write_bytes(damaged)
        forget()
        assert is_data(path)
    assert len(read) == 5
    text.write_bytes(b"\xff\n" + whole)
    forget()
    assert is_data(path)
    assert len(read) == 5


def test_notes_do_not_grow_for_ever(tmp_path: Path, notes: Path, monkeypatch) -> None:
    monkeypatch.setattr(known_digests, "MAX_BYTES", 5_000)
    for number in range(100):
        file = tmp_path / f"{number}"
        file.write_bytes(DATA)
        assert is_data(file)
        [text] = notes.iterdir()
        assert text.stat().st_size <= 5_000
    assert 10 < len(lines(notes)) < 50
    forget()
    monkeypatch.setattr(known_digests, "compute_descriptor_digest", lambda _: "read")
    assert is_data(tmp_path / "99")  # the newest are still known
    assert not is_data(tmp_path / "0")
