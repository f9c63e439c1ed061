"""Wavefront MTL files: Blender's reading of them as Principled materials, and the textures they name.

Kd is taken as linear; a ``map_Kd`` texture replaces it; specular = mean(Ks); roughness = 1 - sqrt(Ns / 1000).
Without Ks and Ns, ``illum 2`` and above mean a mirror-smooth highlight and anything else none at all.
"""

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from turntable.errors import MeshError
from turntable.renderer.meshes.mesh import Material, Texture

MAX_TEXTURE_PIXELS = 64 * 2**20
"""Larger images are refused: a bomb, or a mistake."""


@dataclass(slots=True)
class _Entry:
    """One ``newmtl`` block: its statements by keyword, the last one winning."""

    name: str
    values: dict[str, str] = field(default_factory=dict)


def load_materials(
    obj_path: Path, libraries: Iterable[str], names: Mapping[str, int], root: Path
) -> tuple[tuple[Material, ...], tuple[str, ...]]:
    """The materials in the order of ``names``, after a default at index 0; notes on what is missing."""
    entries: dict[str, _Entry] = {}
    notes: list[str] = []
    for library in libraries:
        path = _inside(root, obj_path.parent / library)
        if path is None or not path.is_file():
            notes.append(f"material file {library} is missing; its materials are grey")
            continue
        entries.update({entry.name: entry for entry in _blocks(path.read_text("utf-8", "replace"))})
    textures = _TextureFiles(obj_path.parent, root)
    materials = [Material()]
    for name in sorted(names, key=lambda key: names[key]):
        if name in entries:
            materials.append(_material(entries[name], textures, notes))
        else:
            materials.append(replace(Material(), name=name))
            if entries:
                notes.append(f"material {name} is not defined; it is grey")
    return tuple(materials), tuple(f"{obj_path}: {note}" for note in notes)


def _blocks(text: str) -> list[_Entry]:
    blocks: list[_Entry] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "newmtl":
            blocks.append(_Entry(rest.strip()))
        elif blocks and word and not word.startswith("#"):
            blocks[-1].values[word.lower()] = rest.strip()
    return blocks


def _material(entry: _Entry, textures: "_TextureFiles", notes: list[str]) -> Material:
    values = entry.values
    glossy = _number(values.get("illum"), 0.0) >= 2
    specular_color = _triple(values.get("ks"))
    exponent = values.get("ns")
    roughness = 1 - math.sqrt(min(max(_number(exponent, 0.0), 0.0), 1000.0) / 1000)
    color = textures.load(values.get("map_kd"), notes)
    cutout = textures.load(values.get("map_d"), notes)
    return Material(
        name=entry.name,
        base_color=_triple(values.get("kd")) or Material().base_color,
        specular=float(glossy) if specular_color is None else sum(specular_color) / 3,
        roughness=float(not glossy) if exponent is None else roughness,
        alpha=min(max(_number(values.get("d"), 1.0), 0.0), 1.0),
        emission=_triple(values.get("ke")) or (0.0, 0.0, 0.0),
        texture=_with_cutout(color, cutout),
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


def _with_cutout(color: Texture | None, cutout: Texture | None) -> Texture | None:
    """The colour texture with alpha = 1 - brightness of the cut-out: the original's reading of ``map_d``.

    It inverted the map only beside a colour texture; alone, the map was left out.
    """
    if color is None or cutout is None:
        return color
    height, width = color.pixels.shape[:2]
    brightness = (
        Image.fromarray(cutout.pixels).convert("L").resize((width, height), Image.Resampling.BILINEAR)
    )
    alpha = 255 - np.asarray(brightness)
    return Texture(np.dstack([color.pixels[..., :3], alpha]))


@dataclass(slots=True)
class _TextureFiles:
    """Textures by the path a material file gives, each read once, none from outside the object's root."""

    folder: Path
    root: Path
    loaded: dict[Path, Texture] = field(default_factory=dict)

    def load(self, statement: str | None, notes: list[str]) -> Texture | None:
        if not statement:
            return None
        # Options (-s 1 1 1) come first, so the file is the last word; ShapeNet's names hold no blanks.
        name = statement.split()[-1].replace("\\", "/")
        path = _inside(self.root, self.folder / name)
        if path is None or not path.is_file():
            notes.append(f"texture {name} is missing; the material's own colour is used")
            return None
        if path not in self.loaded:
            try:
                self.loaded[path] = _read_image(path)
            except MeshError as error:
                notes.append(f"{error}; the material's own colour is used")
                return None
        return self.loaded[path]


def _inside(root: Path, path: Path) -> Path | None:
    """The resolved path, or None where it leaves ``root``: mesh files are not trusted."""
    resolved = path.resolve()
    return resolved if resolved.is_relative_to(root.resolve()) else None


def _read_image(path: Path) -> Texture:
    try:
        with warnings.catch_warnings():  # Pillow's own limit is not ours
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(path)
        with opened as image:
            if image.width * image.height > MAX_TEXTURE_PIXELS:
                raise MeshError(
                    f"texture {path.name} has {image.width} x {image.height} pixels, and at most "
                    f"{MAX_TEXTURE_PIXELS} are read; scale it down"
                )
            return Texture(np.asarray(image.convert("RGB")))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MeshError(f"texture {path.name} cannot be read ({error})") from error
