"""Skins with a procedural texture: timber, boards, cloth, leather, ceramic."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.skins import (
    LEATHERS,
    PALE,
    SOFT,
    VIVID,
    WOODS,
    Skin,
    draw_color,
    draw_item,
    draw_two_colors,
    make_plain_skin,
    make_textured_skin,
)


def make_timber(rng: np.random.Generator, tile: float = 0.5) -> Skin:
    """Make varnished wood with its grain."""
    return make_textured_skin(textures.make_wood(rng, draw_color(rng, WOODS)), tile, rng.uniform(0.55, 0.8))


def make_boards(rng: np.random.Generator, tile: float = 0.5) -> Skin:
    """Make wooden boards side by side."""
    return make_textured_skin(textures.make_planks(rng, draw_color(rng, WOODS)), tile, rng.uniform(0.6, 0.8))


def make_cloth(rng: np.random.Generator, tile: float = 0.3) -> Skin:
    """Make plain, striped, checked, dotted or tartan fabric."""
    first, second = draw_two_colors(rng, VIVID, SOFT, PALE)
    pixels = draw_item(
        rng,
        (
            textures.make_weave(rng, first),
            textures.make_stripes(first, second, 2),
            textures.make_checkerboard(first, second, 1),
            textures.make_dots(first, second),
            textures.make_tartan(first, second),
        ),
    )
    return make_textured_skin(pixels, tile, rng.uniform(0.8, 0.95))


def make_leather(rng: np.random.Generator, tile: float = 0.3) -> Skin:
    """Make leather in a natural tone."""
    return make_textured_skin(
        textures.make_hide(rng, draw_color(rng, LEATHERS)), tile, rng.uniform(0.55, 0.75)
    )


def make_ceramic(rng: np.random.Generator, tile: float = 0.3) -> Skin:
    """Make glazed ceramic: plain, banded, checked or dotted."""
    first, second = draw_two_colors(rng, VIVID, SOFT, PALE)
    style = int(rng.integers(5))
    if style < 2:
        return make_plain_skin(first, rng.uniform(0.5, 0.6))
    pixels = (
        textures.make_stripes(first, second, 1, upright=False),
        textures.make_checkerboard(first, second, 1),
        textures.make_dots(first, second),
    )[style - 2]
    return make_textured_skin(pixels, tile, rng.uniform(0.5, 0.6))
