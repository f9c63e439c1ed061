"""Links, pipes and folders planted in the place of a cache's files and folders lead nowhere."""

import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from tests.support.planting import (
    DATA,
    DIGEST,
    KINDS,
    PLACES,
    dangling_link,
    folder_of_files,
    get,
    is_untouched,
    link,
    link_loop,
    pipe,
    relative_link,
)
from turntable.datasets.stores import LocalStore
from turntable.datasets.stores.cache import ShardCache
from turntable.errors import StoreError

pytestmark = pytest.mark.usefixtures("bounded")


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
        cache.discard_if_changed(DIGEST)
    with suppress(StoreError):
        descriptor = cache.open_if_cached(DIGEST)
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
        assert cache.open_if_cached(DIGEST) is None
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
        for use in (lambda: get(cache, source), lambda: cache.open_if_cached(DIGEST)):
            with pytest.raises(StoreError, match=f"{place} is not a folder .*a link.* set TURNTABLE_CACHE"):
                use()
    assert cache.count_used_bytes() <= len(DATA)
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


def test_an_altered_file_of_the_same_size_and_time_is_noticed(cache: ShardCache, source: LocalStore) -> None:
    kept = cache.fetch_file(source, "a", len(DATA), DIGEST)
    status = kept.stat()
    altered = bytearray(DATA)
    altered[5] ^= 1
    kept.write_bytes(altered)
    os.utime(kept, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert get(cache, source) == DATA


def test_a_file_swapped_for_another_of_the_same_size_and_time_is_noticed(cache, source) -> None:
    kept = cache.fetch_file(source, "a", len(DATA), DIGEST)
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
