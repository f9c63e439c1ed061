"""glTF files whose parts move: boxes under animated nodes, and arms of bones."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.support.gltf import GltfMaker
from tests.support.gltf_box import BOX_INDICES, BOX_POSITIONS


def turn(axis: Any, angle: float) -> list[float]:
    """A unit quaternion x, y, z, w."""
    return [*(np.sin(angle / 2) * np.array(axis, dtype=float)).tolist(), float(np.cos(angle / 2))]


def box(maker: GltfMaker, size: Any, center: Any = (0, 0, 0), color: Any = (0.8, 0.8, 0.8)) -> int:
    """A mesh: a box of this size about a center."""
    corners = BOX_POSITIONS * np.array(size, dtype="<f4") + np.array(center, dtype="<f4")
    material = maker.append(
        "materials", {"pbrMetallicRoughness": {"baseColorFactor": [*color, 1], "metallicFactor": 0}}
    )
    return maker.mesh({"POSITION": corners}, BOX_INDICES.ravel(), material=material)


def animate(maker: GltfMaker, node: int, path: str, values: Any, times: Any = None, **sampler: Any) -> None:
    """Add an animation of one channel."""
    values = np.array(values, dtype=float)
    output = maker.array(values)
    times = np.arange(len(values)) if times is None else times
    maker.append(
        "animations",
        {
            "channels": [{"sampler": 0, "target": {"node": node, "path": path}}],
            "samplers": [{"input": maker.array(np.array(times, dtype=float)), "output": output, **sampler}],
        },
    )


def write_door(path: Path, angles: Any = (0, 0.6, 1.2), **keys: Any) -> Path:
    """A frame of 2 x 2 x 0.2 and a door with a knob on it that turns about y at (-0.8, 0, 0.2)."""
    maker = GltfMaker()
    knob = maker.node(mesh=box(maker, (0.1, 0.1, 0.1)), translation=[1.4, 0, 0.1], name="knob")
    door = maker.node(
        mesh=box(maker, (1.6, 1.8, 0.1), (0.8, 0, 0), (0.1, 0.3, 0.8)),
        translation=[-0.8, 0, 0.2],
        children=[knob],
        name="door",
        **keys,
    )
    frame = maker.node(mesh=box(maker, (2, 2, 0.2), color=(0.8, 0.2, 0.1)), children=[door], name="frame")
    animate(maker, door, "rotation", [turn((0, 1, 0), angle) for angle in angles])
    return maker.write_glb(path, frame)


def write_drawer(path: Path) -> Path:
    """A cabinet of 1 x 1 x 1, scaled by 2, with a drawer that comes out 0.6 to the front."""
    maker = GltfMaker()
    drawer = maker.node(mesh=box(maker, (0.8, 0.3, 0.8), color=(0.2, 0.7, 0.2)), translation=[0, 0.2, 0.2])
    cabinet = maker.node(mesh=box(maker, (1, 1, 1)), children=[drawer], scale=[2, 2, 2])
    animate(maker, drawer, "translation", [[0, 0.2, 0.2], [0, 0.2, 0.5], [0, 0.2, 0.35]])
    return maker.write_glb(path, cabinet)


def write_arm(path: Path, blend: float = 0.0, animated: bool = True) -> Path:
    """Two boxes along y in one mesh, each on a bone; the second turns about z at (0, 1, 0).

    Args:
        path: File to write.
        blend: Share of the first bone in the vertices of the second.
        animated: Whether an animation bends the arm.
    """
    maker = GltfMaker()
    lower = BOX_POSITIONS * np.array([0.2, 1, 0.2], "<f4") + np.array([0, 0.5, 0], "<f4")
    upper = BOX_POSITIONS * np.array([0.15, 1, 0.15], "<f4") + np.array([0, 1.5, 0], "<f4")
    weights = np.array([[1, 0, 0, 0]] * 8 + [[blend, 1 - blend, 0, 0]] * 8)
    joints = maker.array([[0, 1, 0, 0]] * 16, "u1")
    mesh = maker.mesh(
        {"POSITION": np.concatenate([lower, upper]), "JOINTS_0": joints, "WEIGHTS_0": weights},
        np.concatenate([BOX_INDICES.ravel(), BOX_INDICES.ravel() + 8]),
    )
    elbow = maker.node(translation=[0, 1, 0], name="elbow")
    shoulder = maker.node(children=[elbow], name="shoulder")
    inverse = np.tile(np.eye(4), (2, 1, 1))
    inverse[1, 1, 3] = -1
    skin = maker.append(
        "skins",
        {
            "joints": [shoulder, elbow],
            "inverseBindMatrices": maker.array(inverse.transpose(0, 2, 1).reshape(2, 16)),
        },
    )
    body = maker.node(mesh=mesh, skin=skin)
    if animated:
        animate(maker, elbow, "rotation", [turn((0, 0, 1), angle) for angle in (0, -1.5, -0.5)])
    return maker.write_glb(path, body, shoulder)
