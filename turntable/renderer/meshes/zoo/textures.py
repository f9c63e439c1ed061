"""Small images drawn by formula: wood, cloth, stripes, labels, screens; all but the decals tile."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.zoo.palette import DARK, PALE, VIVID, Color, color, shade
from turntable.renderer.meshes.zoo.solid import Array

Pixels = NDArray[np.uint8]

SIZE = 64
_Y, _X = np.mgrid[0:SIZE, 0:SIZE] / SIZE


def _mix(a: Color, b: Color, weight: Array) -> Pixels:
    """Blend two colours by weights [H, W] in [0, 1]."""
    blend = np.array(a) + (np.array(b) - np.array(a)) * weight[..., None]
    return np.rint(np.clip(blend, 0.0, 1.0) * 255).astype(np.uint8)


def _step(wave: Array, sharpness: float = 6.0) -> Array:
    """A soft threshold at zero: bilinear filtering asks for edges a few pixels wide."""
    return np.clip(0.5 + wave * sharpness, 0.0, 1.0)


def _ripple(rng: np.random.Generator, terms: int = 4) -> Array:
    """Smooth noise [SIZE, SIZE] in about [-1, 1] that tiles: a few waves of whole periods."""
    waves = rng.integers(1, 4, (terms, 2)) * np.where(rng.random((terms, 2)) < 0.5, -1, 1)
    phases = rng.random(terms)
    total = sum(
        np.sin(2 * np.pi * (_X * wx + _Y * wy + phase)) for (wx, wy), phase in zip(waves, phases, strict=True)
    )
    return np.asarray(total) / terms**0.5


def wood(rng: np.random.Generator, base: Color) -> Pixels:
    """Grain along u."""
    bend = 0.35 * _ripple(rng, 3) * 0.4
    rings = np.sin(2 * np.pi * (4 * _Y + bend)) * 0.5 + np.sin(2 * np.pi * (11 * _Y + 2.2 * bend)) * 0.3
    return _mix(base, shade(base, 0.62), np.clip(0.42 + 0.5 * rings, 0.0, 1.0))


def planks(rng: np.random.Generator, base: Color, count: int = 4) -> Pixels:
    """Boards side by side along v, with dark joints and a tone a board."""
    tone = rng.uniform(0.0, 0.5, count)[(_Y * count).astype(np.int64)]
    joint = np.abs((_Y * count) % 1.0 - 0.5) > 0.44
    grain = 0.12 * np.sin(2 * np.pi * (14 * _Y + 0.5 * _ripple(rng)))
    return _mix(base, shade(base, 0.5), np.clip(np.where(joint, 1.0, tone + grain + 0.12), 0.0, 1.0))


def stripes(a: Color, b: Color, count: int = 4, *, upright: bool = True) -> Pixels:
    """Even stripes: along v (upright) or along u."""
    return _mix(a, b, _step(np.sin(2 * np.pi * count * (_X if upright else _Y))))


def checks(a: Color, b: Color, count: int = 2) -> Pixels:
    """A chess board."""
    return _mix(a, b, _step(np.sin(2 * np.pi * count * _X) * np.sin(2 * np.pi * count * _Y)))


def tartan(a: Color, b: Color) -> Pixels:
    """Broad bands that cross, as on a blanket."""
    across, along = _step(np.sin(4 * np.pi * _X), 4.0), _step(np.sin(4 * np.pi * _Y), 4.0)
    line = np.maximum(np.abs(np.sin(2 * np.pi * _X)) > 0.985, np.abs(np.sin(2 * np.pi * _Y)) > 0.985)
    return _mix(a, b, np.where(line, 0.9, 0.45 * across + 0.45 * along))


def dots(a: Color, b: Color) -> Pixels:
    """Round dots in staggered rows."""
    u, v = 2 * np.pi * 2 * _X, 2 * np.pi * 2 * _Y
    return _mix(a, b, _step(np.cos(u) * np.cos(v) - 0.45, 5.0))


def weave(rng: np.random.Generator, base: Color) -> Pixels:
    """Cloth: a fine weave with slubs."""
    threads = np.sin(2 * np.pi * 16 * _X) * np.sin(2 * np.pi * 16 * _Y)
    return _mix(base, shade(base, 0.6), np.clip(0.4 + 0.25 * threads + 0.2 * _ripple(rng), 0.0, 1.0))


def hide(rng: np.random.Generator, base: Color) -> Pixels:
    """Leather or a short coat: patches of tone."""
    return _mix(base, shade(base, 0.6), np.clip(0.35 + 0.22 * _ripple(rng, 9), 0.0, 1.0))


def spots(rng: np.random.Generator, a: Color, b: Color) -> Pixels:
    """Large irregular patches, as on a piebald coat."""
    return _mix(a, b, _step(_ripple(rng, 5) - 0.35, 8.0))


def quilt(rng: np.random.Generator) -> Pixels:
    """A patchwork of sixteen squares."""
    patch = np.array([color(rng, VIVID, PALE) for _ in range(16)]).reshape(4, 4, 3)
    tile = np.repeat(np.repeat(patch, SIZE // 4, axis=0), SIZE // 4, axis=1)
    seam = (np.minimum(_X * 4 % 1, _Y * 4 % 1) < 0.07)[..., None]
    return np.rint(np.where(seam, 0.85, tile) * 255).astype(np.uint8)


def label(rng: np.random.Generator, ground: Color, ink: Color) -> Pixels:
    """A maker's badge (a decal): an emblem at the left, three lines of different length."""
    canvas = np.zeros((SIZE, SIZE))
    canvas[np.hypot(_X - 0.22, _Y - 0.5) < 0.15] = 1.0
    for row, length in zip((0.28, 0.48, 0.68), rng.uniform(0.2, 0.5, 3), strict=True):
        canvas[(np.abs(_Y - row) < 0.06) & (_X > 0.44) & (0.44 + length > _X)] = 1.0
    canvas[np.minimum(np.minimum(_X, 1 - _X), np.minimum(_Y, 1 - _Y)) < 0.04] = 1.0
    return _mix(ground, ink, canvas)


def screen(rng: np.random.Generator) -> Pixels:
    """A desktop (a decal): two windows with title bars, a dock of icons."""
    canvas = _mix(color(rng, VIVID), color(rng, VIVID), _Y)
    paper, ink = np.array(color(rng, PALE)), np.array(color(rng, DARK))
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
        canvas[icon] = np.rint(np.array(color(rng, VIVID)) * 255)
    return canvas


def keys(base: Color, rows: int = 5, columns: int = 13) -> Pixels:
    """A keyboard (a decal)."""
    shifted = _X * columns + 0.35 * np.floor(_Y * rows)
    gap = (np.abs(shifted % 1.0 - 0.5) > 0.36) | (np.abs(_Y * rows % 1.0 - 0.5) > 0.36)
    return _mix(base, shade(base, 0.35), gap.astype(np.float64))


def grille(base: Color, count: int = 6) -> Pixels:
    """Slots of a radiator or a loudspeaker, along u."""
    return _mix(base, shade(base, 0.3), _step(np.sin(2 * np.pi * count * _Y), 3.0))
