"""The textures of MTL materials, with their options applied.

``map_Kd`` replaces ``Kd``, and ``map_Ke`` multiplies ``Ke``. ``map_d`` is inverted into the alpha of the
color texture, and ignored without one, as the original generator read it; with ``-imfchan`` it is taken as
the specification says. ``-s`` and ``-o`` move the texture coordinates as in Blender. Beyond a texture with
``-clamp on``, the surface has its own color.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from turntable.errors import format_text
from turntable.renderer.meshes.formats.colors import linear_to_srgb
from turntable.renderer.meshes.formats.images import Mode, TextureLoader
from turntable.renderer.meshes.formats.mtl.blocks import MtlBlock
from turntable.renderer.meshes.formats.mtl.map_statements import MapOptions, read_map_statement
from turntable.renderer.meshes.mesh import Texture
from turntable.renderer.meshes.mesh_warnings import WarningKind

BORDER_SHARE = 8
"""Number of times that the border of a clamped texture fits into its side.

The border must be several texels wide, because a distant texture is averaged with its surroundings.
"""

Rgb = tuple[float, float, float]
"""Linear color."""
Pixels = NDArray[np.uint8]
"""[H, W, C] image."""


@dataclass(frozen=True, slots=True)
class TexcoordMove:
    """A move of the texture coordinates of a material's faces: scaled about their origin, then shifted."""

    scale: tuple[float, float] = (1.0, 1.0)
    """Factors of u and v."""
    offset: tuple[float, float] = (0.0, 0.0)
    """Amounts added to u and v."""


