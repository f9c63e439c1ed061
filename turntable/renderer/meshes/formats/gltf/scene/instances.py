"""Instances of a mesh: the places where ``EXT_mesh_gpu_instancing`` draws the mesh of one node."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.gltf.accessors import count_elements, read_floats
from turntable.renderer.meshes.formats.gltf.extensions import INSTANCING
from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.gltf.scene.nodes import (
    Matrix,
    PlacedNode,
    compute_transforms,
    find_finite,
)

_DEFAULTS = {"TRANSLATION": [0.0, 0.0, 0.0], "ROTATION": [0.0, 0.0, 0.0, 1.0], "SCALE": [1.0, 1.0, 1.0]}
"""Attributes of instances, with the values of those that a file leaves out."""


def count_instances(file: GltfFile, placed: PlacedNode) -> int:
    """Return the number of times that a node draws its mesh: 1 unless it has instances."""
    accessors = _get_accessors(file, placed.node)
    return 1 if accessors is None else min(count_elements(file, index) for index in accessors.values())


def compute_instance_matrices(file: GltfFile, placed: PlacedNode) -> Matrix:
    """Compute the matrices [N, 4, 4] from each instance of a node's mesh to the scene.

    Instances with numbers that are not finite are left out, with a warning.
    """
    accessors = _get_accessors(file, placed.node)
    if accessors is None:
        return placed.world_matrix[None]
    count = count_instances(file, placed)
    values = {
        name: read_floats(file, accessors[name], len(default), np.arange(count))
        if name in accessors
        else np.tile(default, (count, 1))
        for name, default in _DEFAULTS.items()
    }
    rotations = _normalize_rotations(values["ROTATION"])
    with np.errstate(over="ignore", invalid="ignore"):
        local = compute_transforms(values["TRANSLATION"], rotations, values["SCALE"])
        world = placed.world_matrix @ local
    is_finite = find_finite(world)
    if not is_finite.all():
        detail = f"{np.sum(~is_finite):,} instances of node {placed.number} have no finite place"
        file.log.add("node-skipped", detail, "they are left out")
    return world[is_finite]


def _get_accessors(file: GltfFile, node: JsonObject) -> dict[str, object] | None:
    """Return the accessors of a node's instances by attribute, or None if it has no usable ones."""
    extension = file.get_extension(node, INSTANCING) if "extensions" in node else None
    if extension is None:
        return None
    attributes = file.get_dict(extension, "attributes")
    return {name: attributes[name] for name in _DEFAULTS if name in attributes} or None


def _normalize_rotations(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale quaternions [N, 4] to unit length, as quantized ones need it. One of zeros turns nothing."""
    lengths = np.linalg.norm(rotations, axis=1, keepdims=True)
    return np.where(lengths > 0, rotations / np.where(lengths > 0, lengths, 1), _DEFAULTS["ROTATION"])
