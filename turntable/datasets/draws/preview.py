"""What a recipe would draw, before a single picture is rendered: labels of objects that do not exist."""

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.drawing import draw_factors
from turntable.datasets.labels import Factor, LabelArray
from turntable.datasets.recipes import Recipe
from turntable.errors import InvalidInputError

NUM_VIEWS = 10_000
"""As many as 200 objects of 50 views have."""

_BLOCKS = " ▁▂▃▄▅▆▇█"


def pseudo_labels(recipe: Recipe, views: int = NUM_VIEWS) -> LabelArray:
    """Draw labels of invented objects; where the draws are a published stream, its seed is 0.

    Args:
        recipe: of any kind but "imported".
        views: at least so many in all, of whole objects.

    Returns:
        float32 [N, L].

    Raises:
        InvalidInputError: the recipe's labels were imported.
    """
    if recipe.draws == "imported":
        raise InvalidInputError(f"{recipe.name}: its labels come with the pictures; there is nothing to draw")
    objects = -(-views // recipe.views)
    # A long object would be drawn for a few of its views alone.
    each = range(recipe.views if objects > 1 else _whole_sequences(recipe, views))
    legacy = recipe.draws == "numpy-legacy"
    drawn = [draw_factors(recipe, f"invented/{n}", each, (0, n) if legacy else None) for n in range(objects)]
    return np.concatenate(drawn)


def _whole_sequences(recipe: Recipe, views: int) -> int:
    length = recipe.sequence.length if recipe.sequence else 1
    return min(-(-views // length) * length, recipe.views)


def histogram(factor: Factor, values: LabelArray, bins: int) -> NDArray[np.int64]:
    """Counts of a column's values over equal bins of its range. A column that is fixed has one full bin."""
    low, high = factor.low, factor.high
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.histogram(values, bins=bins, range=(low, high))[0]


def bars(counts: NDArray[np.int64]) -> str:
    """A histogram as a line of text; the tallest bar fills the line, and none that holds a value is empty."""
    tallest = max(int(counts.max()), 1)
    heights = np.ceil(counts / tallest * (len(_BLOCKS) - 1)).astype(int)
    return "".join(_BLOCKS[height] for height in heights)
