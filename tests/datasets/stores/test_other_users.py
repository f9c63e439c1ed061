"""A cache that several users share: what one leaves, and what another may do with it."""

import os
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.support.planting import (
    DATA,
    DIGEST,
    OTHER_USER,
    PLACES,
    as_root,
    get,
)
from turntable.datasets.stores import LocalStore
from turntable.datasets.stores.cache import ShardCache

pytestmark = pytest.mark.usefixtures("bounded")


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
        AssertionError, match=r"StoreError: .*\.part: not a part of this user, and it cannot be"
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
    with pytest.raises(AssertionError, match=r"StoreError: .*do not fit beside 9\d\d kB that are in use"):
        as_other_user(lambda: get(shared, store_of(shared)))
    shared = ShardCache(shared.folder, 1_010_000)
    as_other_user(lambda: get(shared, store_of(shared)))


@as_root
def test_a_folder_that_cannot_be_written_can_be_read(shared: ShardCache) -> None:
    assert get(shared, store_of(shared)) == DATA
    for name in (".", DIGEST[:2], "used"):
        (shared.folder / name).chmod(0o755)
    as_other_user(lambda: get(shared, store_of(shared)))
    as_other_user(lambda: shared.discard_if_changed(DIGEST))
    with pytest.raises(AssertionError, match=r"StoreError: .*no permission"):
        as_other_user(lambda: shared.fetch_file(store_of(shared), "a", len(DATA), DIGEST[::-1]))
