import io
import tarfile
from pathlib import Path

import pytest

from turntable.datasets.shards import TarMember, iter_tar_members
from turntable.datasets.shards.tar import BLOCK_BYTES, END_OF_ARCHIVE, make_padding, make_ustar_header
from turntable.errors import IntegrityError

CONTENT = {"a.latents.npy": b"x" * 700, "a.meta.json": b"{}", "a.000.jpg": b"", "a.001.jpg": b"y" * 512}


def archive() -> bytes:
    members = (
        make_ustar_header(name, len(data)) + data + make_padding(len(data)) for name, data in CONTENT.items()
    )
    return b"".join(members) + END_OF_ARCHIVE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shard.tar"
    path.write_bytes(archive())
    return path


def scanned(path: Path) -> list[TarMember]:
    with path.open("rb") as file:
        return list(iter_tar_members(file, str(path)))


def scan_error(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(IntegrityError) as caught:
        scanned(path)
    assert str(path) in str(caught.value)
    assert "turntable render" in str(caught.value)
    return str(caught.value)


def test_python_reads_it_as_plain_ustar(path: Path) -> None:
    with tarfile.open(path) as tar:
        assert {item.name: tar.extractfile(item).read() for item in tar} == CONTENT  # type: ignore[union-attr]
        for item in tar:
            assert (item.mtime, item.uid, item.gid, item.mode, item.pax_headers) == (0, 0, 0, 0o644, {})


def test_scan_finds_each_member_where_it_is(path: Path) -> None:
    data = path.read_bytes()
    found = scanned(path)
    assert [item.name for item in found] == list(CONTENT)
    assert all(data[item.offset : item.offset + item.size] == CONTENT[item.name] for item in found)
    assert found[0] == TarMember("a.latents.npy", BLOCK_BYTES, 700)


@pytest.mark.parametrize("length", range(0, len(archive()), 256))
def test_a_cut_is_never_a_silent_end(path: Path, length: int) -> None:
    assert "cut" in (text := scan_error(path, archive()[:length])) or "does not end" in text


@pytest.mark.parametrize("byte", range(0, BLOCK_BYTES, 37))
def test_an_edited_header_is_noticed(path: Path, byte: int) -> None:
    data = bytearray(archive())
    data[byte] ^= 1
    assert "at byte 0" in scan_error(path, bytes(data))


def test_bytes_behind_the_end_are_noticed(path: Path) -> None:
    assert "does not end as turntable ends it" in scan_error(path, archive() + bytes(BLOCK_BYTES))


@pytest.mark.parametrize(
    "name", ["a.pkl", "a.pth", "../a.000.jpg", "a.000.jpg.gz", "A.000.jpg", "a.npy", "b/a.meta.json"]
)
def test_other_members_are_refused(path: Path, name: str) -> None:
    text = scan_error(path, make_ustar_header(name, 0) + END_OF_ARCHIVE)
    assert f"refused member {name!r}" in text


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE])
def test_links_and_folders_are_refused(path: Path, kind: bytes) -> None:
    item = tarfile.TarInfo("a.000.jpg")
    item.type, item.linkname = kind, "/etc/passwd"
    text = scan_error(path, item.tobuf(tarfile.USTAR_FORMAT) + END_OF_ARCHIVE)
    assert "bad header" in text or "refused member" in text


def test_compressed_archives_are_refused(path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("a.000.jpg"))
    scan_error(path, buffer.getvalue().ljust(2 * BLOCK_BYTES, b"\0"))
