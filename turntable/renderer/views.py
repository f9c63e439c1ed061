"""Rendering of one object's views: from a recipe, an object and view numbers to labels and pixels.

Everything that renders goes through here: generation, online rendering, verification and tests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe, draw_factors
from turntable.datasets.files import encode_jpeg
from turntable.datasets.labels import LabelArray, encode_output
from turntable.renderer.backends import Backend, Quality, get_quality
from turntable.renderer.extra_outputs import DrawnViews, begin_outputs, list_drawn_views
from turntable.renderer.meshes import Mesh
from turntable.renderer.posing import PartPoses, pose_parts
from turntable.renderer.scene import Scenes, scenes_from_labels


@dataclass(frozen=True, slots=True, eq=False)
class RenderedViews:
    """Rendered views of one object, with their labels."""

    labels: LabelArray
    """[V, L] factor values, in the order of the recipe's factors."""
    rgb: NDArray[np.uint8]
    """[V, S, S, 3] pictures in RGB order, whatever the recipe's channel order is; [0, S, S, 3] if nothing is
    drawn."""
    extras: dict[str, NDArray[Any]]
    """The recipe's other outputs by name, [V, S, S, …] as in :class:`Pixels`; flow [V, S, S, 3]: x and y in
    px, and the state."""
    parts: PartPoses | None = None
    """Poses of the parts of an assembly; None for an object of one piece."""


@dataclass(frozen=True, slots=True, eq=False)
class PosedViews:
    """The views of one object before they are drawn: V that were asked for, and those that they need."""

    numbers: DrawnViews
    """Numbers of the W views."""
    labels: LabelArray
    """[W, L] factor values."""
    scenes: Scenes
    """Scenes of the W views."""
    parts: PartPoses | None
    """Poses of the parts of an assembly in the W views; None for an object of one piece."""


def render_views(
    backend: Backend,
    recipe: Recipe,
    object_id: str,
    mesh: Mesh,
    views: Sequence[int],
    stream: tuple[int, int] | None = None,
    category: str | None = None,
) -> RenderedViews:
    """Render views of an object; the result depends on the arguments alone.

    Args:
        backend: Backend that renders.
        recipe: Recipe with the factors' ranges, the seed, the image size and the quality.
        object_id: Id of the object in the data set; the factors drawn depend on it.
        mesh: Mesh of the object.
        views: View numbers, in any order.
        stream: Place of the object in the published random stream; only for a recipe that draws along it.
        category: Category of the object; only for a recipe that couples a factor to it.

    Raises:
        MeshError: The mesh cannot be drawn.
        InvalidInputError: The backend does not draw the parts of assemblies.
    """
    return begin_views(backend, recipe, object_id, mesh, views, stream, category)()


def begin_views(
    backend: Backend,
    recipe: Recipe,
    object_id: str,
    mesh: Mesh,
    views: Sequence[int],
    stream: tuple[int, int] | None = None,
    category: str | None = None,
) -> Callable[[], RenderedViews]:
    """Begin to render views of an object, and return a function that waits for them.

    The arguments and errors are those of :func:`render_views`. The device draws while the caller does other
    work, such as encoding the views before. Call the returned function once.
    """
    return begin_posed_views(
        backend, recipe, mesh, pose_views(recipe, object_id, mesh, views, stream, category)
    )


def pose_views(
    recipe: Recipe,
    object_id: str,
    mesh: Mesh,
    views: Sequence[int],
    stream: tuple[int, int] | None = None,
    category: str | None = None,
) -> PosedViews:
    """Draw the labels of views of an object, and pose its parts. Arguments are those of :func:`render_views`.

    Raises:
        MeshError: The recipe moves joints or parts, and the object has none; or a scene finds no place.
    """
    drawn = list_drawn_views(recipe, views)
    labels = draw_factors(recipe, object_id, drawn.numbers, stream, category)
    scenes = scenes_from_labels(recipe.schema.scene_names, recipe.schema.select_scene_columns(labels))
    parts = pose_parts(recipe, object_id, mesh, np.array(drawn.numbers, np.int64), scenes.object_to_world)
    scenes = scenes if parts is None else parts.add_to_scenes(mesh, scenes)
    return PosedViews(drawn, labels, scenes, parts)


def begin_posed_views(
    backend: Backend | None, recipe: Recipe, mesh: Mesh, posed: PosedViews
) -> Callable[[], RenderedViews]:
    """Begin to draw posed views, and return a function that waits for them; call it once.

    Args:
        backend: Backend that renders; None if nothing is drawn.
        recipe: Recipe with the image size, the quality and the outputs.
        mesh: Mesh of the object.
        posed: Views of the object.

    Raises:
        MeshError: The mesh cannot be drawn.
        InvalidInputError: The backend does not draw the parts of assemblies.
    """
    size = recipe.image_size_px
    rows, parts = slice(len(posed.numbers.following)), posed.parts
    labels, own_parts = posed.labels[rows], None if parts is None else parts[rows]
    if backend is None:
        return lambda: RenderedViews(labels, np.empty((0, size, size, 3), np.uint8), {}, own_parts)
    pending = begin_outputs(
        backend, mesh, posed.scenes, size, quality_from_recipe(recipe), recipe.drawn_outputs, posed.numbers
    )

    def wait() -> RenderedViews:
        rgb, extras = pending()
        return RenderedViews(labels, rgb, extras, own_parts)

    return wait


def quality_from_recipe(recipe: Recipe) -> Quality:
    """Return the rendering quality that a recipe asks for."""
    return get_quality(recipe.quality, recipe.supersampling)


def encode_extras(views: RenderedViews) -> dict[str, list[bytes]]:
    """Encode the further outputs as files: for each output's name, one file per view."""
    return {name: [encode_output(name, image) for image in images] for name, images in views.extras.items()}


def encode_views(recipe: Recipe, rgb: NDArray[np.uint8]) -> list[bytes]:
    """Encode views [V, S, S, 3] in RGB order as JPEGs, in the recipe's channel order."""
    ordered = rgb[..., ::-1] if recipe.channel_order == "bgr" else rgb
    contiguous = np.ascontiguousarray(ordered)
    return [encode_jpeg(image, recipe.jpeg_quality, recipe.jpeg_subsampling) for image in contiguous]
