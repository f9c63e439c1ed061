"""Objects of one texture each, which may lie elsewhere, and what loading finds of it."""

from PIL import Image

from turntable.renderer.meshes.formats.files.object_files import ObjectFiles
from turntable.renderer.meshes.sources import FolderSource, load_mesh

OBJ = "mtllib {mtl}\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nusemtl m\nf 1/1 2/2 3/3\n"
RED, BLUE = (255, 0, 0), (0, 0, 255)


def write_object(path, texture, mtl=None):
    """A triangle whose material names a texture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mtl = mtl or f"{path.stem}.mtl"
    path.write_text(OBJ.format(mtl=mtl))
    (path.parent / mtl).write_text(
        f"newmtl m\nmap_Kd {texture}\n", encoding="utf-8", errors="surrogateescape"
    )
    return path


def write_image(path, color=RED):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (2, 2), color).save(path, path.suffix[1:].upper().replace("JPG", "JPEG") or "PNG")
    return path


def load(root, object_id, **more):
    """The color of the object's texture, and the kinds of its warnings."""
    mesh = load_mesh(FolderSource(root, **more), object_id)
    texture = mesh.materials[-1].texture
    color = (
        None if texture is None else tuple(int(level > 128) * 255 for level in texture.pixels[0, 0].tolist())
    )
    return color, [warning.kind for warning in mesh.warnings]


def find(root, folder, name):
    """The file found below the root and relative to it, and the kinds of the warnings."""
    files = ObjectFiles(root)
    path = files.find_or_warn(root / folder, name, "texture", "gray")
    return None if path is None else str(path.relative_to(root.resolve())), [
        w.kind for w in files.log.warnings
    ]
