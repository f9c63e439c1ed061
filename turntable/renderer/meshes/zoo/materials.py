"""Textured skins by the name of the stuff: timber, cloth, leather."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.palette import (
    LEATHERS,
    PALE,
    SOFT,
    VIVID,
    WOODS,
    Skin,
    color,
    pick,
    plain,
    printed,
    two_colors,
)


def timber(rng: np.random.Generator, tile: float = 0.5) -> Skin:
    """Varnished wood with its grain."""
    return printed(textures.wood(rng, color(rng, WOODS)), tile, rng.uniform(0.55, 0.8))


def boards(rng: np.random.Generator, tile: float = 0.5) -> Skin:
    """Wooden boards side by side."""
    return printed(textures.planks(rng, color(rng, WOODS)), tile, rng.uniform(0.6, 0.8))


def cloth(rng: np.random.Generator, tile: float = 0.3) -> Skin:
    """Plain, striped, checked, dotted or tartan fabric."""
    first, second = two_colors(rng, VIVID, SOFT, PALE)
    pixels = pick(
        rng,
        (
            textures.weave(rng, first),
            textures.stripes(first, second, 2),
            textures.checks(first, second, 1),
            textures.dots(first, second),
            textures.tartan(first, second),
        ),
    )
    return printed(pixels, tile, rng.uniform(0.8, 0.95))


def leather(rng: np.random.Generator, tile: float = 0.3) -> Skin:
    """Leather in a natural tone."""
    return printed(textures.hide(rng, color(rng, LEATHERS)), tile, rng.uniform(0.55, 0.75))


def ceramic(rng: np.random.Generator, tile: float = 0.3) -> Skin:
    """Glaze: plain, banded, checked or dotted."""
    first, second = two_colors(rng, VIVID, SOFT, PALE)
    style = int(rng.integers(5))
    if style < 2:
        return plain(first, rng.uniform(0.5, 0.6))
    pixels = (
        textures.stripes(first, second, 1, upright=False),
        textures.checks(first, second, 1),
        textures.dots(first, second),
    )[style - 2]
    return printed(pixels, tile, rng.uniform(0.5, 0.6))
