"""The outputs of views besides the picture, from what a backend draws: as drawn, part indices, and flow.

Flow is to the next view of a sequence, so those next views are drawn too that were not asked for.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe
from turntable.datasets.labels import NO_PART, OUTPUTS, OutputName
from turntable.errors import InvalidInputError
from turntable.renderer.backends import Backend, Pixels, Quality
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes, SeenSurface, compute_flow

_SURFACE: tuple[OutputName, ...] = ("mask", "depth", "coordinates", "parts")
"""Outputs from which the flow is computed."""


@dataclass(frozen=True, slots=True)
class DrawnViews:
    """The views to draw for V views that were asked for: those first, then further ones."""

    numbers: tuple[int, ...]
    """[W] numbers of the views."""
    following: tuple[int | None, ...]
    """[V] row in ``numbers`` of the next view of the sequence; None for the last one, and without flow."""


def list_drawn_views(recipe: Recipe, views: Sequence[int]) -> DrawnViews:
    """Return the views to draw for some views: with flow also the next view of each.

    Args:
        recipe: Recipe with the outputs and the length of the sequences.
        views: Numbers [V] of the views asked for.
    """
    if "flow" not in recipe.outputs:
        return DrawnViews(tuple(views), (None,) * len(views))
    assert recipe.sequence is not None
    length = recipe.sequence.length
    following = [view + 1 if (view + 1) % length else None for view in views]
    numbers = tuple(dict.fromkeys((*views, *(view for view in following if view is not None))))
    row = {view: row for row, view in enumerate(numbers)}
    return DrawnViews(numbers, tuple(None if view is None else row[view] for view in following))


def begin_outputs(
    backend: Backend,
    mesh: Mesh,
    scenes: Scenes,
    image_size_px: int,
    quality: Quality,
    outputs: Collection[OutputName],
    drawn: DrawnViews,
) -> Callable[[], tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]]:
    """Begin to draw views, and return a function that waits for their pictures and further outputs.

    Args:
        backend: Backend that renders.
        mesh: Mesh of the object.
        scenes: Scenes of the W views to draw.
        image_size_px: Width and height S of the pictures.
        quality: Amount of work per picture.
        outputs: Names of the outputs.
        drawn: Views to draw.

    Returns:
        A function, to be called once, that returns [V, S, S, 3] pictures and the further outputs by name,
        [V, S, S, …]. It raises InvalidInputError if the backend does not draw the parts of assemblies.
    """
    pending = backend.begin(mesh, scenes, image_size_px, quality, _list_asked_outputs(mesh, outputs))

    def wait() -> tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]:
        pixels = pending()
        rows = slice(len(drawn.following))
        made: dict[str, NDArray[Any]] = {}
        for name in outputs:
            if name == "flow":
                made[name] = _compute_flows(mesh, scenes, pixels, drawn)
            elif name != "rgb":
                array = _get_parts(mesh, pixels) if name == "parts" else getattr(pixels, name)
                made[name] = array[rows]
        return pixels.rgb[rows], made

    return wait


def _list_asked_outputs(mesh: Mesh, outputs: Collection[OutputName]) -> tuple[OutputName, ...]:
    """Return the outputs that a backend must draw. It draws no flow, and no parts where the mask tells."""
    asked = {name for name in outputs if name != "flow"} | (set(_SURFACE) if "flow" in outputs else set())
    if "parts" in asked and not mesh.parts:
        asked = asked - {"parts"} | {"mask"}
    return tuple(name for name in OUTPUTS if name in asked)


def _get_parts(mesh: Mesh, pixels: Pixels) -> NDArray[np.uint8]:
    """Return the part indices [W, S, S]. An object of one piece is part 0 of itself."""
    if not mesh.parts:
        assert pixels.mask is not None
        return np.where(pixels.mask > 0, 0, NO_PART).astype(np.uint8)
    if pixels.parts is None:
        raise InvalidInputError(
            "this backend does not draw the output parts, which parts and flow of an object with parts need; "
            "use another backend (--backend), or leave both out"
        )
    return pixels.parts


def _compute_flows(mesh: Mesh, scenes: Scenes, pixels: Pixels, drawn: DrawnViews) -> NDArray[np.float32]:
    """Return the flow [V, S, S, 3] of each view to its next one; zeros for views without a next one."""
    assert pixels.mask is not None
    assert pixels.depth is not None
    assert pixels.coordinates is not None
    parts = _get_parts(mesh, pixels)
    seen = [
        SeenSurface(pixels.mask[row] > 0, parts[row], pixels.coordinates[row], pixels.depth[row])
        for row in range(len(scenes))
    ]
    flows = np.zeros((len(drawn.following), *pixels.mask.shape[1:], 3), dtype=np.float32)
    for row, following in enumerate(drawn.following):
        if following is not None:
            flows[row] = compute_flow(scenes, row, following, seen[row], seen[following])
    return flows
