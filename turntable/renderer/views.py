"""The heart: (recipe, object, view) to pixels and label. Generation, verification and tests all call it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe, draw_factors
from turntable.datasets.files import encode_jpeg
from turntable.datasets.labels import LabelArray, encode_extra
from turntable.renderer.backends import Backend, Quality, quality
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import scenes_from_labels


@dataclass(frozen=True, slots=True, eq=False)
class RenderedViews:
    """Rendered views of one object, with their labels."""

    labels: LabelArray
    """[V, L] in the order of the recipe's factors."""
    rgb: NDArray[np.uint8]
    """[V, S, S, 3]; red is red, whatever the recipe's channel order."""
    extras: dict[str, NDArray[Any]]
    """The recipe's other outputs by name, [V, S, S, …] as :class:`Pixels` has them."""


def render_views(
    backend: Backend,
    recipe: Recipe,
    object_id: str,
    mesh: Mesh,
    views: Sequence[int],
    stream: tuple[int, int] | None = None,
) -> RenderedViews:
    """Render views of an object; they depend on the arguments alone.

    Args:
        backend: What draws.
        recipe: The factors' ranges and the seed; image size and quality.
        object_id: Its id in the data set, which takes part in the draw.
        mesh: Its mesh.
        views: View numbers, in any order.
        stream: The object's place in the published stream, for a recipe that is drawn along it.

    Raises:
        MeshError: The mesh cannot be drawn.
    """
    return begin_views(backend, recipe, object_id, mesh, views, stream)()


def begin_views(
    backend: Backend,
    recipe: Recipe,
    object_id: str,
    mesh: Mesh,
    views: Sequence[int],
    stream: tuple[int, int] | None = None,
) -> Callable[[], RenderedViews]:
    """The same, begun: a device draws while the caller does other things. What is returned waits for it."""
    labels = draw_factors(recipe, object_id, views, stream)
    scenes = scenes_from_labels(recipe.schema.scene_names, recipe.schema.scene_columns(labels))
    pending = backend.begin(mesh, scenes, recipe.image_size_px, recipe_quality(recipe), recipe.outputs)

    def finished() -> RenderedViews:
        pixels = pending()
        extras = {name: getattr(pixels, name) for name in recipe.outputs if name != "rgb"}
        return RenderedViews(labels, pixels.rgb, extras)

    return finished


def recipe_quality(recipe: Recipe) -> Quality:
    """How much work a recipe asks for."""
    return quality(recipe.quality, recipe.supersampling)


def encode_extras(views: RenderedViews) -> dict[str, list[bytes]]:
    """The files of each further output, one a view."""
    return {name: [encode_extra(name, drawn) for drawn in arrays] for name, arrays in views.extras.items()}


def encode_views(recipe: Recipe, rgb: NDArray[np.uint8]) -> list[bytes]:
    """The JPEG of each view [V, S, S, 3], in the recipe's channel order."""
    ordered = rgb[..., ::-1] if recipe.channel_order == "bgr" else rgb
    contiguous = np.ascontiguousarray(ordered)
    return [encode_jpeg(image, recipe.jpeg_quality, recipe.jpeg_subsampling) for image in contiguous]
