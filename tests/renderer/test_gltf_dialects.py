"""Scenes in random dialects of glTF: all mean the same. And glTF files by trimesh, against trimesh."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.gltf import triangles_of
from tests.support.gltf_dialects import Dialect, Scene, matrix_of, write_scene
from turntable.renderer.meshes.formats import load_gltf

DIALECTS = st.builds(
    Dialect,
    container=st.sampled_from(["glb", "embedded", "beside"]),
    buffers=st.integers(1, 3),
    is_interleaved=st.booleans(),
    position_type=st.sampled_from(["f4", "i2", "u2 normalized"]),
    texcoord_type=st.sampled_from(["f4", "u1 normalized", "u2 normalized"]),
    color_type=st.sampled_from(["f4", "u1 normalized", "u2 normalized"]),
    color_width=st.sampled_from([3, 4]),
    index_type=st.sampled_from(["u1", "u2", "u4", "none"]),
    mode=st.sampled_from(["list", "strip", "fan"]),
    is_sparse=st.booleans(),
    placing=st.sampled_from(["matrix", "parts", "chain", "baked"]),
)


def make_scene(seed: int) -> Scene:
    rng = np.random.default_rng(seed)
    count = 3 * rng.integers(1, 9)
    turn = rng.normal(size=4)
    return Scene(
        positions=rng.integers(0, 201, (count, 3)).astype(np.float64),
        texcoords=rng.integers(0, 256, (count, 2)) / 255,
        colors=rng.integers(0, 256, (count, 4)) / 255,
        turn=turn / np.linalg.norm(turn),
        scale=rng.uniform(0.5, 2, 3) * rng.choice([-1, 1], 3),
        translation=rng.uniform(-50, 50, 3),
    )


@settings(max_examples=150, deadline=None)
@given(dialect=DIALECTS, seed=st.integers(0, 2**16))
def test_a_scene_is_the_same_in_every_dialect(dialect, seed):
    scene = make_scene(seed)
    with tempfile.TemporaryDirectory() as folder:
        mesh = load_gltf(write_scene(scene, dialect, Path(folder)))
    matrix = matrix_of(scene)
    world = scene.positions @ matrix[:3, :3].T + matrix[:3, 3]
    corners = mesh.triangles.ravel()
    np.testing.assert_allclose(triangles_of(mesh).reshape(-1, 3), world, atol=2e-3)
    np.testing.assert_allclose(mesh.texcoords[corners], scene.texcoords * [1, -1] + [0, 1], atol=1e-6)
    expected = scene.colors.copy()
    if dialect.color_width == 3:
        expected[:, 3] = 1
    np.testing.assert_allclose(mesh.colors[corners], expected, atol=1e-6)
    assert mesh.warnings == ()


def painted(rng, kind):
    """A shape with colors of vertices or a texture."""
    mesh = trimesh.creation.icosphere(2) if kind != "box" else trimesh.creation.box((1, 2, 3))
    if kind == "colors":
        mesh.visual.vertex_colors = rng.integers(0, 256, (len(mesh.vertices), 4), dtype=np.uint8)
    else:
        pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        material = trimesh.visual.material.PBRMaterial(
            baseColorTexture=Image.fromarray(pixels), metallicFactor=0
        )
        uv = rng.uniform(size=(len(mesh.vertices), 2))
        mesh.visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    return mesh


@pytest.mark.parametrize("suffix", ["glb", "gltf"])
def test_area_bounds_and_colors_are_those_that_trimesh_reads(tmp_path, suffix):
    rng = np.random.default_rng(0)
    scene = trimesh.Scene()
    for number, kind in enumerate(["colors", "texture", "box"]):
        place = trimesh.transformations.random_rotation_matrix(rng.uniform(size=3))
        place[:3, 3] = rng.uniform(-2, 2, 3)
        scene.add_geometry(painted(rng, kind), node_name=f"n{number}", transform=place)
    path = tmp_path / f"a.{suffix}"
    if suffix == "glb":
        scene.export(path)
    else:
        for name, data in trimesh.exchange.gltf.export_gltf(scene).items():
            (tmp_path / ("a.gltf" if name == "model.gltf" else name)).write_bytes(data)
    mesh, theirs = load_gltf(path), trimesh.load_scene(path)
    parts = theirs.dump()
    ours = triangles_of(mesh)
    assert len(ours) == sum(len(part.faces) for part in parts)
    area = np.linalg.norm(np.cross(ours[:, 1] - ours[:, 0], ours[:, 2] - ours[:, 0]), axis=1).sum() / 2
    assert area == pytest.approx(theirs.area, rel=1e-5)
    np.testing.assert_allclose([ours.min((0, 1)), ours.max((0, 1))], theirs.bounds, atol=1e-5)
    (colored,) = (part for part in parts if part.visual.kind == "vertex")
    mine = mesh.colors[(mesh.colors < 1).any(axis=1)]
    their_mean = colored.visual.vertex_colors[colored.faces.ravel()].mean(axis=0)[:3] / 255
    assert len(mine) >= 3 * len(colored.faces) - 9
    np.testing.assert_allclose(mine[:, :3].mean(axis=0), their_mean, atol=0.01)
    textures = [m.texture.pixels for m in mesh.materials if m.texture is not None]
    expected = [
        np.asarray(part.visual.material.baseColorTexture) for part in parts if part.visual.kind == "texture"
    ]
    assert sorted(t.tobytes() for t in textures) == sorted(e.tobytes() for e in expected)
