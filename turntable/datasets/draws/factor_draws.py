"""The draw of a view's labels, as a pure function of the recipe's label digest, the object and the view.

No random stream is shared. Each object has its own Philox key, and each view its own range of the counter,
so any order, any number of workers and any resumed run draw the same bits. Recipes with draws =
"numpy-legacy" are the exception: they read the one stream of a published generator, from the object's
position in it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.independent_views import Owner, draw_independent_views, find_owner
from turntable.datasets.draws.legacy_stream import get_legacy_stream
from turntable.datasets.draws.philox import ViewIndices
from turntable.datasets.draws.pose_bank import draw_pose_indices
from turntable.datasets.draws.sequences import draw_sequence_labels
from turntable.datasets.labels import LEGACY_ORDER, LabelArray
from turntable.datasets.objects import get_base_id, is_twin
from turntable.datasets.recipes import Recipe
from turntable.errors import InvalidInputError

LABEL_TOLERANCE = 2e-6
"""Maximum difference between labels of the same draw: a few units in the last place of an angle in float32. A
wrong draw differs a million times as much."""


def draw_factors(
    recipe: Recipe,
    object_id: str,
    view: int | Sequence[int] | NDArray[np.integer],
    stream: tuple[int, int] | None = None,
    category: str | None = None,
) -> LabelArray:
    """Draw the labels of one object's views.

    Args:
        recipe: Recipe. Its label digest alone takes part: the seed, the factors and the rules of drawing.
        object_id: Id of the object in its source; not its key in shards. With the id of a mirrored twin, the
            labels are those of its object, but for the handedness.
        view: Number of one view, or of several in any order. A range is fastest.
        stream: Position (seed, index) of the object in a published stream, for draws = "numpy-legacy" only;
            as in the object's record.
        category: Category of the object, for recipes that couple a factor to it only.

    Returns:
        float32 [V, L] in the order of the schema, one row for each view ([1, L] for an int). Every value lies
        within its factor's [low, high] after rounding.

    Raises:
        InvalidInputError: A view number is negative or, in a stream, not below the recipe's number of views;
            the stream's position or the category is missing; or the labels were imported and cannot be drawn.
    """
    views = np.atleast_1d(np.asarray(view, dtype=np.int64))
    if views.ndim != 1 or (views.size and views.min() < 0):
        raise InvalidInputError(f"give view numbers as an integer >= 0 or a flat list of them, not {view!r}")
    if recipe.draws == "imported":
        raise InvalidInputError(
            f"{object_id}: the labels of {recipe.name} were imported with its pictures and cannot be drawn"
        )
    labels = _draw_object_labels(recipe, get_drawn_id(recipe, object_id), views, stream, category)
    if not recipe.mirrored:
        return labels
    handedness = np.full((len(views), 1), -1 if is_twin(object_id) else 1, dtype=np.float32)
    return np.concatenate([labels, handedness], axis=-1)


def get_drawn_id(recipe: Recipe, object_id: str) -> str:
    """Return the id by which everything about an object is drawn: of a mirrored twin, that of its object."""
    return get_base_id(object_id) if recipe.mirrored else object_id


def _draw_object_labels(
    recipe: Recipe,
    object_id: str,
    views: ViewIndices,
    stream: tuple[int, int] | None,
    category: str | None,
) -> LabelArray:
    """Draw the labels of the recipe's ``object_schema``."""
    if recipe.draws == "numpy-legacy":
        return _draw_from_legacy_stream(recipe, object_id, views, stream)
    owner = find_owner(recipe, object_id, category)
    if recipe.sequence is None:
        labels = draw_independent_views(recipe, owner, views)
    else:
        labels = draw_sequence_labels(
            recipe, object_id, views, lambda some: draw_independent_views(recipe, owner, some)
        )
    return np.concatenate([labels, *_draw_index_columns(recipe, owner, views)], axis=-1)


def is_same_draw(recipe: Recipe, drawn: LabelArray, stored: LabelArray) -> bool:
    """Return True if labels [V, L] drawn here equal stored labels.

    They must be equal to the bit, except for recipes whose draws compute sines: their last bits may depend on
    the processor.
    """
    if recipe.rotation is None and recipe.sequence is None:
        return drawn.tobytes() == stored.tobytes()
    return drawn.shape == stored.shape and bool(np.allclose(drawn, stored, rtol=0, atol=LABEL_TOLERANCE))


def _draw_index_columns(recipe: Recipe, owner: Owner, views: ViewIndices) -> list[LabelArray]:
    """Return the columns [V, 1] that number the views' rotations in the pose bank, and the environment."""
    columns: list[NDArray[np.int64]] = []
    if recipe.pose_bank:
        columns.append(draw_pose_indices(recipe, owner.object_id, views))
    if recipe.environment:
        columns.append(np.full(len(views), owner.environment))
    return [column.astype(np.float32)[:, None] for column in columns]


def _draw_from_legacy_stream(
    recipe: Recipe, object_id: str, views: ViewIndices, stream: tuple[int, int] | None
) -> LabelArray:
    """Return an object's range of its seed's stream, in the order of the published generators."""
    if stream is None:
        raise InvalidInputError(
            f'{object_id}: draws = "numpy-legacy" needs the object\'s position in the published lists, which '
            "is not known; give the lists the data set was made from"
        )
    if views.size and views.max() >= recipe.views:
        raise InvalidInputError(
            f"{object_id}: there is no view {views.max()} in the stream; it has {recipe.views} views of each "
            "object, counted from 0"
        )
    seed, index = stream
    ranged = {factor.name: factor for factor in recipe.drawn_factors if factor.distribution == "uniform"}
    order = [name for name in LEGACY_ORDER if name in ranged]
    columns = {factor.name: np.full(len(views), factor.low) for factor in recipe.drawn_factors}
    if order:
        low, high = [ranged[name].low for name in order], [ranged[name].high for name in order]
        start = index * recipe.views * len(order)
        drawn = get_legacy_stream(seed).draw_uniform(start, low, high, recipe.views)[views]
        columns |= dict(zip(order, drawn.T, strict=True))
    return recipe.object_schema.round_values(np.stack(list(columns.values()), axis=-1))
