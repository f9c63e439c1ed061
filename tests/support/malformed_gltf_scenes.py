"""glTF files with malformed skins, morph targets, instances and scenes."""

from typing import Any

from tests.support.gltf_box import accessor, box_meshes, box_tree, glb
from tests.support.malformed_cases import KEPT, WARNED


def _skinned(count: int = 8, *, joints: Any = (1,), sets: int = 1, **skin: Any) -> bytes:
    """A box that follows joints; the box's own numbers stand in for weights."""
    names = {f"{name}_{n}": 2 for n in range(sets) for name in ("JOINTS", "WEIGHTS")}
    tree = box_tree(
        meshes=box_meshes(attributes={"POSITION": 0, **names}),
        nodes=[{"mesh": 0, "skin": 0}, {"translation": [1, 0, 0]}],
        scenes=[{"nodes": [0, 1]}],
        skins=[{"joints": joints if isinstance(joints, str) else list(joints), **skin}],
        accessors=[*box_tree()["accessors"], accessor(None, 5126, count, "VEC4")],
    )
    return glb(tree)


def _morphed(weights: Any, targets: Any) -> bytes:
    return glb(box_tree(meshes=[{**box_meshes(targets=targets)[0], "weights": weights}]))


def _instanced(attributes: Any, *more: dict[str, Any]) -> bytes:
    extension = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    tree = box_tree(
        nodes=[{"mesh": 0, "extensions": extension}],
        accessors=[*box_tree()["accessors"], *more],
    )
    return glb(tree)


def placed_files() -> dict[str, tuple[bytes, tuple[str, ...]]]:
    """Skins, morph targets, instances and scenes."""
    lift = {"POSITION": 0}
    chain = [{"children": [n + 1]} for n in range(5000)] + [{"mesh": 0, "skin": 0}]
    return {
        "skin-good.glb": (_skinned(), (KEPT,)),
        "skin-unknown.glb": (glb(box_tree(nodes=[{"mesh": 0, "skin": 7}])), (WARNED,)),
        "skin-is-a-list.glb": (glb(box_tree(nodes=[{"mesh": 0, "skin": [0] * 9000}])), (WARNED,)),
        "skin-without-joints.glb": (_skinned(joints=()), (WARNED,)),
        "skin-of-text.glb": (_skinned(joints="abc"), (WARNED,)),
        "skin-of-unknown-joints.glb": (_skinned(joints=(99, -1, 10**30)), (WARNED,)),
        "skin-of-a-million-joints.glb": (_skinned(joints=(1,) * 10**6), (KEPT,)),
        "skin-of-a-thousand-sets.glb": (_skinned(sets=1000), (WARNED,)),
        "skin-without-matrices.glb": (_skinned(inverseBindMatrices=99), (WARNED,)),
        "skin-of-a-matrix-of-three.glb": (_skinned(inverseBindMatrices=0), (WARNED,)),
        "skin-of-a-chain.glb": (
            glb(box_tree(nodes=chain, skins=[{"joints": [*range(5000)]}])),
            (WARNED,),
        ),
        "weights-of-too-few.glb": (_skinned(count=3), (WARNED,)),
        "weights-of-too-many.glb": (_skinned(count=19_999_999), ("too large",)),
        "morph-good.glb": (_morphed([0.5], [lift]), (KEPT,)),
        "morph-of-text.glb": (_morphed("abc", [lift]), (WARNED,)),
        "morph-of-nan.glb": (_morphed([float("nan")], [lift]), (WARNED,)),
        "morph-beyond-numbers.glb": (_morphed([1e299] * 50, [lift] * 50), ("not finite",)),
        "morph-targets-are-numbers.glb": (_morphed([1], [5]), ("unreadable",)),
        "morph-target-unknown.glb": (_morphed([1], [{"POSITION": 99}]), (WARNED,)),
        "morph-targets-alike.glb": (_morphed([1] * 200_000, [lift] * 200_000), ("too large",)),
        "instances-good.glb": (_instanced({"TRANSLATION": 0}), (KEPT,)),
        "instances-unknown.glb": (_instanced({"TRANSLATION": 99}), ("unreadable",)),
        "instances-of-numbers.glb": (_instanced({"SCALE": 1}), ("unreadable",)),
        "instances-are-text.glb": (_instanced("abc"), ("unreadable",)),
        "instances-of-nothing.glb": (
            _instanced({"TRANSLATION": 2}, accessor(None, 5126, 10**9, "VEC3")),
            ("unreadable", "too large"),
        ),
        "instances-of-zeros.glb": (
            _instanced({"TRANSLATION": 2}, accessor(None, 5126, 700, "VEC3")),
            (KEPT,),
        ),
        "scene-of-roots-and-children.glb": (
            glb(
                box_tree(
                    nodes=[*({"children": [n + 1]} for n in range(3000)), {"mesh": 0}],
                    scenes=[{"nodes": [*range(3001)]}],
                )
            ),
            (WARNED,),
        ),
        "scene-hidden.glb": (
            glb(
                box_tree(
                    nodes=[{"mesh": 0, "extensions": {"KHR_node_visibility": {"visible": False}}}],
                )
            ),
            ("no faces",),
        ),
        "scene-unknown.glb": (glb(box_tree(scene=9)), (WARNED,)),
        "node-of-words.glb": (glb(box_tree(nodes=[{"mesh": 0, "scale": ["a", 1, 1]}])), ("unreadable",)),
        "node-without-a-turn.glb": (glb(box_tree(nodes=[{"mesh": 0, "rotation": [0] * 4}])), (WARNED,)),
    }
