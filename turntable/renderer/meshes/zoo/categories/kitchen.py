"""Kitchen objects: mug, teapot, toaster, frying pan."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import spline, superellipse
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, frustum, lathe, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    METALS,
    PALE,
    VIVID,
    draw_bool,
    draw_color,
    draw_two_colors,
    make_dark_skin,
    make_metal,
    make_paint,
    make_plain_skin,
    make_plastic,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, sweep, torus
from turntable.renderer.meshes.zoo.textured_skins import make_ceramic, make_timber

_DRINKS = (0x4A2C1A, 0xC58F4A, 0x8C4A22, 0xE8D9B8)
"""Colors of the drink in a mug."""
_TOAST = (0xC98F4A, 0xB8783A, 0xDDAA66)
"""Colors of toast."""


def build_mug(rng: np.random.Generator) -> Assembly:
    """Build a mug with its handle at +x, a drink in it, and a badge in front."""
    glaze, height = make_ceramic(rng, 0.35), rng.uniform(0.85, 1.25)
    bottom, top = rng.uniform(0.34, 0.46), rng.uniform(0.4, 0.5)
    middle = (bottom + top) / 2 + rng.uniform(-0.02, 0.07)
    outside = spline([(bottom, 0.05), (middle, height / 2), (top, height)], 9)
    level = rng.uniform(0.68, 0.85) * height
    surface = cylinder(float(np.interp(level, outside[:, 1], outside[:, 0])) - 0.02, 0.03, 32)
    handle_skin = make_plain_skin(draw_color(rng, VIVID, PALE), 0.55) if draw_bool(rng, 0.5) else glaze
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    return (
        Assembly()
        .add(glaze, _build_cup(outside, wall=0.045))
        .add(make_plain_skin(draw_color(rng, _DRINKS)), surface.translate(z=level))
        .add(handle_skin, _build_mug_handle(rng, middle, height))
        .add(
            make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.55),
            _build_badge(outside, height),
        )
    )


def _build_cup(outside: Array, wall: float) -> Solid:
    """Build a vessel from its outer profile [K, 2], bottom to top."""
    foot, rim = (outside[0, 0] - 0.05, 0.0), (outside[-1, 0] - wall / 2, outside[-1, 1] + 0.02)
    inside = outside[:1:-1] - (wall, 0.0)
    return lathe([foot, *outside, rim, *inside, (0.0, inside[-1, 1] - 0.05)], 36)


def _build_mug_handle(rng: np.random.Generator, radius: float, height: float) -> Solid:
    """Build an ear-shaped handle, round or squarish, with its ends inside the wall."""
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
    return sweep(section[:, ::-1], spline(path, 18), crease=65.0)


def _build_badge(outside: Array, height: float) -> Solid:
    """Build a bent plate that lies on the wall, in front."""
    levels = np.linspace(-0.2, 0.2, 6) * height
    # The plate is cut into strips, so that it can follow the curve of the wall.
    section = np.concatenate([[(0.02, z) for z in levels], [(-0.02, z) for z in levels[::-1]]])
    angle = np.radians(np.linspace(-130.0, -50.0, 9))
    path = np.stack([np.cos(angle), np.sin(angle), np.full(9, height / 2)], axis=1)
    plate = sweep(section, path, up=(0, 0, 1))

    def bend_onto_wall(points: Array) -> Array:
        radius = np.interp(points[:, 2], outside[:, 1], outside[:, 0])[:, None]
        return np.column_stack([points[:, :2] * radius, points[:, 2]])

    return plate.warp(bend_onto_wall).stretch_texture("y")


def build_teapot(rng: np.random.Generator) -> Assembly:
    """Build a teapot, with the spout to the front and the handle behind or over the lid."""
    glaze, radius, height = make_ceramic(rng, 0.5), rng.uniform(0.5, 0.62), rng.uniform(0.7, 1.0)
    neck = rng.uniform(0.24, 0.36)
    profile = [
        (0.3, 0.0),
        (0.85 * radius, 0.14 * height),
        (radius, 0.45 * height),
        (0.8 * radius, 0.8 * height),
    ]
    body = lathe(np.concatenate([spline([*profile, (neck, height)], 14), [(neck - 0.03, height + 0.03)]]), 32)
    trim = make_plain_skin(draw_color(rng, VIVID, METALS, PALE), 0.55) if draw_bool(rng, 0.6) else glaze
    pot = Assembly().add(glaze, body, _build_spout(rng, radius, height))
    pot.add(trim, *_build_lid(rng, neck, height))
    pot.add(trim if draw_bool(rng, 0.5) else glaze, _build_teapot_handle(rng, radius, height))
    foot = lathe([(0.28, -0.06), (0.36, -0.05), (0.33, 0.05)], 28)
    return pot.add(trim, foot)


def _build_spout(rng: np.random.Generator, radius: float, height: float) -> Solid:
    """Build a spout that points to the front."""
    reach, tip = rng.uniform(0.38, 0.55), rng.uniform(0.85, 1.0) * height
    points = [
        (0, -0.75 * radius, 0.3 * height),
        (0, -radius - 0.45 * reach, 0.42 * height),
        (0, -radius - 0.6 * reach, 0.7 * height),
        (0, -radius - reach, tip),
    ]
    return bent_tube(points, [0.2, 0.14, 0.085, 0.075], 14, 14)


def _build_lid(rng: np.random.Generator, neck: float, height: float) -> tuple[Solid, Solid]:
    """Build a lid and its knob."""
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
    return dome, ellipsoid(size, size, size * rng.uniform(0.8, 1.4), 14, 9).translate(
        z=height + 1.2 * rise + 0.6 * size
    )


def _build_teapot_handle(rng: np.random.Generator, radius: float, height: float) -> Solid:
    """Build a handle, over the lid or behind."""
    thick = rng.uniform(0.05, 0.07)
    if draw_bool(rng, 0.3):
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


def build_toaster(rng: np.random.Generator) -> Assembly:
    """Build a toaster with slices in it, a lever at the +x end and a dial in front."""
    width, depth, height = rng.uniform(1.1, 1.5), rng.uniform(0.6, 0.75), rng.uniform(0.7, 0.9)
    shell = (
        make_paint(rng)
        if draw_bool(rng, 0.5)
        else (make_plastic(rng) if draw_bool(rng, 0.5) else make_metal(rng))
    )
    black, trim = make_dark_skin(rng), make_metal(rng)
    case = rounded_box(width, depth, height, rng.uniform(0.1, 0.22), 3)
    toaster = Assembly().add(shell, case)
    toaster.add(trim, box(0.86 * width, 0.68 * depth, 0.05).translate(z=height / 2))
    toaster.add(black, rounded_box(0.94 * width, 0.92 * depth, 0.14, 0.04).translate(z=-height / 2 + 0.01))
    bread, crust = (
        make_plain_skin(draw_color(rng, _TOAST), 0.9),
        make_plain_skin(draw_color(rng, (0x7A4A22, 0x8A5A2B)), 0.9),
    )
    for side in (-1.0, 1.0):
        y = side * 0.17 * depth
        toaster.add(black, box(0.78 * width, 0.19 * depth, 0.06).translate(y=y, z=height / 2 + 0.012))
        lift = rng.uniform(0.0, 0.14)
        slice_ = _build_toast(0.66 * width, 0.5)
        toaster.add(crust, slice_.scale(y=0.085).translate(y=y, z=height / 2 + lift))
        toaster.add(bread, slice_.scale(0.88, 0.105, 0.88).translate(y=y, z=height / 2 + lift + 0.01))
    lever = rounded_box(0.14, 0.26, 0.09, 0.03).translate(
        x=width / 2 + 0.06, z=rng.uniform(-0.05, 0.2) * height
    )
    slot = box(0.04, 0.06, 0.62 * height).translate(x=width / 2)
    toaster.add(black, lever, slot)
    dial = (
        cylinder(rng.uniform(0.07, 0.1), 0.1, 20, bevel=0.015)
        .rotate(x=90)
        .translate(0.3 * width, -depth / 2, -0.2 * height)
    )
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    badge = box(0.36, 0.04, 0.2).translate(-0.2 * width, -depth / 2, 0.08 * height).stretch_texture("y")
    return toaster.add(trim, dial).add(
        make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.6), badge
    )


def _build_toast(width: float, height: float) -> Solid:
    """Build a slice of bread of thickness 1 along y, centered on the origin."""
    slice_ = rounded_box(width, 1.0, height, 0.12, 2)
    return slice_.scale(1.0, 1.0, 1.0)


def build_frying_pan(rng: np.random.Generator) -> Assembly:
    """Build a frying pan with a long handle to the front and a fried egg off its center."""
    radius, height = rng.uniform(0.75, 0.95), rng.uniform(0.2, 0.32)
    flare, wall = rng.uniform(0.04, 0.14), 0.035
    inner = make_plain_skin(draw_color(rng, (0x2A2B2E, 0x3A3A3C, 0x9A9DA2)), 0.65)
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
    shell = make_paint(rng) if draw_bool(rng, 0.6) else make_metal(rng)
    base = lathe([(radius - flare - 0.04, -0.03), (radius - flare - 0.02, 0.03)], 40)
    pan = Assembly().add(shell, bowl).add(make_metal(rng), base)
    pan.add(inner, cylinder(radius - flare - 0.02, 0.04, 36).translate(z=0.07))
    length, lift = rng.uniform(1.1, 1.6), rng.uniform(0.15, 0.4)
    grip = make_timber(rng) if draw_bool(rng, 0.4) else make_dark_skin(rng)
    path = spline(
        [
            (0, -radius - 0.1, height - 0.05),
            (0, -radius - 0.5 * length, height + 0.7 * lift),
            (0, -radius - length, height + lift),
        ],
        9,
    )
    section = superellipse(12, 3.0) * (0.11, 0.055)
    pan.add(grip, sweep(section, path, [0.7, 0.8, 0.9, 1, 1.05, 1.1, 1.1, 1.05, 0.8], up=(0, 0, 1)))
    pan.add(make_metal(rng), rounded_box(0.26, 0.3, 0.1, 0.04).translate(0, -radius - 0.06, height - 0.06))
    pan.add(make_metal(rng), torus(0.06, 0.02, 16, 6).translate(0, -radius - length - 0.03, height + lift))
    return _add_fried_egg(rng, pan, radius - flare)


def _add_fried_egg(rng: np.random.Generator, pan: Assembly, radius: float) -> Assembly:
    """Add an egg to the pan, off its center."""
    angle = rng.uniform(0.0, 2 * np.pi)
    x, y = 0.4 * radius * np.cos(angle), 0.4 * radius * np.sin(angle)
    white = (
        frustum(1.0, 0.85, 0.05, 26)
        .warp(lambda p: p * _compute_wobble(p, angle))
        .scale(0.42 * radius, 0.42 * radius)
    )
    pan.add(make_plain_skin(draw_color(rng, (0xF7F5EE,)), 0.6), white.translate(x, y, 0.1))
    yolk = ellipsoid(0.17 * radius, 0.17 * radius, 0.09, 18, 9)
    return pan.add(
        make_plain_skin(draw_color(rng, (0xF2A71B, 0xF4B83A)), 0.5), yolk.translate(x + 0.03, y, 0.13)
    )


def _compute_wobble(points: Array, phase: float) -> Array:
    """Compute factors [N, 3] that make the rim of a disk wavy."""
    around = np.arctan2(points[:, 1], points[:, 0])
    wave = 1 + 0.1 * np.sin(3 * around + phase) + 0.08 * np.sin(5 * around + 2 * phase)
    return np.column_stack([wave, wave, np.ones(len(points))])
