"""The arrays that a shard holds of an object and of its views, made from what the views show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe
from turntable.datasets.labels import VIEW_ARRAYS, LabelArray
from turntable.renderer.meshes import Mesh
from turntable.renderer.point_clouds import sample_object_points
from turntable.renderer.posing import PartPoses

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class ShownObject:
    """An object and its V views, from which arrays are made."""

    recipe: Recipe
    """Recipe of the data set."""
    object_id: str
    """Id of the object."""
    category: str
    """Category of the object."""
    mesh: Mesh
    """Mesh of the object."""
    labels: LabelArray
    """[V, L] factor values of all views, in the order of the recipe's factors."""
    object_to_world: NDArray[np.float64]
    """[V, 4, 4] pose of the object in the world."""
    parts: PartPoses | None = None
    """Poses of the parts in all views; None for an object of one piece."""
    source_arrays: Arrays = field(default_factory=dict[str, NDArray[Any]])
    """Arrays that the source has of the object."""


def compute_object_arrays(shown: ShownObject) -> dict[str, NDArray[Any]]:
    """Compute the arrays of an object, of the names and forms of ``OBJECT_ARRAYS``.

    Raises:
        MeshError: The recipe asks for an array that the object cannot have.
    """
    arrays = dict(shown.source_arrays)
    for compute in _OBJECT_MAKERS:
        arrays |= compute(shown)
    return arrays


def compute_view_arrays(shown: ShownObject) -> dict[str, Sequence[NDArray[Any]]]:
    """Compute the outputs of ``VIEW_ARRAYS`` that the recipe names: for each, one array per view.

    Raises:
        MeshError: The recipe asks for an array that the object cannot have.
    """
    names = [name for name in shown.recipe.outputs if name in VIEW_ARRAYS]
    return {name: _VIEW_MAKERS[name](shown) for name in names}


def _compute_points(shown: ShownObject) -> Arrays:
    recipe = shown.recipe
    return {"points": sample_object_points(recipe, shown.object_id, shown.mesh)} if recipe.points else {}


def _list_part_arrays(shown: ShownObject) -> Arrays:
    if shown.parts is None:
        return {}
    arrays = {"part_pose": shown.parts.part_pose}
    return arrays | ({"joint_values": shown.parts.joint_values} if shown.parts.joint_values.shape[1] else {})


_OBJECT_MAKERS: tuple[Callable[[ShownObject], Arrays], ...] = (_compute_points, _list_part_arrays)
"""Functions that make arrays of an object; each makes none where the recipe does not ask for them."""
_VIEW_MAKERS: dict[str, Callable[[ShownObject], Sequence[NDArray[Any]]]] = {}
"""Functions that make an output of ``VIEW_ARRAYS``, by its name."""
