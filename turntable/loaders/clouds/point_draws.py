"""Random numbers of points: a counter range for each view, in which a longer cloud begins as a shorter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import make_philox_key, pairs_to_normals, words_to_units

FloatArray = NDArray[np.float64]
_WORDS_PER_BLOCK = 4
"""Number of words of each step of Philox's counter."""
_COUNTERS_PER_VIEW = 2**64
"""Steps of the counter that each view has for itself."""


@dataclass(frozen=True, slots=True, eq=False)
class PointDraws:
    """The random numbers of B samples of k views, pure functions of seed, epoch, position and place.

    Numbers for different purposes are independent, so that a change in one use leaves the others as they are.
    """

    seed: int
    epoch: int
    positions: NDArray[np.int64]
    """[B] positions of the samples in the epoch."""
    num_views: int
    """Number of views k of a sample."""

    def split_views(self) -> "PointDraws":
        """Return numbers for every view as a sample of its own, B * k samples of one view each."""
        places = self.positions[:, None] * self.num_views + np.arange(self.num_views)
        return PointDraws(self.seed, self.epoch, places.ravel(), 1)

    def draw_units(self, purpose: str, *shape: int) -> FloatArray:
        """Draw numbers in [0, 1), [B, k, *shape]; with a larger first axis the first ones stay the same."""
        count = int(np.prod(shape))
        keys = [
            make_philox_key("points of views", purpose, str(self.seed), str(self.epoch), str(place))
            for place in range(self.num_views)
        ]
        words = [[_draw_words(key, position, count) for key in keys] for position in self.positions.tolist()]
        drawn = np.array(words, dtype=np.uint64).reshape(len(self.positions), self.num_views, *shape)
        return words_to_units(drawn)

    def draw_normals(self, purpose: str, *shape: int) -> FloatArray:
        """Draw numbers of the standard normal distribution, [B, k, *shape], as ``draw_units`` does."""
        units = self.draw_units(purpose, *shape, 2)
        return pairs_to_normals(units[..., 0], units[..., 1])


def draw_view_words(names: Sequence[str], view: int, count: int) -> NDArray[np.uint64]:
    """Draw random words of one view of an object, [count].

    Args:
        names: Purpose, seed and object, as text.
        view: Number of the view.
        count: Number of words; a longer draw begins with those of a shorter one.
    """
    return _draw_words(make_philox_key(*names), view, count)


def _draw_words(key: int, number: int, count: int) -> NDArray[np.uint64]:
    random = np.random.Philox(key=key, counter=number * _COUNTERS_PER_VIEW)
    return np.asarray(random.random_raw(count + -count % _WORDS_PER_BLOCK))[:count]
