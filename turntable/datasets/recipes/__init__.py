"""Recipes: everything that determines a data set except the meshes."""

from turntable.datasets.recipes.recipe import (
    Recipe,
    list_shipped_recipes,
    load_recipe,
    read_shipped_recipe,
)

__all__ = [
    "Recipe",
    "list_shipped_recipes",
    "load_recipe",
    "read_shipped_recipe",
]
