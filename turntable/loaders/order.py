"""Which objects and which two views come when: pure functions of (seed, epoch), the same on every machine.

All randomness is raw Philox words, whose stream numpy guarantees, and never a method of its Generator, whose
stream it does not.
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ViewPairs:
    """P pairs of two distinct views of one object."""

    objects: IntArray
    """[P] rows of the objects in their split."""
    view_1: IntArray
    """[P]."""
    view_2: IntArray
    """[P]."""

    def __len__(self) -> int:
        return len(self.objects)

    def __getitem__(self, chosen: slice) -> "ViewPairs":
        return ViewPairs(self.objects[chosen], self.view_1[chosen], self.view_2[chosen])

    @property
    def digest(self) -> str:
        """Hex sha256 of the list, by which two evaluations can tell that they used the same pairs."""
        table = np.stack([self.objects, self.view_1, self.view_2]).astype("<i8")
        return hashlib.sha256(table.tobytes()).hexdigest()


def permutation(count: int, seed: int, epoch: int) -> IntArray:
    """A random order of ``count`` things, another for each seed and epoch."""
    return np.argsort(_words("order", seed, epoch, count), kind="stable").astype(np.int64)


def epoch_pairs(num_objects: int, num_views: int, pairs_per_object: int, seed: int, epoch: int) -> ViewPairs:
    """The pairs of one epoch in their order.

    Every object comes ``pairs_per_object`` times, once in each round through the split, so that pairs of one
    object stand far apart.

    Args:
        num_objects: of the split.
        num_views: of each object, at least 2.
        pairs_per_object: rounds in an epoch.
        seed: of the run.
        epoch: counted from 0.

    Returns:
        num_objects * pairs_per_object pairs, each of two distinct views, all ordered pairs equally likely.
    """
    _check_views(num_views)
    rounds = [permutation(num_objects, seed, epoch * pairs_per_object + r) for r in range(pairs_per_object)]
    count = num_objects * pairs_per_object
    words = _words("views", seed, epoch, 2 * count).reshape(count, 2)
    view_1 = _below(words[:, 0], num_views)
    view_2 = (view_1 + 1 + _below(words[:, 1], num_views - 1)) % num_views
    return ViewPairs(np.concatenate(rounds), view_1, view_2)


def validation_pairs(num_objects: int, num_views: int, pairs_per_object: int, seed: int) -> ViewPairs:
    """A fixed list of pairs, object by object, no pair of one object twice.

    Args:
        num_objects: of the split.
        num_views: of each object, at least 2.
        pairs_per_object: at most num_views * (num_views - 1), all ordered pairs.
        seed: of the list.

    Raises:
        InvalidInputError: there are not so many pairs.
    """
    _check_views(num_views)
    possible = num_views * (num_views - 1)
    if not 1 <= pairs_per_object <= possible:
        raise InvalidInputError(
            f"{pairs_per_object} pairs of each object: {num_views} views give 1 to {possible} ordered pairs"
        )
    # Each object begins at a random pair and takes steps of a size coprime to their number: none comes twice.
    start = _below(_words("validation", seed, 0, num_objects), possible)
    steps = np.arange(pairs_per_object) * _coprime_step(possible)
    first, other = np.divmod((start[:, None] + steps).ravel() % possible, num_views - 1)
    objects = np.repeat(np.arange(num_objects, dtype=np.int64), pairs_per_object)
    return ViewPairs(objects, first, other + (other >= first))


def _check_views(num_views: int) -> None:
    if num_views < 2:
        raise InvalidInputError(f"pairs need at least 2 views of each object; this data set has {num_views}")


def _words(purpose: str, seed: int, epoch: int, count: int) -> NDArray[np.uint64]:
    """Random 64-bit words; a thing's words depend on its position alone."""
    digest = hashlib.sha256(f"{purpose}\0{seed}\0{epoch}".encode()).digest()
    return np.asarray(np.random.Philox(key=int.from_bytes(digest[:16], "little")).random_raw(count))


def _below(words: NDArray[np.uint64], bound: int) -> IntArray:
    """Numbers in [0, bound), even to one part in 2^32 / bound."""
    return ((words >> np.uint64(32)) * np.uint64(bound) >> np.uint64(32)).astype(np.int64)


def _coprime_step(count: int) -> int:
    """The number coprime to ``count`` next above its golden section, which spreads steps evenly."""
    step = max(1, int(count * 0.618))
    while math.gcd(step, count) != 1:
        step += 1
    return step
