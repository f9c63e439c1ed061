"""Joints and motions of a recipe before anything is rendered: of generated objects, for plots."""

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.choices import GENERATED_SOURCES
from turntable.datasets import Recipe
from turntable.datasets.describing import NUM_PLOTTED_SEQUENCES, JointPreview, PathPreview
from turntable.datasets.draws import draw_factors
from turntable.datasets.objects import Joint, compute_joint_motions, list_joints
from turntable.renderer.meshes import Mesh, get_part_of_vertices, move_parts
from turntable.renderer.meshes.sources import MeshSource, load_mesh, open_recipe_source
from turntable.renderer.posing import pose_parts

Floats = NDArray[np.float64]

NUM_OBJECTS = 4
"""Number of objects whose joints are shown."""
_NUM_LISTED = 48
"""Number of objects that they are chosen from, at even distances, and that scenes are composed of."""
_SWEEP_STEPS = 24
_AXIS_LENGTH = 0.5
_AXIS_TIPS = 0.4 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
"""Points [4, 3] of an object whose paths show how it moves: its center, and points on its axes."""


def make_joint_previews(recipe: Recipe) -> tuple[JointPreview, ...]:
    """Return some objects of a recipe with a table [joints], each moved by its joints.

    Returns:
        The objects. None if the recipe draws no joints, or if they are those of mesh files.
    """
    if recipe.joints is None or recipe.source not in GENERATED_SOURCES:
        return ()
    source = _open_objects(recipe)
    listed = [item.id for item in source.list_objects()]
    chosen = listed[:: max(len(listed) // NUM_OBJECTS, 1)][:NUM_OBJECTS]
    return tuple(_make_object_preview(name, load_mesh(source, name)) for name in chosen)


def _open_objects(recipe: Recipe) -> MeshSource:
    if recipe.scene is None:
        return open_recipe_source(recipe, None, _NUM_LISTED)
    return open_recipe_source(recipe, None, NUM_PLOTTED_SEQUENCES, num_base_objects=_NUM_LISTED)


def _make_object_preview(object_id: str, mesh: Mesh) -> JointPreview:
    joints = list_joints(mesh.parts)
    ends = np.array([[joint.low, 0, joint.high] for joint in joints]).T
    states = [move_parts(mesh, motions) for motions in compute_joint_motions(mesh.parts, ends)]
    words = ", ".join(f"{part.name}: {part.joint.kind}" for part in mesh.parts if part.joint is not None)
    assert mesh.part_index is not None
    return JointPreview(
        title=f"{object_id} ({words})",
        triangles=np.array([state.positions[state.triangles] for state in states], dtype=np.float64),
        part_index=mesh.part_index,
        axes=np.array([_find_axis_ends(joint) for joint in joints]),
        sweeps=np.array([_compute_sweep(mesh, number) for number in range(len(joints))]),
    )


def _find_axis_ends(joint: Joint) -> Floats:
    return np.array(joint.origin) + _AXIS_LENGTH / 2 * np.array([[-1], [1]]) * np.array(joint.axis)


def _compute_sweep(mesh: Mesh, number: int) -> Floats:
    """Return the places [S, 3] of the point of a joint's part farthest from its axis, over its range."""
    part = [index for index, item in enumerate(mesh.parts) if item.joint is not None][number]
    joint = list_joints(mesh.parts)[number]
    places = mesh.positions[get_part_of_vertices(mesh) == part].astype(np.float64)
    from_axis = np.cross(places - np.array(joint.origin), np.array(joint.axis))
    farthest = places[np.argmax(np.linalg.norm(from_axis, axis=1))]
    motions = joint.compute_motions(np.linspace(joint.low, joint.high, _SWEEP_STEPS))
    return motions[:, :3, :3] @ farthest + motions[:, :3, 3]


def make_path_previews(recipe: Recipe) -> tuple[PathPreview, ...]:
    """Return some sequences of a recipe as paths: of the parts that a law moves, else of the object's axes.

    Returns:
        The sequences. None if the recipe has none, or if its law moves the parts of mesh files.

    Raises:
        MeshError: The objects of a scene find no place.
    """
    if recipe.sequence is None or recipe.draws == "imported":
        return ()
    if recipe.dynamics is None:
        return tuple(
            _make_axes_preview(recipe, f"invented/{number}") for number in range(NUM_PLOTTED_SEQUENCES)
        )
    if recipe.source not in GENERATED_SOURCES:
        return ()
    source = _open_objects(recipe)
    listed = source.list_objects()[:: max(len(source.list_objects()) // NUM_PLOTTED_SEQUENCES, 1)]
    return tuple(
        _make_parts_preview(recipe, item.id, load_mesh(source, item.id))
        for item in listed[:NUM_PLOTTED_SEQUENCES]
    )


def _compute_poses(recipe: Recipe, object_id: str) -> Floats:
    """Return the poses [T, 4, 4] of an object in its first sequence."""
    assert recipe.sequence is not None
    labels = draw_factors(recipe, object_id, range(recipe.sequence.length))
    schema = recipe.schema
    return geometry.make_pose(schema.compute_rotations(labels), schema.get_translations(labels))


def _make_axes_preview(recipe: Recipe, object_id: str) -> PathPreview:
    poses = _compute_poses(recipe, object_id)
    places = np.einsum("tij,pj->tpi", poses[:, :3, :3], _AXIS_TIPS) + poses[:, None, :3, 3]
    return PathPreview(f"{object_id}: center, ends of the axes", places)


def _make_parts_preview(recipe: Recipe, object_id: str, mesh: Mesh) -> PathPreview:
    poses = _compute_poses(recipe, object_id)
    parts = pose_parts(recipe, object_id, mesh, np.arange(len(poses)), poses)
    assert parts is not None
    return PathPreview(
        f"{object_id}: {len(mesh.parts)} parts", parts.part_pose[:, :, :3, 3].astype(np.float64)
    )
