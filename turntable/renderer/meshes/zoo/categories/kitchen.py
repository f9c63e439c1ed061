"""The kitchen: mug, teapot, toaster, frying pan."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.materials import ceramic, timber
from turntable.renderer.meshes.zoo.outlines import curve, superellipse
from turntable.renderer.meshes.zoo.palette import (
    METALS,
    PALE,
    VIVID,
    chance,
    color,
    dark,
    metal,
    paint,
    plain,
    plastic,
    printed,
    two_colors,
)
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, frustum, lathe, rounded_box
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, ring, sweep

_DRINKS = (0x4A2C1A, 0xC58F4A, 0x8C4A22, 0xE8D9B8)
_TOAST = (0xC98F4A, 0xB8783A, 0xDDAA66)


def mug(rng: np.random.Generator) -> Assembly:
    """A mug with its handle at +x, something to drink in it, and a badge in front."""
    glaze, height = ceramic(rng, 0.35), rng.uniform(0.85, 1.25)
    bottom, top = rng.uniform(0.34, 0.46), rng.uniform(0.4, 0.5)
    middle = (bottom + top) / 2 + rng.uniform(-0.02, 0.07)
    outside = curve([(bottom, 0.05), (middle, height / 2), (top, height)], 9)
    level = rng.uniform(0.68, 0.85) * height
    surface = cylinder(float(np.interp(level, outside[:, 1], outside[:, 0])) - 0.02, 0.03, 32)
    handle_skin = plain(color(rng, VIVID, PALE), 0.55) if chance(rng, 0.5) else glaze
    ground, ink = two_colors(rng, VIVID, PALE)
    return (
        Assembly()
        .add(glaze, _cup(outside, wall=0.045))
        .add(plain(color(rng, _DRINKS)), surface.at(z=level))
        .add(handle_skin, _mug_handle(rng, middle, height))
        .add(printed(textures.label(rng, ground, ink), 1.0, 0.55), _badge(outside, height))
    )


def _cup(outside: Array, wall: float) -> Solid:
    """A vessel from its outer profile [K, 2], bottom to top."""
    foot, rim = (outside[0, 0] - 0.05, 0.0), (outside[-1, 0] - wall / 2, outside[-1, 1] + 0.02)
    inside = outside[:1:-1] - (wall, 0.0)
    return lathe([foot, *outside, rim, *inside, (0.0, inside[-1, 1] - 0.05)], 36)


def _mug_handle(rng: np.random.Generator, radius: float, height: float) -> Solid:
    """An ear, round or squarish, its ends inside the wall."""
    reach, start, square = rng.uniform(0.26, 0.4), radius - 0.03, rng.uniform(0.5, 0.95)
    low, high = 0.2 * height, rng.uniform(0.76, 0.86) * height
    path = [
        (start, 0, high),
        (start + reach * square, 0, high),
        (start + reach, 0, (low + high) / 2),
        (start + reach * square, 0, low),
        (start, 0, low),
    ]
    section = superellipse(10, 2.8) * (rng.uniform(0.06, 0.1), rng.uniform(0.04, 0.055))
    return sweep(section[:, ::-1], curve(path, 18), crease=65.0)


def _badge(outside: Array, height: float) -> Solid:
    """A bent plate on the wall, in front."""
    levels = np.linspace(-0.2, 0.2, 6) * height
    # Cut into strips, to follow the belly.
    section = np.concatenate([[(0.02, z) for z in levels], [(-0.02, z) for z in levels[::-1]]])
    angle = np.radians(np.linspace(-130.0, -50.0, 9))
    path = np.stack([np.cos(angle), np.sin(angle), np.full(9, height / 2)], axis=1)
    plate = sweep(section, path, up=(0, 0, 1))

    def onto_wall(points: Array) -> Array:
        radius = np.interp(points[:, 2], outside[:, 1], outside[:, 0])[:, None]
        return np.column_stack([points[:, :2] * radius, points[:, 2]])

    return plate.warp(onto_wall).decal("y")


def teapot(rng: np.random.Generator) -> Assembly:
    """A teapot, the spout to the front, the handle behind or over the lid."""
    glaze, radius, height = ceramic(rng, 0.5), rng.uniform(0.5, 0.62), rng.uniform(0.7, 1.0)
    neck = rng.uniform(0.24, 0.36)
    profile = [
        (0.3, 0.0),
        (0.85 * radius, 0.14 * height),
        (radius, 0.45 * height),
        (0.8 * radius, 0.8 * height),
    ]
    body = lathe(np.concatenate([curve([*profile, (neck, height)], 14), [(neck - 0.03, height + 0.03)]]), 32)
    trim = plain(color(rng, VIVID, METALS, PALE), 0.55) if chance(rng, 0.6) else glaze
    pot = Assembly().add(glaze, body, _spout(rng, radius, height))
    pot.add(trim, *_lid(rng, neck, height))
    pot.add(trim if chance(rng, 0.5) else glaze, _teapot_handle(rng, radius, height))
    foot = lathe([(0.28, -0.06), (0.36, -0.05), (0.33, 0.05)], 28)
    return pot.add(trim, foot)


def _spout(rng: np.random.Generator, radius: float, height: float) -> Solid:
    reach, tip = rng.uniform(0.38, 0.55), rng.uniform(0.85, 1.0) * height
    points = [
        (0, -0.75 * radius, 0.3 * height),
        (0, -radius - 0.45 * reach, 0.42 * height),
        (0, -radius - 0.6 * reach, 0.7 * height),
        (0, -radius - reach, tip),
    ]
    return bent_tube(points, [0.2, 0.14, 0.085, 0.075], 14, 14)


def _lid(rng: np.random.Generator, neck: float, height: float) -> tuple[Solid, Solid]:
    rise = rng.uniform(0.08, 0.2)
    dome = lathe(
        [
            (neck + 0.04, height),
            (neck + 0.03, height + 0.05),
            (0.6 * neck, height + rise),
            (0.0, height + 1.2 * rise),
        ],
        28,
    )
    size = rng.uniform(0.06, 0.09)
    return dome, ellipsoid(size, size, size * rng.uniform(0.8, 1.4), 14, 9).at(
        z=height + 1.2 * rise + 0.6 * size
    )


def _teapot_handle(rng: np.random.Generator, radius: float, height: float) -> Solid:
    thick = rng.uniform(0.05, 0.07)
    if chance(rng, 0.3):
        top = height + rng.uniform(0.55, 0.8)
        low = 0.82 * height
        arch = [
            (0, -0.72 * radius, low),
            (0, -0.6 * radius, 0.8 * top),
            (0, 0, top),
            (0, 0.6 * radius, 0.8 * top),
            (0, 0.72 * radius, low),
        ]
        return bent_tube(arch, thick, 20)
    reach = rng.uniform(0.36, 0.5)
    ear = [
        (0, 0.75 * radius, 0.84 * height),
        (0, radius + 0.75 * reach, 0.9 * height),
        (0, radius + reach, 0.58 * height),
        (0, 0.8 * radius, 0.22 * height),
    ]
    return bent_tube(ear, thick, 18)


def toaster(rng: np.random.Generator) -> Assembly:
    """A toaster with slices in it, its lever at the +x end and a dial in front."""
    width, depth, height = rng.uniform(1.1, 1.5), rng.uniform(0.6, 0.75), rng.uniform(0.7, 0.9)
    shell = paint(rng) if chance(rng, 0.5) else (plastic(rng) if chance(rng, 0.5) else metal(rng))
    black, trim = dark(rng), metal(rng)
    case = rounded_box(width, depth, height, rng.uniform(0.1, 0.22), 3)
    toaster = Assembly().add(shell, case)
    toaster.add(trim, box(0.86 * width, 0.68 * depth, 0.05).at(z=height / 2))
    toaster.add(black, rounded_box(0.94 * width, 0.92 * depth, 0.14, 0.04).at(z=-height / 2 + 0.01))
    bread, crust = plain(color(rng, _TOAST), 0.9), plain(color(rng, (0x7A4A22, 0x8A5A2B)), 0.9)
    for side in (-1.0, 1.0):
        y = side * 0.17 * depth
        toaster.add(black, box(0.78 * width, 0.19 * depth, 0.06).at(y=y, z=height / 2 + 0.012))
        lift = rng.uniform(0.0, 0.14)
        slice_ = _toast(0.66 * width, 0.5)
        toaster.add(crust, slice_.scale(y=0.085).at(y=y, z=height / 2 + lift))
        toaster.add(bread, slice_.scale(0.88, 0.105, 0.88).at(y=y, z=height / 2 + lift + 0.01))
    lever = rounded_box(0.14, 0.26, 0.09, 0.03).at(x=width / 2 + 0.06, z=rng.uniform(-0.05, 0.2) * height)
    slot = box(0.04, 0.06, 0.62 * height).at(x=width / 2)
    toaster.add(black, lever, slot)
    dial = (
        cylinder(rng.uniform(0.07, 0.1), 0.1, 20, bevel=0.015)
        .turn(x=90)
        .at(0.3 * width, -depth / 2, -0.2 * height)
    )
    ground, ink = two_colors(rng, VIVID, PALE)
    badge = box(0.36, 0.04, 0.2).at(-0.2 * width, -depth / 2, 0.08 * height).decal("y")
    return toaster.add(trim, dial).add(printed(textures.label(rng, ground, ink), 1.0, 0.6), badge)


def _toast(width: float, height: float) -> Solid:
    """A slice of bread of thickness 1 along y, its middle at the origin."""
    slice_ = rounded_box(width, 1.0, height, 0.12, 2)
    return slice_.scale(1.0, 1.0, 1.0)


def frying_pan(rng: np.random.Generator) -> Assembly:
    """A frying pan with a long handle to the front and a fried egg off its centre."""
    radius, height = rng.uniform(0.75, 0.95), rng.uniform(0.2, 0.32)
    flare, wall = rng.uniform(0.04, 0.14), 0.035
    inner = plain(color(rng, (0x2A2B2E, 0x3A3A3C, 0x9A9DA2)), 0.65)
    outside = [(radius - flare, 0.0), (radius - 0.03, 0.4 * height), (radius, height)]
    bowl = lathe(
        [
            *outside,
            (radius - wall, height + 0.01),
            (radius - wall - 0.03, 0.45 * height),
            (radius - flare - wall, 0.06),
            (0, 0.06),
        ],
        40,
    )
    shell = paint(rng) if chance(rng, 0.6) else metal(rng)
    base = lathe([(radius - flare - 0.04, -0.03), (radius - flare - 0.02, 0.03)], 40)
    pan = Assembly().add(shell, bowl).add(metal(rng), base)
    pan.add(inner, cylinder(radius - flare - 0.02, 0.04, 36).at(z=0.07))
    length, lift = rng.uniform(1.1, 1.6), rng.uniform(0.15, 0.4)
    grip = timber(rng) if chance(rng, 0.4) else dark(rng)
    path = curve(
        [
            (0, -radius - 0.1, height - 0.05),
            (0, -radius - 0.5 * length, height + 0.7 * lift),
            (0, -radius - length, height + lift),
        ],
        9,
    )
    section = superellipse(12, 3.0) * (0.11, 0.055)
    pan.add(grip, sweep(section, path, [0.7, 0.8, 0.9, 1, 1.05, 1.1, 1.1, 1.05, 0.8], up=(0, 0, 1)))
    pan.add(metal(rng), rounded_box(0.26, 0.3, 0.1, 0.04).at(0, -radius - 0.06, height - 0.06))
    pan.add(metal(rng), ring(0.06, 0.02, 16, 6).at(0, -radius - length - 0.03, height + lift))
    return _fried_egg(rng, pan, radius - flare)


def _fried_egg(rng: np.random.Generator, pan: Assembly, radius: float) -> Assembly:
    """Put an egg into the pan, off its centre."""
    angle = rng.uniform(0.0, 2 * np.pi)
    x, y = 0.4 * radius * np.cos(angle), 0.4 * radius * np.sin(angle)
    white = (
        frustum(1.0, 0.85, 0.05, 26).warp(lambda p: p * _wobble(p, angle)).scale(0.42 * radius, 0.42 * radius)
    )
    pan.add(plain(color(rng, (0xF7F5EE,)), 0.6), white.at(x, y, 0.1))
    yolk = ellipsoid(0.17 * radius, 0.17 * radius, 0.09, 18, 9)
    return pan.add(plain(color(rng, (0xF2A71B, 0xF4B83A)), 0.5), yolk.at(x + 0.03, y, 0.13))


def _wobble(points: Array, phase: float) -> Array:
    """Factors [N, 3] that make a disc's rim wavy."""
    around = np.arctan2(points[:, 1], points[:, 0])
    wave = 1 + 0.1 * np.sin(3 * around + phase) + 0.08 * np.sin(5 * around + 2 * phase)
    return np.column_stack([wave, wave, np.ones(len(points))])
