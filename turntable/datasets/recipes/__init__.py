"""Recipes: everything that decides a data set except the meshes."""

from turntable.datasets.recipes.recipe import Quality, Recipe, Source, load_recipe, shipped_recipes

__all__ = [
    "Quality",
    "Recipe",
    "Source",
    "load_recipe",
    "shipped_recipes",
]
