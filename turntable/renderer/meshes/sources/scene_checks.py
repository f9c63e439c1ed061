"""Checks that a recipe and a source of meshes agree about scenes."""

from turntable.datasets import Recipe
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.sources.scene_composers import make_composer
from turntable.renderer.meshes.sources.scene_source import SceneSource
from turntable.renderer.meshes.sources.source import MeshSource
from turntable.renderer.meshes.sources.symmetry_source import SymmetrySource


def check_scene_source(recipe: Recipe, source: MeshSource) -> None:
    """Check that a source has scenes if a recipe composes them, and the same ones.

    Raises:
        InvalidInputError: It does not.
    """
    inner = source.source if isinstance(source, SymmetrySource) else source
    composer = make_composer(recipe)
    if composer is None:
        if isinstance(inner, SceneSource):
            raise InvalidInputError(f"{recipe.name}: a recipe without [scene] cannot arrange scenes; add one")
        return
    if inner is not source:
        raise InvalidInputError(
            f"{recipe.name}: the symmetry of a scene is not measured, because its objects move; leave out "
            "--symmetry"
        )
    if not isinstance(inner, SceneSource):
        raise InvalidInputError(
            f"{recipe.name}: its table [{composer.kind}] composes objects into scenes, and this source has "
            "single objects; open the source with open_recipe_source(recipe, ...)"
        )
    if _get_decisive(inner.recipe) != _get_decisive(recipe):
        raise InvalidInputError(
            f"{recipe.name}: the scenes of this source were composed for another recipe; open it with "
            "open_recipe_source(recipe, ...)"
        )


def _get_decisive(recipe: Recipe) -> tuple[object, ...]:
    """Return what decides the scenes of a recipe."""
    composer = make_composer(recipe)
    return "" if composer is None else composer.digest, recipe.val_fraction, recipe.split_seed
