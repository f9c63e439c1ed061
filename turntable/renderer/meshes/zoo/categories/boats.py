"""Boats: sailboat."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import spline
from turntable.renderer.meshes.zoo.primitives import box, loft, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    PALE,
    VIVID,
    Skin,
    draw_bool,
    draw_color,
    draw_item,
    draw_two_colors,
    make_glass,
    make_metal,
    make_paint,
    make_pale_skin,
    make_plain_skin,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import rod, torus
from turntable.renderer.meshes.zoo.textured_skins import make_boards


def build_sailboat(rng: np.random.Generator) -> Assembly:
    """Build a sailboat: bow to the front, both sails out to one side, a cabin, a life ring and a pennant."""
    length, wide = rng.uniform(2.8, 3.6), rng.uniform(0.95, 1.2)
    hull_skin, deck, trim = (
        make_paint(rng),
        make_boards(rng, 0.35),
        make_plain_skin(draw_color(rng, VIVID, PALE), 0.55),
    )
    boat = Assembly().add(hull_skin, _build_boat_hull(length, wide, 1.0))
    boat.add(trim, _build_boat_hull(length * 1.01, wide * 1.02, 1.03).warp(_squeeze_to_gunwale))
    boat.add(
        deck,
        _build_boat_hull(0.97 * length, 0.94 * wide, 1.0).warp(lambda p: p * (1, 1, 0.04) + (0, 0, 0.35)),
    )
    cabin = rounded_box(0.5 * wide, 0.28 * length, 0.34, 0.1, 2).translate(0, 0.02 * length, 0.46)
    boat.add(make_pale_skin(rng), cabin).add(
        make_glass(rng), rounded_box(0.51 * wide, 0.2 * length, 0.1, 0.03).translate(0, 0.02 * length, 0.52)
    )
    mast, high = (0.0, -0.14 * length, 0.3), rng.uniform(2.9, 3.7)
    spar = make_metal(rng) if draw_bool(rng, 0.5) else deck
    boat.add(spar, rod(mast, (0.0, mast[1], high + 0.12), 0.035, 10))
    _add_sails(rng, boat, spar, mast[1], high, length)
    belt = torus(0.13, 0.045, 20, 8).rotate(x=90).translate(0.12, 0.36 * length, 0.5)
    boat.add(make_plain_skin((0.9, 0.32, 0.1), 0.7), belt)
    boat.add(
        deck,
        rod((0, 0.46 * length, 0.4), (0, 0.56 * length, 0.5), 0.025),
        box(0.03, 0.14, 0.6).translate(0, 0.5 * length, -0.02),
    )
    pennant = box(0.012, 0.36, 0.15).warp(
        lambda p: p * np.column_stack([np.ones((len(p), 2)), 0.6 - p[:, 1] * 2.2])
    )
    return boat.add(make_paint(rng), pennant.translate(0, mast[1] + 0.17, high + 0.06))


def _build_boat_hull(length: float, wide: float, deep: float) -> Solid:
    """Build a round-bottomed hull with a raked bow and its deck line at z = 0.35."""
    half = length / 2
    stations = [
        (-half, 0.34, 0.5, 0.02),
        (-0.86 * half, 0.08, 0.46, 0.36 * wide),
        (-0.5 * half, -0.22, 0.4, 0.8 * wide),
    ]
    stations += [
        (0.1 * half, -0.34, 0.36, wide),
        (0.7 * half, -0.24, 0.36, 0.88 * wide),
        (half, -0.02, 0.4, 0.7 * wide),
    ]
    rings: list[Array] = []
    angle = np.linspace(0.0, np.pi, 15)
    for y, keel, deck, width in spline(stations, 16):
        x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.6 * width / 2
        z = deck - (deck - keel) * deep * np.sin(angle) ** 1.1
        rings.append(np.column_stack([x, np.full(15, y), z]))
    return loft(np.stack(rings), crease=50.0)


def _squeeze_to_gunwale(points: Array) -> Array:
    """Flatten a hull to a strip just below its deck line."""
    return points * (1, 1, 0.22) + (0, 0, 0.3)


def _add_sails(
    rng: np.random.Generator, boat: Assembly, spar: Skin, mast: float, high: float, length: float
) -> None:
    """Add the mainsail on its boom and a jib, bellied to the same side."""
    side = draw_item(rng, (-1.0, 1.0))
    first, second = draw_two_colors(rng, PALE, VIVID)
    cloth = make_textured_skin(
        textures.make_stripes(first, second, 1, upright=False), rng.uniform(0.8, 1.4), 0.9
    )
    if draw_bool(rng, 0.5):
        cloth = make_plain_skin(first, 0.9)
    boom, swing = 0.52 * length, side * rng.uniform(0.2, 0.5)
    end = (swing, mast + boom, 0.86)
    boat.add(spar, rod((0.0, mast, 0.78), end, 0.028))
    boat.add(
        cloth,
        _build_sail(
            (0.0, mast + 0.03, high), (0.0, mast + 0.05, 0.88), (swing, mast + boom - 0.06, 0.95), 0.2 * side
        ),
    )
    jib = cloth if draw_bool(rng, 0.5) else make_plain_skin(second, 0.9)
    bow = -0.49 * length
    boat.add(
        jib,
        _build_sail(
            (0.0, mast - 0.06, 0.88 * high), (0.0, bow, 0.62), (0.6 * swing, mast - 0.02, 0.72), 0.16 * side
        ),
    )


def _build_sail(
    head: tuple[float, float, float],
    tack: tuple[float, float, float],
    clew: tuple[float, float, float],
    belly: float,
) -> Solid:
    """Build a thin triangle of cloth between three corners, bellied along x."""
    top, fore, aft = (np.array(corner) for corner in (head, tack, clew))
    rings: list[Array] = []
    for t in np.linspace(0.0, 1.0, 11):
        s = np.linspace(0.0, 1.0, 9)[:, None]
        row = top + ((fore + (aft - fore) * s) - top) * t
        row = row + np.array([belly, 0.0, 0.0]) * np.sin(np.pi * s) * np.sin(np.pi * min(t, 0.9)) ** 0.5
        # The thickness is 0 at head and foot: the two faces meet there, and no cap is needed.
        half = np.array([0.011 * (4 * t * (1 - t)) ** 0.3, 0.0, 0.0])
        rings.append(np.concatenate([row - half, row[::-1] + half]))
    return loft(np.stack(rings), caps=False, crease=50.0)
