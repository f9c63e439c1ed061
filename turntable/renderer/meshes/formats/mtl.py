"""Wavefront MTL files: Blender's reading of them as Principled materials, and the textures they name.

Kd is taken as linear; a ``map_Kd`` texture replaces it; specular = mean(Ks); roughness = 1 - sqrt(Ns / 1000).
Without Ks and Ns, ``illum 2`` and above mean a mirror-smooth highlight and anything else none at all.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from turntable.errors import MeshError, shown
from turntable.renderer.meshes.formats.confined import Confined
from turntable.renderer.meshes.formats.textures import Textures
from turntable.renderer.meshes.mesh import Material, Texture


@dataclass(slots=True)
class _Entry:
    """One ``newmtl`` block: its statements by keyword, the last one winning."""

    name: str
    values: dict[str, str] = field(default_factory=dict)


def load_materials(
    obj_path: Path, libraries: Iterable[str], names: Mapping[str, int], files: Confined
) -> tuple[tuple[Material, ...], tuple[str, ...]]:
    """The materials in the order of ``names``, after a default at index 0; notes on what is missing."""
    textures, libraries = Textures(files), tuple(dict.fromkeys(libraries))
    entries: dict[str, _Entry] = {}
    for path in _library_paths(obj_path.parent, libraries, textures):
        entries |= _library(path, textures)
    materials = [Material()]
    for name in sorted(names, key=lambda key: names[key]):
        if name in entries:
            materials.append(_material(entries[name], obj_path.parent, textures))
        else:
            materials.append(replace(Material(), name=name))
            # Where a whole file is missing, that has been said.
            if entries or (libraries and not textures.notes):
                textures.note(f"material {shown(name, 80)} is not defined; it is grey")
    return tuple(materials), tuple(f"{obj_path}: {note}" for note in textures.notes)


def _library_paths(folder: Path, names: Iterable[str], textures: Textures) -> list[Path]:
    """The files of these names, each once: many names may lead to one."""
    paths: dict[Path, None] = {}
    for name in names:
        path = textures.files.find(folder, name)
        if path is None:
            textures.note(f"material file {shown(name)} is missing; its materials are grey")
        else:
            paths[path] = None
    return list(paths)


def _library(path: Path, textures: Textures) -> dict[str, _Entry]:
    try:
        text = textures.files.read(path).decode("utf-8", "replace")
    except MeshError as error:
        textures.note(f"{error}; its materials are grey")
        return {}
    return {entry.name: entry for entry in _blocks(text)}


def _blocks(text: str) -> list[_Entry]:
    blocks: list[_Entry] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "newmtl":
            blocks.append(_Entry(rest.strip()))
        elif blocks and word and not word.startswith("#"):
            blocks[-1].values[word.lower()] = rest.strip()
    return blocks


def _material(entry: _Entry, folder: Path, textures: Textures) -> Material:
    values = entry.values
    glossy = _number(values.get("illum"), 0.0) >= 2
    specular_color = _triple(values.get("ks"))
    exponent = values.get("ns")
    roughness = 1 - math.sqrt(min(max(_number(exponent, 0.0), 0.0), 1000.0) / 1000)
    color = _texture(values.get("map_kd"), folder, textures)
    cutout = _texture(values.get("map_d"), folder, textures)
    return Material(
        name=entry.name,
        base_color=_triple(values.get("kd")) or Material().base_color,
        specular=float(glossy) if specular_color is None else sum(specular_color) / 3,
        roughness=float(not glossy) if exponent is None else roughness,
        alpha=min(max(_number(values.get("d"), 1.0), 0.0), 1.0),
        emission=_triple(values.get("ke")) or (0.0, 0.0, 0.0),
        texture=_with_cutout(color, cutout, textures),
    )


def _number(text: str | None, default: float) -> float:
    try:
        value = float(text.split()[0]) if text else default
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def _triple(text: str | None) -> tuple[float, float, float] | None:
    words = text.split() if text else []
    try:
        numbers = [float(word) for word in words[:3]]
    except ValueError:
        return None
    if not numbers or not all(math.isfinite(number) for number in numbers):
        return None
    # One number stands for a grey.
    red, green, blue = numbers if len(numbers) == 3 else [numbers[0]] * 3
    return red, green, blue


def _with_cutout(color: Texture | None, cutout: Texture | None, textures: Textures) -> Texture | None:
    """The colour texture with alpha = 1 - brightness of the cut-out: the original's reading of ``map_d``.

    It inverted the map only beside a colour texture; alone, the map was left out.
    """
    if color is None or cutout is None:
        return color
    key = id(color), id(cutout)
    return textures.derived(key, color, lambda: _cut_out(color, cutout))


def _cut_out(color: Texture, cutout: Texture) -> NDArray[np.uint8]:
    height, width = color.pixels.shape[:2]
    brightness = (
        Image.fromarray(cutout.pixels).convert("L").resize((width, height), Image.Resampling.BILINEAR)
    )
    alpha = 255 - np.asarray(brightness)
    return np.dstack([color.pixels[..., :3], alpha])


def _texture(statement: str | None, folder: Path, textures: Textures) -> Texture | None:
    if not statement:
        return None
    # Options (-s 1 1 1) come first. A name may hold blanks: then the whole statement is the name.
    whole, last = statement, statement.split()[-1]
    name = whole if textures.files.find(folder, whole) else last
    return textures.from_file(folder, name.replace("\\", "/"))
