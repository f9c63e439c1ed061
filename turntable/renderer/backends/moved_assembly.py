"""Drawing of assemblies by backends that know rigid meshes alone: each view has a mesh of its own."""

from collections.abc import Callable, Collection
from dataclasses import fields, replace
from typing import Any

import numpy as np

from turntable import geometry
from turntable.datasets.labels import OutputName
from turntable.renderer.backends.protocol import Pixels
from turntable.renderer.backends.surface_outputs import move_points
from turntable.renderer.meshes import Mesh, move_parts
from turntable.renderer.scene import Scenes

RenderRigid = Callable[[Mesh, Scenes, Collection[OutputName]], Pixels]
"""A function that draws one view per scene of a mesh that stands still, with ``parts`` of its triangles."""


def render_moved_views(
    render: RenderRigid, mesh: Mesh, scenes: Scenes, outputs: Collection[OutputName]
) -> Pixels:
    """Draw one view of an assembly per scene, each as the mesh that its parts form there.

    Args:
        render: Function that draws a mesh.
        mesh: Assembly at rest.
        scenes: Scenes of the V views, with the motions of the parts.
        outputs: Names of the outputs.
    """
    assert scenes.part_motions is not None
    wanted: set[OutputName] = {*outputs}
    if "coordinates" in outputs:
        wanted.add("parts")
    still = replace(scenes, part_motions=None)
    views = [
        render(move_parts(mesh, motions), still[view : view + 1], wanted)
        for view, motions in enumerate(scenes.part_motions)
    ]
    pixels = Pixels(**{item.name: _join_views(views, item.name) for item in fields(Pixels)})
    if pixels.coordinates is not None and pixels.parts is not None:
        pixels = replace(pixels, coordinates=_return_to_rest(pixels.coordinates, pixels.parts, scenes))
    return pixels if "parts" in outputs else replace(pixels, parts=None)


def _join_views(views: list[Pixels], name: str) -> Any:
    arrays = [getattr(pixels, name) for pixels in views]
    return None if not arrays or arrays[0] is None else np.concatenate(arrays)


def _return_to_rest(coordinates: Any, parts: Any, scenes: Scenes) -> Any:
    """Return the places at rest [V, S, S, 3] of moved points; 0 stays 0 where there is no part."""
    assert scenes.part_motions is not None
    back = replace(scenes, part_motions=geometry.invert_pose(scenes.part_motions))
    seen = parts < scenes.part_motions.shape[1]
    at_rest = move_points(coordinates, np.where(seen, parts, 0), back)
    return np.where(seen[..., None], at_rest, 0).astype(np.float32)
