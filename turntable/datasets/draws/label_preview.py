"""A preview of a recipe's labels before anything is rendered: labels of invented objects, and histograms."""

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.factor_draws import draw_factors
from turntable.datasets.labels import Factor, LabelArray
from turntable.datasets.objects import make_twin_id
from turntable.datasets.recipes import Recipe
from turntable.errors import InvalidInputError

NUM_PREVIEW_VIEWS = 10_000
"""Default number of views, which is that of 200 objects with 50 views each."""

_NUM_PREVIEW_CATEGORIES = 16

_BAR_CHARACTERS = " ▁▂▃▄▅▆▇█"


def draw_pseudo_labels(recipe: Recipe, num_views: int = NUM_PREVIEW_VIEWS) -> LabelArray:
    """Draw labels of invented objects. If the recipe draws from a published stream, seed 0 is used.

    Args:
        recipe: Recipe whose draws are not "imported".
        num_views: Minimum number of views, rounded up to whole objects.

    Returns:
        float32 [N, L].

    Raises:
        InvalidInputError: The recipe's labels were imported.
    """
    if recipe.draws == "imported":
        raise InvalidInputError(
            f"{recipe.name}: its labels are imported with the pictures; there is nothing to draw"
        )
    num_objects = -(-num_views // recipe.views)
    # A single object may have far more views than are asked for; then only its first sequences are drawn.
    views = range(recipe.views if num_objects > 1 else _round_up_to_sequences(recipe, num_views))
    is_legacy = recipe.draws == "numpy-legacy"
    return np.concatenate(
        [
            draw_factors(
                recipe,
                _make_pseudo_id(recipe, n),
                views,
                (0, n) if is_legacy else None,
                f"invented category {n % _NUM_PREVIEW_CATEGORIES}",
            )
            for n in range(num_objects)
        ]
    )


def _make_pseudo_id(recipe: Recipe, number: int) -> str:
    """Return the id of an invented object. In a set with mirrored twins every other one is a twin."""
    object_id = f"invented/{number}"
    return make_twin_id(object_id) if recipe.mirrored and number % 2 else object_id


def _round_up_to_sequences(recipe: Recipe, num_views: int) -> int:
    length = recipe.sequence.length if recipe.sequence else 1
    return min(-(-num_views // length) * length, recipe.views)


def compute_histogram(factor: Factor, values: LabelArray, num_bins: int) -> NDArray[np.int64]:
    """Count a column's values in equal bins of its range. A fixed column has one full bin, in the middle."""
    low, high = factor.low, factor.high
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.histogram(values, bins=num_bins, range=(low, high))[0]


def format_histogram(counts: NDArray[np.int64]) -> str:
    """Format a histogram as one line of block characters. Only empty bins show as blanks."""
    tallest = max(int(counts.max()), 1)
    heights = np.ceil(counts / tallest * (len(_BAR_CHARACTERS) - 1)).astype(int)
    return "".join(_BAR_CHARACTERS[height] for height in heights)