NO_MOVE = TexcoordMove()
"""The move that changes nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class MaterialTextures:
    """The textures of one material."""

    color: Texture | None = None
    """Texture of the base color, with the cutout as its alpha."""
    emission: Texture | None = None
    """Texture of the emission."""
    move: TexcoordMove = NO_MOVE
    """Move of the texture coordinates."""


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """A loaded texture and its options."""

    texture: Texture
    """The texture as in its file."""
    options: MapOptions
    """Options, of which none is applied yet."""


def load_textures(
    block: MtlBlock, folder: Path, base_color: Rgb, textures: TextureLoader
) -> MaterialTextures:
    """Load the textures of a material.

    Args:
        block: The block of the material.
        folder: Folder of the OBJ file, where textures are looked for that are not beside the MTL file.
        base_color: Color of the material where no texture covers it.
        textures: Loader of the object's textures.
    """
    color, cutout, emission = (
        _load_map(block, word, folder, textures) for word in ("map_kd", "map_d", "map_ke")
    )
    if cutout is not None and color is None:
        _report(block, "map-skipped", "map_d without map_Kd", "it is as opaque as d says", textures)
    maps = [found for found in (color, cutout if color is not None else None, emission) if found is not None]
    if not maps:
        return MaterialTextures()
    _report_options(block, maps, textures)
    leading = maps[0].options
    move = TexcoordMove(leading.scale, leading.offset)
    color_texture = None if color is None else _adjust_range(color, textures)
    emission_texture = None if emission is None else _adjust_range(emission, textures)
    if color_texture is not None and cutout is not None:
        color_texture = _apply_cutout(color_texture, cutout, textures)
    if leading.clamp:
        if color_texture is not None and emission_texture is not None:
            detail = "-clamp of a color texture beside an emission texture"
            _report(block, "texcoords-approximated", detail, "its edge continues", textures)
            color_texture, emission_texture = (
                textures.with_sampling(texture, ("clamp", "clamp"))
                for texture in (color_texture, emission_texture)
            )
        elif color_texture is not None:
            color_texture, move = _extend_texture(color_texture, base_color, move, textures)
        elif emission_texture is not None:
            emission_texture, move = _extend_texture(emission_texture, (0.0, 0.0, 0.0), move, textures)
    return MaterialTextures(color_texture, emission_texture, move)


def _load_map(block: MtlBlock, keyword: str, folder: Path, textures: TextureLoader) -> _Map | None:
    """Load the texture that a statement names, or return None if there is none or it cannot be used."""
    text = block.values.get(keyword)
    if not text:
        return None
    readings = read_map_statement(text)
    folders = dict.fromkeys((block.path.parent, folder))
    places = ((reading, place) for reading in readings for place in folders)
    found = next((pair for pair in places if textures.object_files.find(pair[1], pair[0].name)), None)
    reading, place = found or (readings[0], block.path.parent)
    # Only the matte is in an image's alpha. The original read no alpha of a color texture.
    mode: Mode = "RGBA" if keyword == "map_d" and reading.options.channel == "m" else "RGB"
    texture = textures.load_file(place, reading.name.replace("\\", "/"), mode)
    return None if texture is None else _Map(texture, reading.options)


def _report_options(block: MtlBlock, maps: list[_Map], textures: TextureLoader) -> None:
    """Report the options that are not applied."""
    for found in maps:
        for option in found.options.not_applied:
            _report(block, "statement-skipped", f"option {option}", "it is not applied", textures)
    places = {(found.options.scale, found.options.offset, found.options.clamp) for found in maps}
    if len(places) > 1:
        detail = "options that place its textures differently"
        _report(block, "texcoords-approximated", detail, "those of the first are applied to all", textures)


def _report(block: MtlBlock, kind: WarningKind, detail: str, shown: str, textures: TextureLoader) -> None:
    """Report what is drawn otherwise than a block says."""
    files = textures.object_files
    detail = f"material {format_text(block.name, 80)} has {detail}"
    files.log.add(kind, detail, shown, files.format_path(block.path))


def _adjust_range(found: _Map, textures: TextureLoader) -> Texture | None:
    """Apply ``-mm`` to the values of a texture, as they are in the file."""
    base, gain, texture = found.options.base, found.options.gain, found.texture
    if (base, gain) == (0, 1):
        return texture
    key = "range", id(texture), base, gain
    return textures.derive_texture(key, texture, lambda: _compute_range(texture.pixels, base, gain))


def _compute_range(pixels: Pixels, base: float, gain: float) -> Pixels:
    """Return the values of an image multiplied and shifted."""
    table = np.clip(np.round(255 * (base + gain * np.arange(256) / 255)), 0, 255).astype(np.uint8)
    return table[pixels]


def _apply_cutout(color: Texture, cutout: _Map, textures: TextureLoader) -> Texture | None:
    """Give the color texture an alpha by a cutout."""
    options = cutout.options
    key = id(color), id(cutout.texture), options
    return textures.derive_texture(
        key, color, lambda: _compute_cutout_pixels(color.pixels, cutout.texture.pixels, options)
    )


def _compute_cutout_pixels(color: Pixels, cutout: Pixels, options: MapOptions) -> Pixels:
    """Return the color image [H, W, 4] with an alpha: 1 - brightness of the cutout, or a channel of it."""
    height, width = color.shape[:2]
    bands = {"r": 0, "g": 1, "b": 2, "m": 3}
    band = bands.get(options.channel or "l")
    image = Image.fromarray(cutout).convert("L") if band is None else Image.fromarray(cutout[..., band])
    values = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    if (options.base, options.gain) != (0, 1):
        values = _compute_range(values, options.base, options.gain)
    alpha = 255 - values if options.channel is None else values
    return np.dstack([color[..., :3], alpha])


def _extend_texture(
    texture: Texture, color: Rgb, move: TexcoordMove, textures: TextureLoader
) -> tuple[Texture | None, TexcoordMove]:
    """Extend a texture by a border of a color, which goes on without end.

    Returns:
        The texture, and the move that leaves its image in its place.
    """
    height, width = texture.pixels.shape[:2]
    across, down = (max(1, side // BORDER_SHARE) for side in (width, height))
    key = "border", id(texture), color
    made = textures.derive_texture(key, texture, lambda: _compute_border(texture.pixels, color, across, down))
    if made is None:
        return None, move
    share = np.array([width / (width + 2 * across), height / (height + 2 * down)])
    start = np.array([across / (width + 2 * across), down / (height + 2 * down)])
    scale, offset = share * move.scale, share * move.offset + start
    made = textures.with_sampling(made, ("clamp", "clamp"))
    return made, TexcoordMove((float(scale[0]), float(scale[1])), (float(offset[0]), float(offset[1])))


def _compute_border(pixels: Pixels, color: Rgb, across: int, down: int) -> Pixels:
    """Return an image with a border of a linear color."""
    height, width, channels = pixels.shape
    encoded = np.round(255 * linear_to_srgb(np.clip(color, 0, 1))).astype(np.uint8)
    bordered = np.full((height + 2 * down, width + 2 * across, channels), 255, dtype=np.uint8)
    bordered[..., :3] = encoded
    bordered[down:-down, across:-across] = pixels
    return bordered
