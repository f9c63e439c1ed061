import errno
import os
from pathlib import Path

import pytest

from turntable.datasets.files import atomic_files
from turntable.errors import IntegrityError, StoreError, TurntableError


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.bin"
    with atomic_files.open_atomic_file(path) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert [item.name for item in path.parent.iterdir()] == ["file.bin"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    atomic_files.write_bytes(path, b"old")
    with pytest.raises(KeyError), atomic_files.open_atomic_file(path) as file:  # noqa: PT012
        file.write(b"new")
        raise KeyError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_says_what_to_do(tmp_path: Path, code: int) -> None:
    path = tmp_path / "file.bin"
    told = pytest.raises(TurntableError, match=r"file\.bin: the disk is full; free some space and run")
    with told, atomic_files.open_atomic_file(path):
        raise OSError(code, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_other_disk_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), atomic_files.open_atomic_file(tmp_path / "x"):
        raise PermissionError(errno.EACCES, "no")


def test_only_leftovers_of_the_same_file_are_removed(tmp_path: Path) -> None:
    left = [tmp_path / ".a.tar.123.tmp", tmp_path / ".a.tar.9.tmp"]
    kept = [tmp_path / ".b.tar.123.tmp", tmp_path / "a.tar", tmp_path / "a.tmp"]
    for path in left + kept:
        path.touch()
    atomic_files.remove_temporaries(tmp_path / "a.tar")
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_journal_keeps_finished_lines_only(tmp_path: Path) -> None:
    journal = tmp_path / "logs" / "journal.jsonl"
    assert atomic_files.read_lines(journal) == []
    atomic_files.append_line(journal, "one")
    atomic_files.append_line(journal, "zwölf")
    with journal.open("ab") as file:
        file.write(b"torn")  # as a process killed in the middle of a line
    assert atomic_files.read_lines(journal) == ["one", "zwölf"]
    atomic_files.append_line(journal, "three")
    assert journal.read_bytes().decode() == "one\nzwölf\nthree\n"


def test_journal_heals_a_long_torn_line(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes(b"first\n" + b"x" * 10_000)
    atomic_files.append_line(journal, "second")
    assert atomic_files.read_lines(journal) == ["first", "second"]
    journal.write_bytes(b"x" * 10_000)
    atomic_files.append_line(journal, "only")
    assert atomic_files.read_lines(journal) == ["only"]


def test_a_journal_is_not_written_through_a_link(tmp_path: Path) -> None:
    private = tmp_path / "private.txt"
    private.write_text("a line\nand half of one")
    (tmp_path / "journal.jsonl").symlink_to(private)
    with pytest.raises(StoreError, match=r"journal\.jsonl: a link or no plain file; remove it"):
        atomic_files.append_line(tmp_path / "journal.jsonl", "mine")
    assert private.read_text() == "a line\nand half of one"


def test_a_pipe_in_the_place_of_a_journal_is_told_and_not_waited_for(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    os.mkfifo(journal)
    for use in (atomic_files.read_lines, lambda path: atomic_files.append_line(path, "mine")):
        with pytest.raises(StoreError, match="a link or no plain file"):
            use(journal)


def test_a_journal_that_is_a_link_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "blob").write_text("one\n")
    (tmp_path / "journal.jsonl").symlink_to(tmp_path / "blob")
    assert atomic_files.read_lines(tmp_path / "journal.jsonl") == ["one"]


def test_a_journal_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(b"\xff\n")
    with pytest.raises(IntegrityError, match=r"journal\.jsonl: not UTF-8"):
        atomic_files.read_lines(tmp_path / "journal.jsonl")


def test_a_temporary_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    private = tmp_path / "private.txt"
    private.write_text("mine")
    atomic_files.make_temporary_path(tmp_path / "file.bin").symlink_to(private)
    atomic_files.write_bytes(tmp_path / "file.bin", b"new")
    assert private.read_text() == "mine"
    assert (tmp_path / "file.bin").read_bytes() == b"new"
    assert not (tmp_path / "file.bin").is_symlink()
