"""Digests and sizes of a hostile manifest: they name no file, and cost none."""

import pytest

from tests.support.planting import DATA, DIGEST, tree
from turntable.datasets.stores import LocalStore
from turntable.datasets.stores.cache import ShardCache
from turntable.errors import IntegrityError, StoreError

pytestmark = pytest.mark.usefixtures("bounded")


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
        cache.get_path,
        cache.open_if_cached,
        cache.discard_if_changed,
        lambda digest: cache.fetch_file(source, "a", len(DATA), digest),
        lambda digest: cache.open_file(source, "a", len(DATA), digest),
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
        cache.open_file(source, "a", size, DIGEST)
    assert tree(tmp_path) == before


def test_a_size_that_is_wrong_costs_no_file(cache: ShardCache, source: LocalStore) -> None:
    kept = cache.fetch_file(source, "a", len(DATA), DIGEST)
    for size in (1, len(DATA) + 1, 0):
        with pytest.raises(IntegrityError, match=rf"manifest\.json says {size:,} bytes, .* has 25,600"):
            cache.fetch_file(source, "another/name", size, DIGEST)
        assert kept.read_bytes() == DATA
    assert cache.fetch_file(source, "of/another/set", len(DATA), DIGEST) == kept


def test_a_size_that_never_fits_lets_nothing_go(cache: ShardCache, source: LocalStore) -> None:
    kept = cache.fetch_file(source, "a", len(DATA), DIGEST)
    with pytest.raises(StoreError, match=r"do not fit beside 0 bytes that are in use in a cache of 1\.0 MB"):
        cache.open_file(source, "a", 10**15, DIGEST[::-1])
    assert kept.read_bytes() == DATA
