"""The recipe of a data set, from its manifest."""

from turntable.datasets.manifest import Manifest
from turntable.datasets.manifest_conventions import SPLIT_CONVENTION
from turntable.datasets.recipes import Recipe


def read_manifest_recipe(manifest: Manifest) -> Recipe:
    """Return the recipe with which a data set can be made again, with its labels, splits and fingerprint.

    Manifests of earlier versions do not name the rule by which the objects were divided, since there was only
    one. The recipe names it. They have no scenes.

    Raises:
        RecipeError: The recipe has faults.
    """
    recipe = Recipe.from_dict(manifest.recipe, "in manifest.json")
    if SPLIT_CONVENTION in manifest.conventions or recipe.draws == "imported" or recipe.scene is not None:
        return recipe
    return recipe.replace(split_rule="each-category")
