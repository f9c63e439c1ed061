"""Random orders and choices as pure functions of (seed, epoch), the same on every machine.

All random numbers come from raw Philox words, because numpy guarantees their stream. It does not guarantee
the streams of the methods of its Generator, which may change between versions.
"""

import hashlib
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError

IntArray = NDArray[np.int64]
WordArray = NDArray[np.uint64]


def draw_words(purpose: str, seed: int, epoch: int, count: int) -> WordArray:
    """Draw random 64-bit words, [count]. A longer draw begins with the words of a shorter one.

    Args:
        purpose: Name of the use of the words; different uses get independent words.
        seed: Seed of the order.
        epoch: Number of the epoch, from 0.
        count: Number of words.
    """
    digest = hashlib.sha256(f"{purpose}\0{seed}\0{epoch}".encode()).digest()
    return np.asarray(np.random.Philox(key=int.from_bytes(digest[:16], "little")).random_raw(count))


def draw_below(random: WordArray, bounds: IntArray | int) -> IntArray:
    """Turn random words into integers in [0, bound), uniform to one part in 2^32 / bound.

    The upper 32 bits are a fraction of 2^32, and its product with the bound is shifted down again. Integer
    arithmetic gives the same numbers on every machine.

    Args:
        random: [...] random words.
        bounds: [...] bounds, or one for all; each below 2^32.
    """
    return ((random >> np.uint64(32)) * np.asarray(bounds).astype(np.uint64) >> np.uint64(32)).astype(
        np.int64
    )


def draw_permutation(count: int, seed: int, epoch: int, purpose: str = "order") -> IntArray:
    """Draw a random permutation of ``count`` items, a different one for each seed, epoch and purpose."""
    # A sort of random keys is a uniform permutation. A stable sort resolves equal keys in the same way
    # everywhere.
    return np.argsort(draw_words(purpose, seed, epoch, count), kind="stable").astype(np.int64)


def draw_visit_order(
    shards: IntArray, window: int | None, num_rounds: int, seed: int, visit: int
) -> IntArray:
    """Draw the order of one visit to every item, in which each item comes ``num_rounds`` times.

    Shards come in a random order, and ``window`` of them at a time form a window. Items come at random within
    their window, all rounds of it before the next window begins. So a reader needs the shards of one window
    at a time. Two rounds of an item are at least half a window apart.

    Args:
        shards: [M] number of each item's shard.
        window: Number of shards in a window; None: one window of all shards.
        num_rounds: Number of times that each item comes.
        seed: Seed of the order.
        visit: Number of the visit, counted through all epochs.

    Returns:
        [M * num_rounds] indices of items.
    """
    parts = [
        order
        for number, items in enumerate(_iter_windows(shards, window, seed, visit))
        for order in _iter_rounds(items, num_rounds, seed, visit, "" if window is None else f" {number}")
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def draw_distinct(counts: IntArray, num_picks: int, random: WordArray) -> IntArray:
    """Draw distinct numbers below each count. All ordered choices are equally likely.

    Args:
        counts: [S] counts, each at least ``num_picks``.
        num_picks: Number of distinct numbers to draw.
        random: [S, num_picks] random words.

    Returns:
        [S, num_picks] numbers in [0, count).
    """
    first = draw_below(random[:, 0], counts)
    # The other numbers are drawn as distinct distances from the first, modulo the count.
    taken = np.empty((len(counts), 0), dtype=np.int64)
    for pick in range(1, num_picks):
        # Pick number p is one of the count - p distances that are left. Passing the taken distances in
        # ascending order, and stepping over each that is reached, turns its rank among those into a distance.
        distance = 1 + draw_below(random[:, pick], counts - pick)
        for other in np.sort(taken, axis=1).T:
            distance += distance >= other
        taken = np.concatenate([taken, distance[:, None]], axis=1)
    return (np.concatenate([np.zeros_like(first)[:, None], taken], axis=1) + first[:, None]) % counts[:, None]


def draw_partner_distance(max_distance: int, seed: int, epoch: int) -> int:
    """Draw the distance in an epoch's order from each sample to another one that joins it, from 1.

    Args:
        max_distance: Largest distance, at least 1 and below the number of samples.
        seed: Seed of the order.
        epoch: Number of the epoch, from 0.
    """
    return 1 + int(draw_below(draw_words("partner", seed, epoch, 1), max_distance)[0])


def draw_spread_pairs(counts: IntArray, num_pairs: int, seed: int) -> tuple[IntArray, IntArray]:
    """Draw a fixed list of ordered pairs of distinct numbers below each count. No pair comes twice.

    Args:
        counts: [M] counts.
        num_pairs: Number of pairs for each count, at most count * (count - 1).
        seed: Seed of the list.

    Returns:
        [M * num_pairs] first numbers and [M * num_pairs] second numbers.

    Raises:
        InvalidInputError: A count has fewer pairs than that.
    """
    possible = counts * (counts - 1)
    max_pairs = int(possible.min()) if len(possible) else 0
    if not 1 <= num_pairs <= max_pairs:
        num_views = int(counts.min()) if len(counts) else 0
        raise InvalidInputError(
            f"{num_pairs} pairs of each object: {num_views} views give 1 to {max_pairs} ordered pairs"
        )
    # Pairs are numbered. Each list starts at a random number and goes on in equal steps, modulo the number of
    # pairs. The step is coprime to that number, so no pair comes twice.
    start = draw_below(draw_words("validation", seed, 0, len(counts)), possible)
    sizes, size_indices = np.unique(possible, return_inverse=True)
    step = np.array([_compute_coprime_step(int(size)) for size in sizes])[size_indices]
    pairs = (start[:, None] + np.arange(num_pairs) * step[:, None]) % possible[:, None]
    first, other = np.divmod(pairs.ravel(), np.repeat(counts - 1, num_pairs))
    return first, other + (other >= first)


def _iter_windows(shards: IntArray, window: int | None, seed: int, visit: int) -> Iterator[IntArray]:
    """Yield the indices of the items of each window, in ascending order."""
    if window is None:
        yield np.arange(len(shards), dtype=np.int64)
        return
    numbers, shard_indices = np.unique(shards, return_inverse=True)
    order = draw_permutation(len(numbers), seed, visit, "shards")
    window_by_shard = np.empty(len(numbers), dtype=np.int64)
    window_by_shard[order] = np.arange(len(numbers)) // window
    window_by_item = window_by_shard[shard_indices]
    sorted_items = np.argsort(window_by_item, kind="stable")
    ends = np.cumsum(np.bincount(window_by_item))
    yield from np.split(sorted_items, ends[:-1])


def _iter_rounds(items: IntArray, num_rounds: int, seed: int, visit: int, mark: str) -> Iterator[IntArray]:
    """Yield the items of a window in a random order, once for each round."""
    order = items[draw_permutation(len(items), seed, visit, f"order{mark}")]
    yield order
    for number in range(1, num_rounds):
        # Each half is shuffled by itself. An item of the second half stays there, so its next round does not
        # come too soon after this one.
        first, second = np.split(order, [len(order) // 2])
        order = np.concatenate(
            [
                half[draw_permutation(len(half), seed, visit, f"order{mark} {number} {name}")]
                for name, half in (("a", first), ("b", second))
            ]
        )
        yield order


def _compute_coprime_step(count: int) -> int:
    """Return the smallest number from 0.618 * ``count`` up that is coprime to it.

    Multiples of the golden section spread evenly over a circle, however many of them are taken.
    """
    step = max(1, int(count * 0.618))
    while math.gcd(step, count) != 1:
        step += 1
    return step
