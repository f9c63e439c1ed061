"""Tests of textures, which repeat without a seam, and of skins, which hold their colors."""

from collections.abc import Callable

import numpy as np
import pytest

from turntable.renderer.meshes.zoo import skins, textures

RED, CREAM = (0.8, 0.1, 0.1), (0.95, 0.9, 0.8)

TILES: dict[str, Callable[[np.random.Generator], textures.Pixels]] = {
    "wood": lambda rng: textures.make_wood(rng, RED),
    "planks": lambda rng: textures.make_planks(rng, RED),
    "stripes": lambda rng: textures.make_stripes(RED, CREAM),
    "checks": lambda rng: textures.make_checkerboard(RED, CREAM),
    "tartan": lambda rng: textures.make_tartan(RED, CREAM),
    "dots": lambda rng: textures.make_dots(RED, CREAM),
    "weave": lambda rng: textures.make_weave(rng, RED),
    "hide": lambda rng: textures.make_hide(rng, RED),
    "spots": lambda rng: textures.make_spots(rng, RED, CREAM),
    "grille": lambda rng: textures.make_grille(RED),
}
DECALS: dict[str, Callable[[np.random.Generator], textures.Pixels]] = {
    "quilt": textures.make_quilt,
    "label": lambda rng: textures.make_badge(rng, RED, CREAM),
    "screen": textures.make_screen,
    "keys": lambda rng: textures.make_keyboard(RED),
}


@pytest.mark.parametrize("name", [*TILES, *DECALS])
def test_textures_are_images_with_a_pattern_that_the_seed_repeats(name: str) -> None:
    make = (TILES | DECALS)[name]
    pixels = make(np.random.default_rng(3))
    assert pixels.shape == (textures.SIZE_PX, textures.SIZE_PX, 3)
    assert pixels.dtype == np.uint8
    assert pixels.reshape(-1, 3).std(axis=0).max() > 5
    np.testing.assert_array_equal(pixels, make(np.random.default_rng(3)))


@pytest.mark.parametrize("name", TILES)
def test_tiles_have_no_seam(name: str) -> None:
    pixels = TILES[name](np.random.default_rng(5)).astype(np.int64)
    for axis in (0, 1):
        steps = np.abs(np.diff(pixels, axis=axis)).mean(axis=(1 - axis, 2))
        seam = np.abs(pixels.take(0, axis=axis) - pixels.take(-1, axis=axis)).mean()
        assert seam <= 1.5 * steps.max() + 1


def test_two_colors_can_be_told_apart() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        first, second = skins.draw_two_colors(rng, skins.VIVID, skins.PALE)
        assert np.abs(np.subtract(first, second)).sum() > 0.25


def test_a_skin_holds_its_color_in_linear_light() -> None:
    material = skins.make_plain_skin((1.0, 0.5, 0.04)).material
    np.testing.assert_allclose(material.base_color, (1.0, 0.21404, 0.0030960), atol=1e-4)


def test_a_printed_skin_has_the_mean_color_of_its_texture() -> None:
    material = skins.make_textured_skin(textures.make_stripes((1.0, 0.0, 0.0), (0.0, 0.0, 0.0))).material
    assert material.texture is not None
    assert 0.1 < material.base_color[0] < 0.3
    assert material.base_color[1] < 0.01
