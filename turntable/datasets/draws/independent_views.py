"""The draw of views by themselves: factors by the laws of the object's environment, couplings, rotations."""

import hashlib
from dataclasses import dataclass

import numpy as np

from turntable.datasets.draws.laws import draw_angles, scale_to_factors
from turntable.datasets.draws.philox import (
    RandomWords,
    ViewIndices,
    draw_words,
    make_philox_key,
    words_to_units,
)
from turntable.datasets.draws.pose_bank import draw_pose_indices, read_pose_bank
from turntable.datasets.labels import (
    CATEGORY,
    ENVIRONMENT,
    Coupling,
    Environment,
    Factor,
    LabelArray,
    LabelSchema,
    compute_coupled_values,
    join_laws,
)
from turntable.datasets.recipes import Recipe
from turntable.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Owner:
    """The object whose views are drawn."""

    object_id: str
    environment: int
    """Number of its environment; 0 if the recipe has none."""
    category_code: float
    """Code of its category in [0, 1); 0 if the recipe couples nothing to it."""


def find_owner(recipe: Recipe, object_id: str, category: str | None) -> Owner:
    """Return an object with its environment and the code of its category.

    Both depend on the recipe's seed and on the id or the category alone. So recipes that differ in a factor
    put an object into the same environment, and a subset of the categories keeps their codes.

    Raises:
        InvalidInputError: A factor is coupled to the category, which is not given.
    """
    code = 0.0
    if any(item.on == CATEGORY for item in recipe.coupling):
        if category is None:
            raise InvalidInputError(
                f"{object_id}: {recipe.name} couples a factor to the category of the object, which is not "
                "known; give it (draw_factors(..., category=...))"
            )
        code = _hash_to_unit("category", recipe.seed, category)
    environment = int(_hash_to_unit(ENVIRONMENT, recipe.seed, object_id) * len(recipe.environment))
    return Owner(object_id, environment, code)


def _hash_to_unit(purpose: str, seed: int, name: str) -> float:
    """Return a number in [0, 1) that depends on a seed and a name."""
    digest = hashlib.sha256(f"{purpose}\0{seed}\0{name}".encode()).digest()
    return (int.from_bytes(digest[:8], "little") >> 11) * 2.0**-53


def draw_independent_views(recipe: Recipe, owner: Owner, views: ViewIndices) -> LabelArray:
    """Draw each view by itself: a rotation on SO(3) if the recipe has a rule for it, then the factors."""
    words = draw_words(make_philox_key(recipe.label_digest, owner.object_id), views)
    environment = recipe.environment[owner.environment] if recipe.environment else Environment("")
    laws = environment.select_laws(recipe.drawn_factors)
    labels = LabelSchema(laws).round_values(scale_to_factors(words, laws))
    if recipe.pose_bank and recipe.rotation is None:
        labels[:, :3] = _draw_bank_angles(recipe, owner, views)
    if recipe.coupling:
        couplings = environment.select_couplings(recipe.coupling)
        _replace_coupled_columns(labels, laws, couplings, words, owner.category_code)
    if recipe.environment:
        # A number of one law, rounded to float32, could leave the bounds of all laws by its last bit.
        labels = LabelSchema(join_laws(recipe.drawn_factors, recipe.environment, ())).round_values(labels)
    if recipe.rotation is None:
        return labels
    return np.concatenate([_draw_rotation_angles(recipe, owner, views), labels], axis=-1)


def _replace_coupled_columns(
    labels: LabelArray,
    laws: tuple[Factor, ...],
    couplings: tuple[Coupling, ...],
    words: RandomWords,
    category_code: float,
) -> None:
    """Replace the columns of coupled factors in labels [V, L]; the words they would have drawn are noise."""
    by_name = {factor.name: factor for factor in laws}
    places = {name: column for column, name in enumerate(by_name)}
    units = {item.factor: words_to_units(words[:, places[item.factor]]) for item in couplings}
    columns = {name: labels[:, column].astype(np.float64) for name, column in places.items()}
    for name, values in compute_coupled_values(by_name, couplings, columns, units, category_code).items():
        labels[:, places[name]] = values


def _draw_rotation_angles(recipe: Recipe, owner: Owner, views: ViewIndices) -> LabelArray:
    if recipe.pose_bank:
        return _draw_bank_angles(recipe, owner, views)
    assert recipe.rotation is not None
    key = make_philox_key(recipe.label_digest, owner.object_id, "rotation")
    return draw_angles(recipe.rotation, LabelSchema(recipe.factors[:3]), key, views)


def _draw_bank_angles(recipe: Recipe, owner: Owner, views: ViewIndices) -> LabelArray:
    return read_pose_bank(recipe, draw_pose_indices(recipe, owner.object_id, views))
