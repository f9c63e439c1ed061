"""Morph targets: the shape of a mesh by its default weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.gltf.numbers import to_finite_numbers


@dataclass(frozen=True, slots=True, eq=False)
class MorphTarget:
    """A target that is part of the default shape."""

    weight: float
    """Factor of the differences."""
    attributes: JsonObject
    """Accessors of the differences, by attribute."""


def list_active_targets(
    file: GltfFile, node: JsonObject, mesh: JsonObject, primitive: JsonObject
) -> tuple[MorphTarget, ...]:
    """List the morph targets of a primitive whose weight is not zero. Weights of the node come first."""
    if not primitive.get("targets"):
        return ()
    value: Any = node.get("weights", mesh.get("weights"))
    if value is None:
        return ()
    numbers = to_finite_numbers(value, len(cast("list[Any]", value))) if isinstance(value, list) else None
    if numbers is None:
        detail = "the weights of morph targets are not finite numbers"
        file.log.add("number-repaired", detail, "the mesh is drawn without morph targets")
        return ()
    targets = file.get_dicts(primitive, "targets")
    return tuple(
        MorphTarget(weight, target)
        for weight, target in zip(numbers.tolist(), targets, strict=False)
        if weight
    )


def apply_targets(
    base: NDArray[np.float64],
    targets: tuple[MorphTarget, ...],
    name: str,
    read: Callable[[object, str], NDArray[np.float64] | None],
) -> NDArray[np.float64]:
    """Add the weighted differences of morph targets to an attribute.

    Args:
        base: [N, width] values of the attribute without targets.
        targets: Targets to apply.
        name: Name of the attribute.
        read: Function that reads an accessor as [N, columns], given a name for messages. None if it cannot.

    Returns:
        [N, width] values.
    """
    total = base
    for target in targets:
        if name not in target.attributes:
            continue
        difference = read(target.attributes[name], f"{name} of a morph target")
        if difference is not None:
            width = difference.shape[1]
            total = total.copy() if total is base else total
            total[:, :width] += target.weight * difference
    return total
