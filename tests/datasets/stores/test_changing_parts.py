"""Partial files that change while they are written."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.support.planting import (
    DATA,
    DIGEST,
    PLACES,
    dangling_link,
    folder,
    get,
    hard_link,
    is_untouched,
    link,
    pipe,
)
from turntable.datasets.stores import LocalStore
from turntable.datasets.stores.cache import ShardCache
from turntable.datasets.stores.protocol import Download
from turntable.errors import IntegrityError

pytestmark = pytest.mark.usefixtures("bounded")


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
    """Return the store, which calls a function before each of four pieces of a download."""
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
    assert cache.count_used_bytes() == 0


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
        cache.get_path(DIGEST).unlink()
