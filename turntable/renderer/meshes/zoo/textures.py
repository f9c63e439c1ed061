"""Small procedural textures: wood, cloth, stripes, labels, screens. All but the decals tile."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.zoo.skins import DARK, PALE, VIVID, Color, draw_color, scale_color
from turntable.renderer.meshes.zoo.solid import Array

Pixels = NDArray[np.uint8]
"""sRGB image [H, W, 3]."""

SIZE_PX = 64
"""Width and height of every texture."""
_Y, _X = np.mgrid[0:SIZE_PX, 0:SIZE_PX] / SIZE_PX


def _blend_colors(a: Color, b: Color, weight: Array) -> Pixels:
    """Blend two colors by weights [H, W] in [0, 1]."""
    blend = np.array(a) + (np.array(b) - np.array(a)) * weight[..., None]
    return np.rint(np.clip(blend, 0.0, 1.0) * 255).astype(np.uint8)


def _apply_soft_step(wave: Array, sharpness: float = 6.0) -> Array:
    """Apply a soft threshold at zero, so that edges are a few pixels wide, as bilinear filtering needs."""
    return np.clip(0.5 + wave * sharpness, 0.0, 1.0)


def _make_noise(rng: np.random.Generator, terms: int = 4) -> Array:
    """Make smooth noise [SIZE_PX, SIZE_PX] in about [-1, 1] that tiles: a sum of waves of whole periods."""
    waves = rng.integers(1, 4, (terms, 2)) * np.where(rng.random((terms, 2)) < 0.5, -1, 1)
    phases = rng.random(terms)
    total = sum(
        np.sin(2 * np.pi * (_X * wx + _Y * wy + phase)) for (wx, wy), phase in zip(waves, phases, strict=True)
    )
    return np.asarray(total) / terms**0.5


def make_wood(rng: np.random.Generator, base: Color) -> Pixels:
    """Make wood with its grain along u."""
    bend = 0.35 * _make_noise(rng, 3) * 0.4
    rings = np.sin(2 * np.pi * (4 * _Y + bend)) * 0.5 + np.sin(2 * np.pi * (11 * _Y + 2.2 * bend)) * 0.3
    return _blend_colors(base, scale_color(base, 0.62), np.clip(0.42 + 0.5 * rings, 0.0, 1.0))


def make_planks(rng: np.random.Generator, base: Color, num_planks: int = 4) -> Pixels:
    """Make boards side by side along v, with dark joints and a different tone for each board."""
    tone = rng.uniform(0.0, 0.5, num_planks)[(_Y * num_planks).astype(np.int64)]
    joint = np.abs((_Y * num_planks) % 1.0 - 0.5) > 0.44
    grain = 0.12 * np.sin(2 * np.pi * (14 * _Y + 0.5 * _make_noise(rng)))
    return _blend_colors(
        base, scale_color(base, 0.5), np.clip(np.where(joint, 1.0, tone + grain + 0.12), 0.0, 1.0)
    )


def make_stripes(a: Color, b: Color, num_stripes: int = 4, *, upright: bool = True) -> Pixels:
    """Make even stripes, upright (along v) or level (along u)."""
    return _blend_colors(a, b, _apply_soft_step(np.sin(2 * np.pi * num_stripes * (_X if upright else _Y))))


def make_checkerboard(a: Color, b: Color, num_squares: int = 2) -> Pixels:
    """Make a checkerboard."""
    return _blend_colors(
        a, b, _apply_soft_step(np.sin(2 * np.pi * num_squares * _X) * np.sin(2 * np.pi * num_squares * _Y))
    )


def make_tartan(a: Color, b: Color) -> Pixels:
    """Make broad bands that cross, as on a blanket."""
    across, along = (
        _apply_soft_step(np.sin(4 * np.pi * _X), 4.0),
        _apply_soft_step(np.sin(4 * np.pi * _Y), 4.0),
    )
    line = np.maximum(np.abs(np.sin(2 * np.pi * _X)) > 0.985, np.abs(np.sin(2 * np.pi * _Y)) > 0.985)
    return _blend_colors(a, b, np.where(line, 0.9, 0.45 * across + 0.45 * along))


def make_dots(a: Color, b: Color) -> Pixels:
    """Make round dots in staggered rows."""
    u, v = 2 * np.pi * 2 * _X, 2 * np.pi * 2 * _Y
    return _blend_colors(a, b, _apply_soft_step(np.cos(u) * np.cos(v) - 0.45, 5.0))


def make_weave(rng: np.random.Generator, base: Color) -> Pixels:
    """Make cloth: a fine weave with uneven threads."""
    threads = np.sin(2 * np.pi * 16 * _X) * np.sin(2 * np.pi * 16 * _Y)
    return _blend_colors(
        base, scale_color(base, 0.6), np.clip(0.4 + 0.25 * threads + 0.2 * _make_noise(rng), 0.0, 1.0)
    )


def make_hide(rng: np.random.Generator, base: Color) -> Pixels:
    """Make leather or short fur: patches of different tone."""
    return _blend_colors(base, scale_color(base, 0.6), np.clip(0.35 + 0.22 * _make_noise(rng, 9), 0.0, 1.0))


def make_spots(rng: np.random.Generator, a: Color, b: Color) -> Pixels:
    """Make large irregular patches, as on a piebald coat."""
    return _blend_colors(a, b, _apply_soft_step(_make_noise(rng, 5) - 0.35, 8.0))


def make_quilt(rng: np.random.Generator) -> Pixels:
    """Make a patchwork of sixteen squares."""
    patch = np.array([draw_color(rng, VIVID, PALE) for _ in range(16)]).reshape(4, 4, 3)
    tile = np.repeat(np.repeat(patch, SIZE_PX // 4, axis=0), SIZE_PX // 4, axis=1)
    seam = (np.minimum(_X * 4 % 1, _Y * 4 % 1) < 0.07)[..., None]
    return np.rint(np.where(seam, 0.85, tile) * 255).astype(np.uint8)


def make_badge(rng: np.random.Generator, ground: Color, ink: Color) -> Pixels:
    """Make a maker's badge (a decal): an emblem at the left and three lines of different lengths."""
    canvas = np.zeros((SIZE_PX, SIZE_PX))
    canvas[np.hypot(_X - 0.22, _Y - 0.5) < 0.15] = 1.0
    for row, length in zip((0.28, 0.48, 0.68), rng.uniform(0.2, 0.5, 3), strict=True):
        canvas[(np.abs(_Y - row) < 0.06) & (_X > 0.44) & (0.44 + length > _X)] = 1.0
    canvas[np.minimum(np.minimum(_X, 1 - _X), np.minimum(_Y, 1 - _Y)) < 0.04] = 1.0
    return _blend_colors(ground, ink, canvas)


