"""Wavefront MTL files and their textures, read as Blender's importer makes Principled materials of them.

Kd is taken as linear, and a ``map_Kd`` texture replaces it. Specular is mean(Ks), roughness is
1 - sqrt(Ns / 1000). Without Ks and Ns, ``illum`` of 2 and above means a mirror-smooth highlight, and any
other value no highlight at all.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.object_files import ObjectFiles
from turntable.renderer.meshes.formats.texture_loader import TextureLoader
from turntable.renderer.meshes.mesh import Material, Texture


@dataclass(slots=True)
class _MtlBlock:
    """One ``newmtl`` block of an MTL file."""

    name: str
    values: dict[str, str] = field(default_factory=dict)
    """Statements by keyword in lower case. The last statement of a keyword wins."""


def load_materials(
    obj_path: Path, libraries: Iterable[str], names: Mapping[str, int], object_files: ObjectFiles
) -> tuple[Material, ...]:
    """Load the materials of an OBJ file.

    Args:
        obj_path: Path of the OBJ file.
        libraries: Names of the MTL files that the OBJ file refers to.
        names: Index of each material by name, from 1.
        object_files: Access to the files of the object.

    Returns:
        The default material at index 0, followed by the materials in the order of ``names``. What is missing
        is in the log of the object's files.
    """
    textures, libraries = TextureLoader(object_files), tuple(dict.fromkeys(libraries))
    blocks: dict[str, _MtlBlock] = {}
    for path in _find_library_paths(obj_path.parent, libraries, textures):
        blocks |= _read_library(path, textures)
    materials = [Material()]
    for name in sorted(names, key=lambda key: names[key]):
        if name in blocks:
            materials.append(_build_material(blocks[name], obj_path.parent, textures))
        else:
            materials.append(replace(Material(), name=name))
            # If a whole file is missing, one warning says so already.
            if blocks or (libraries and not object_files.log.warnings):
                detail = f"material {format_text(name, 80)} is not defined"
                object_files.log.add("material-missing", detail, "it is gray")
    return tuple(materials)


def _find_library_paths(folder: Path, names: Iterable[str], textures: TextureLoader) -> list[Path]:
    """Find the MTL files of these names. Each is listed once, even if several names lead to it."""
    paths: dict[Path, None] = {}
    for name in names:
        path = textures.object_files.find_or_warn(folder, name, "material file", "its materials are gray")
        if path is not None:
            paths[path] = None
    return list(paths)


def _read_library(path: Path, textures: TextureLoader) -> dict[str, _MtlBlock]:
    """Read the blocks of an MTL file by name. Add a warning if it cannot be read."""
    try:
        text = textures.object_files.read(path).decode("utf-8", "replace")
    except MeshError as error:
        textures.object_files.log.add("file-unreadable", str(error), "its materials are gray")
        return {}
    return {block.name: block for block in _parse_blocks(text)}


def _parse_blocks(text: str) -> list[_MtlBlock]:
    """Parse the blocks of an MTL file."""
    blocks: list[_MtlBlock] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "newmtl":
            blocks.append(_MtlBlock(rest.strip()))
        elif blocks and word and not word.startswith("#"):
            blocks[-1].values[word.lower()] = rest.strip()
    return blocks


def _build_material(block: _MtlBlock, folder: Path, textures: TextureLoader) -> Material:
    """Build a material from its block."""
    values = block.values
    glossy = _parse_number(values.get("illum"), 0.0) >= 2
    specular_color = _parse_color(values.get("ks"))
    exponent = values.get("ns")
    roughness = 1 - math.sqrt(min(max(_parse_number(exponent, 0.0), 0.0), 1000.0) / 1000)
    color = _load_texture(values.get("map_kd"), folder, textures)
    cutout = _load_texture(values.get("map_d"), folder, textures)
    return Material(
        name=block.name,
        base_color=_parse_color(values.get("kd")) or Material().base_color,
        specular=float(glossy) if specular_color is None else sum(specular_color) / 3,
        roughness=float(not glossy) if exponent is None else roughness,
        alpha=min(max(_parse_number(values.get("d"), 1.0), 0.0), 1.0),
        emission=_parse_color(values.get("ke")) or (0.0, 0.0, 0.0),
        texture=_apply_cutout(color, cutout, textures),
    )


def _parse_number(text: str | None, default: float) -> float:
    """Parse the first number of a statement, or return the default if there is no finite one."""
    try:
        value = float(text.split()[0]) if text else default
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def _parse_color(text: str | None) -> tuple[float, float, float] | None:
    """Parse a color, or return None if the statement gives none."""
    words = text.split() if text else []
    try:
        numbers = [float(word) for word in words[:3]]
    except ValueError:
        return None
    if not numbers or not all(math.isfinite(number) for number in numbers):
        return None
    # A single number is a shade of gray.
    red, green, blue = numbers if len(numbers) == 3 else [numbers[0]] * 3
    return red, green, blue


def _apply_cutout(color: Texture | None, cutout: Texture | None, textures: TextureLoader) -> Texture | None:
    """Give the color texture an alpha of 1 - brightness of the cutout, as the original read ``map_d``.

    The original inverted the map only where there was a color texture, and ignored the map otherwise.
    """
    if color is None or cutout is None:
        return color
    key = id(color), id(cutout)
    return textures.derive_texture(key, color, lambda: _compute_cutout_pixels(color, cutout))


def _compute_cutout_pixels(color: Texture, cutout: Texture) -> NDArray[np.uint8]:
    """Return the color texture [H, W, 4] with the inverted brightness of the cutout as alpha."""
    height, width = color.pixels.shape[:2]
    brightness = (
        Image.fromarray(cutout.pixels).convert("L").resize((width, height), Image.Resampling.BILINEAR)
    )
    alpha = 255 - np.asarray(brightness)
    return np.dstack([color.pixels[..., :3], alpha])


def _load_texture(statement: str | None, folder: Path, textures: TextureLoader) -> Texture | None:
    """Load the texture named by a statement, or return None if it cannot be used."""
    if not statement:
        return None
    # Options such as "-s 1 1 1" come before the name, but a name may also contain blanks. The whole statement
    # is tried as a name first, then its last word.
    name = statement if textures.object_files.find(folder, statement) else statement.split()[-1]
    return textures.load_file(folder, name.replace("\\", "/"))
