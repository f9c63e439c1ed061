"""On the water: sailboat."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.materials import boards
from turntable.renderer.meshes.zoo.outlines import curve
from turntable.renderer.meshes.zoo.palette import (
    PALE,
    VIVID,
    Skin,
    chance,
    color,
    glass,
    metal,
    paint,
    pale,
    pick,
    plain,
    printed,
    two_colors,
)
from turntable.renderer.meshes.zoo.primitives import box, loft, rounded_box
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import ring, rod


def sailboat(rng: np.random.Generator) -> Assembly:
    """A sailing boat, bow to the front, both sails out to one side, a cabin, a life belt and a pennant."""
    length, wide = rng.uniform(2.8, 3.6), rng.uniform(0.95, 1.2)
    hull_skin, deck, trim = paint(rng), boards(rng, 0.35), plain(color(rng, VIVID, PALE), 0.55)
    boat = Assembly().add(hull_skin, _boat_hull(length, wide, 1.0))
    boat.add(trim, _boat_hull(length * 1.01, wide * 1.02, 1.03).warp(_gunwale))
    boat.add(
        deck, _boat_hull(0.97 * length, 0.94 * wide, 1.0).warp(lambda p: p * (1, 1, 0.04) + (0, 0, 0.35))
    )
    cabin = rounded_box(0.5 * wide, 0.28 * length, 0.34, 0.1, 2).at(0, 0.02 * length, 0.46)
    boat.add(pale(rng), cabin).add(
        glass(rng), rounded_box(0.51 * wide, 0.2 * length, 0.1, 0.03).at(0, 0.02 * length, 0.52)
    )
    mast, high = (0.0, -0.14 * length, 0.3), rng.uniform(2.9, 3.7)
    spar = metal(rng) if chance(rng, 0.5) else deck
    boat.add(spar, rod(mast, (0.0, mast[1], high + 0.12), 0.035, 10))
    _sails(rng, boat, spar, mast[1], high, length)
    belt = ring(0.13, 0.045, 20, 8).turn(x=90).at(0.12, 0.36 * length, 0.5)
    boat.add(plain((0.9, 0.32, 0.1), 0.7), belt)
    boat.add(
        deck,
        rod((0, 0.46 * length, 0.4), (0, 0.56 * length, 0.5), 0.025),
        box(0.03, 0.14, 0.6).at(0, 0.5 * length, -0.02),
    )
    pennant = box(0.012, 0.36, 0.15).warp(
        lambda p: p * np.column_stack([np.ones((len(p), 2)), 0.6 - p[:, 1] * 2.2])
    )
    return boat.add(paint(rng), pennant.at(0, mast[1] + 0.17, high + 0.06))


def _boat_hull(length: float, wide: float, deep: float) -> Solid:
    """A round-bottomed hull with a raked bow; its deck line at z = 0.35."""
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
    for y, keel, deck, width in curve(stations, 16):
        x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.6 * width / 2
        z = deck - (deck - keel) * deep * np.sin(angle) ** 1.1
        rings.append(np.column_stack([x, np.full(15, y), z]))
    return loft(np.stack(rings), crease=50.0)


def _gunwale(points: Array) -> Array:
    """Squeeze a hull into a strake just under its deck line."""
    return points * (1, 1, 0.22) + (0, 0, 0.3)


def _sails(
    rng: np.random.Generator, boat: Assembly, spar: Skin, mast: float, high: float, length: float
) -> None:
    """Main sail on its boom and a jib, bellied to the same side."""
    side = pick(rng, (-1.0, 1.0))
    first, second = two_colors(rng, PALE, VIVID)
    cloth = printed(textures.stripes(first, second, 1, upright=False), rng.uniform(0.8, 1.4), 0.9)
    if chance(rng, 0.5):
        cloth = plain(first, 0.9)
    boom, swing = 0.52 * length, side * rng.uniform(0.2, 0.5)
    end = (swing, mast + boom, 0.86)
    boat.add(spar, rod((0.0, mast, 0.78), end, 0.028))
    boat.add(
        cloth,
        _sail(
            (0.0, mast + 0.03, high), (0.0, mast + 0.05, 0.88), (swing, mast + boom - 0.06, 0.95), 0.2 * side
        ),
    )
    jib = cloth if chance(rng, 0.5) else plain(second, 0.9)
    bow = -0.49 * length
    boat.add(
        jib,
        _sail(
            (0.0, mast - 0.06, 0.88 * high), (0.0, bow, 0.62), (0.6 * swing, mast - 0.02, 0.72), 0.16 * side
        ),
    )


def _sail(
    head: tuple[float, float, float],
    tack: tuple[float, float, float],
    clew: tuple[float, float, float],
    belly: float,
) -> Solid:
    """A thin triangle of cloth between three corners, bellied along x."""
    top, fore, aft = (np.array(corner) for corner in (head, tack, clew))
    rings: list[Array] = []
    for t in np.linspace(0.0, 1.0, 11):
        s = np.linspace(0.0, 1.0, 9)[:, None]
        row = top + ((fore + (aft - fore) * s) - top) * t
        row = row + np.array([belly, 0.0, 0.0]) * np.sin(np.pi * s) * np.sin(np.pi * min(t, 0.9)) ** 0.5
        # Nothing at head and foot: the two faces meet there, and no cap is needed.
        half = np.array([0.011 * (4 * t * (1 - t)) ** 0.3, 0.0, 0.0])
        rings.append(np.concatenate([row - half, row[::-1] + half]))
    return loft(np.stack(rings), caps=False, crease=50.0)
