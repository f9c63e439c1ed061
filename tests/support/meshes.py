"""Small meshes for tests, as values and as files."""

from pathlib import Path

import numpy as np

from turntable.renderer.meshes import Material, Mesh


def sphere(rings: int, columns: int, radius: float = 0.5, **material) -> Mesh:
    """A smooth sphere of 2 * rings * columns triangles."""
    polar, turn = np.meshgrid(
        np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, columns + 1), indexing="ij"
    )
    normals = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], axis=-1)
    normals = normals.reshape(-1, 3).astype(np.float32)
    row, column = np.meshgrid(np.arange(rings), np.arange(columns), indexing="ij")
    a = (row * (columns + 1) + column).ravel()
    below = a + columns + 1
    triangles = np.concatenate([np.stack([a, below, below + 1], -1), np.stack([a, below + 1, a + 1], -1)])
    return Mesh(
        radius * normals,
        triangles.astype(np.int32),
        normals,
        np.zeros((len(normals), 2), np.float32),
        np.zeros(len(triangles), np.int32),
        (Material(**material),),
    )


CUBE_OBJ = """mtllib model_normalized.mtl
v -0.3 -0.3 -0.3
v 0.3 -0.3 -0.3
v 0.3 0.3 -0.3
v -0.3 0.3 -0.3
v -0.3 -0.3 0.3
v 0.3 -0.3 0.3
v 0.3 0.3 0.3
v -0.3 0.3 0.3
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl painted
f 1/1 4/4 3/3 2/2
f 5/1 6/2 7/3 8/4
f 1/1 2/2 6/3 5/4
usemtl plain
f 4/1 8/2 7/3 3/4
f 1/1 5/2 8/3 4/4
f 2/1 3/2 7/3 6/4
"""

CUBE_MTL = """newmtl painted
Kd 0.2 0.4 0.6
Ks 0.4 0.4 0.4
Ns 10
illum 2
d 1
map_Kd ../images/texture0.png
newmtl plain
Kd 0.5 0.25 0.125
illum 2
"""


def write_shapenet_object(root: Path, object_id: str, obj: str = CUBE_OBJ, mtl: str = CUBE_MTL) -> Path:
    """One object in ShapeNet's layout, with a texture of four colours; the path of its OBJ file."""
    from PIL import Image

    models, images = root / object_id / "models", root / object_id / "images"
    models.mkdir(parents=True)
    images.mkdir()
    (models / "model_normalized.obj").write_text(obj)
    (models / "model_normalized.mtl").write_text(mtl)
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    Image.fromarray(pixels).save(images / "texture0.png")
    return models / "model_normalized.obj"


def write_v1_object(root: Path, object_id: str) -> Path:
    """One object in the layout of ShapeNetCore v1; the path of its OBJ file."""
    folder = root / object_id
    folder.mkdir(parents=True)
    (folder / "model.obj").write_text(CUBE_OBJ.replace("model_normalized.mtl", "model.mtl"))
    (folder / "model.mtl").write_text("newmtl painted\nKd 1 0 0\nnewmtl plain\nKd 0 1 0\n")
    return folder / "model.obj"


def write_glb(path: Path, size=(4, 2, 1), colour=(200, 10, 10)) -> Path:
    """A box with a texture of one colour, as a GLB file."""
    import trimesh
    from PIL import Image

    image = Image.new("RGB", (4, 4), colour)
    made = trimesh.creation.box(size)
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=image)
    made.visual = trimesh.visual.TextureVisuals(uv=np.zeros((8, 2)), material=material)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.export(path)
    return path
