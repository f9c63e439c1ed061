"""A picture of what a view can show besides one rigid object: joints, scenes, solids, and motion by a law."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe, load_recipe
from turntable.renderer.backends import Backend
from turntable.renderer.meshes.sources import load_mesh, open_recipe_source
from turntable.renderer.views import render_views

NUM_TILES = 6
"""Number of views of a row."""
NUM_BASE_OBJECTS = 62
"""Number of objects of which the scenes are composed."""
ROWS = ("articulated", "scenes", "solids", "charged")
"""The shipped recipe of each row."""


def draw_modality_strip(backend: Backend, image_size_px: int = 128) -> NDArray[np.uint8]:
    """Draw one row of views for each of the recipes ``articulated``, ``scenes``, ``solids`` and ``charged``.

    A row shows several objects, or frames of one sequence if the recipe moves parts by a law.

    Args:
        backend: Backend that renders.
        image_size_px: Side S of a view in pixels.

    Returns:
        uint8 [4 S, 6 S, 3] in RGB order.
    """
    recipes = (load_recipe(name).replace(image_size_px=image_size_px) for name in ROWS)
    return np.concatenate([np.concatenate(list(_iter_tiles(backend, item)), axis=1) for item in recipes])


def _iter_tiles(backend: Backend, recipe: Recipe) -> Iterator[NDArray[np.uint8]]:
    base = None if recipe.scene is None else NUM_BASE_OBJECTS
    source = open_recipe_source(recipe, None, 2 * NUM_TILES, num_base_objects=base)
    ids = [item.id for item in source.list_objects()][:NUM_TILES]
    if recipe.sequence is not None:
        # Frames of the first sequence, evenly spaced.
        frames = np.linspace(0, recipe.sequence.length - 1, NUM_TILES).astype(int).tolist()
        yield from render_views(backend, recipe, ids[0], load_mesh(source, ids[0]), frames).rgb
        return
    for object_id in ids:
        yield render_views(backend, recipe, object_id, load_mesh(source, object_id), [0]).rgb[0]
