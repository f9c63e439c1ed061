"""Recipes: everything that decides a data set except the meshes."""

from turntable.datasets.recipes.recipe import Recipe, load_recipe, shipped_recipes

__all__ = [
    "Recipe",
    "load_recipe",
    "shipped_recipes",
]
