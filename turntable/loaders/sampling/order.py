"""Which things come when: pure functions of (seed, epoch), the same on every machine.

All randomness is raw Philox words, whose stream numpy guarantees, and never a method of its Generator, whose
stream it does not.
"""

import hashlib
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError

IntArray = NDArray[np.int64]
WordArray = NDArray[np.uint64]


def words(purpose: str, seed: int, epoch: int, count: int) -> WordArray:
    """Random 64-bit words [count]; a thing's words depend on its position alone."""
    digest = hashlib.sha256(f"{purpose}\0{seed}\0{epoch}".encode()).digest()
    return np.asarray(np.random.Philox(key=int.from_bytes(digest[:16], "little")).random_raw(count))


def below(random: WordArray, bounds: IntArray | int) -> IntArray:
    """Numbers in [0, bound), even to one part in 2^32 / bound."""
    return ((random >> np.uint64(32)) * np.asarray(bounds).astype(np.uint64) >> np.uint64(32)).astype(
        np.int64
    )


def permutation(count: int, seed: int, epoch: int, purpose: str = "order") -> IntArray:
    """A random order of ``count`` things, another for each seed and epoch."""
    return np.argsort(words(purpose, seed, epoch, count), kind="stable").astype(np.int64)


def visit_order(shards: IntArray, window: int | None, rounds: int, seed: int, visit: int) -> IntArray:
    """One visit to every thing: ``rounds`` times each before the visit goes on to other shards.

    Shards come in a random order, ``window`` of them at a time; within such a window things come at random.
    So a reader that has a window's shards at hand needs no others. A thing's rounds are at least half of its
    window apart.

    Args:
        shards: [M] each thing's shard.
        window: shards that are open at once; None: all of them.
        rounds: times that each thing comes.
        seed: of the order.
        visit: counted through all epochs.

    Returns:
        [M * rounds] places of things.
    """
    parts = [
        order
        for number, things in enumerate(_windows(shards, window, seed, visit))
        for order in _rounds(things, rounds, seed, visit, "" if window is None else f" {number}")
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def distinct(counts: IntArray, picks: int, random: WordArray) -> IntArray:
    """Distinct numbers below a count; all ordered choices are equally likely.

    Args:
        counts: [S] each at least ``picks``.
        picks: how many of each.
        random: words [S, picks].

    Returns:
        [S, picks] numbers in [0, count).
    """
    first = below(random[:, 0], counts)
    # The others are distinct distances from the first, going round.
    taken = np.empty((len(counts), 0), dtype=np.int64)
    for pick in range(1, picks):
        distance = 1 + below(random[:, pick], counts - pick)
        for other in np.sort(taken, axis=1).T:
            distance += distance >= other
        taken = np.concatenate([taken, distance[:, None]], axis=1)
    return (np.concatenate([np.zeros_like(first)[:, None], taken], axis=1) + first[:, None]) % counts[:, None]


def spread_pairs(counts: IntArray, pairs: int, seed: int) -> tuple[IntArray, IntArray]:
    """A fixed list of ordered pairs of distinct numbers below each count, none twice.

    Args:
        counts: [M].
        pairs: of each; at most count * (count - 1), all there are.
        seed: of the list.

    Returns:
        [M * pairs] first and second numbers.

    Raises:
        InvalidInputError: There are not so many pairs.
    """
    possible = counts * (counts - 1)
    least = int(possible.min()) if len(possible) else 0
    if not 1 <= pairs <= least:
        views = int(counts.min()) if len(counts) else 0
        raise InvalidInputError(
            f"{pairs} pairs of each object: {views} views give 1 to {least} ordered pairs"
        )
    # Each begins at a random pair and takes steps of a size coprime to their number: none comes twice.
    start = below(words("validation", seed, 0, len(counts)), possible)
    sizes, which = np.unique(possible, return_inverse=True)
    step = np.array([_coprime_step(int(size)) for size in sizes])[which]
    places = (start[:, None] + np.arange(pairs) * step[:, None]) % possible[:, None]
    first, other = np.divmod(places.ravel(), np.repeat(counts - 1, pairs))
    return first, other + (other >= first)


def _windows(shards: IntArray, window: int | None, seed: int, visit: int) -> Iterator[IntArray]:
    """Places of things, a window's at a time."""
    if window is None:
        yield np.arange(len(shards), dtype=np.int64)
        return
    names, which = np.unique(shards, return_inverse=True)
    order = permutation(len(names), seed, visit, "shards")
    # The window of each shard, and things sorted by it.
    window_of = np.empty(len(names), dtype=np.int64)
    window_of[order] = np.arange(len(names)) // window
    of_thing = window_of[which]
    sorted_things = np.argsort(of_thing, kind="stable")
    ends = np.cumsum(np.bincount(of_thing))
    yield from np.split(sorted_things, ends[:-1])


def _rounds(things: IntArray, rounds: int, seed: int, visit: int, mark: str) -> Iterator[IntArray]:
    order = things[permutation(len(things), seed, visit, f"order{mark}")]
    yield order
    for number in range(1, rounds):
        # Each half is shuffled by itself, so that what came late does not come early in the next round.
        first, second = np.split(order, [len(order) // 2])
        order = np.concatenate(
            [
                half[permutation(len(half), seed, visit, f"order{mark} {number} {name}")]
                for name, half in (("a", first), ("b", second))
            ]
        )
        yield order


def _coprime_step(count: int) -> int:
    """The number coprime to ``count`` next above its golden section, which spreads steps evenly."""
    step = max(1, int(count * 0.618))
    while math.gcd(step, count) != 1:
        step += 1
    return step