def make_screen(rng: np.random.Generator) -> Pixels:
    """Make a computer desktop (a decal): two windows with title bars, and a row of icons."""
    canvas = _blend_colors(draw_color(rng, VIVID), draw_color(rng, VIVID), _Y)
    paper, ink = np.array(draw_color(rng, PALE)), np.array(draw_color(rng, DARK))
    for left, top in ((0.08, 0.1), (rng.uniform(0.4, 0.5), rng.uniform(0.25, 0.35))):
        window = (left < _X) & (left + 0.42 > _X) & (top < _Y) & (top + 0.45 > _Y)
        canvas[window] = np.rint(paper * 255)
        canvas[window & (top + 0.08 > _Y)] = np.rint(ink * 255)
        lines = (
            window & (top + 0.12 < _Y) & ((_Y - top) * 16 % 1 < 0.4) & (left + rng.uniform(0.2, 0.36) > _X)
        )
        canvas[lines] = np.rint(ink * 0.5 * 255 + 90)
    for slot in range(7):
        icon = (np.abs(_X - 0.2 - 0.1 * slot) < 0.035) & (np.abs(_Y - 0.92) < 0.04)
        canvas[icon] = np.rint(np.array(draw_color(rng, VIVID)) * 255)
    return canvas


def make_keyboard(base: Color, rows: int = 5, columns: int = 13) -> Pixels:
    """Make a keyboard (a decal)."""
    shifted = _X * columns + 0.35 * np.floor(_Y * rows)
    gap = (np.abs(shifted % 1.0 - 0.5) > 0.36) | (np.abs(_Y * rows % 1.0 - 0.5) > 0.36)
    return _blend_colors(base, scale_color(base, 0.35), gap.astype(np.float64))


def make_grille(base: Color, num_slots: int = 6) -> Pixels:
    """Make the slots of a radiator or a loudspeaker, along u."""
    return _blend_colors(
        base, scale_color(base, 0.3), _apply_soft_step(np.sin(2 * np.pi * num_slots * _Y), 3.0)
    )
