"""Tools: hammer, power drill."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.materials import timber
from turntable.renderer.meshes.zoo.outlines import curve, rectangle, superellipse
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
    printed,
    two_colors,
)
from turntable.renderer.meshes.zoo.primitives import box, cylinder, frustum, hull, lathe, rounded_box
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod, sweep


def hammer(rng: np.random.Generator) -> Assembly:
    """A claw hammer standing on its handle, its face to the front, the claw behind; a tag on the right."""
    length, steel = rng.uniform(1.7, 2.2), metal(rng)
    top = length + 0.12
    hammer = Assembly()
    _handle(rng, hammer, length)
    hammer.add(steel, rounded_box(0.22, 0.3, 0.3, 0.06, 2).at(z=length))
    size = rng.uniform(0.14, 0.175)
    face = lathe([(size, 0.0), (size, 0.1), (0.62 * size, 0.2), (0.62 * size, 0.46)], 23).turn(x=-90)
    hammer.add(steel, face.at(0, -0.52, length + 0.01))
    reach, droop = rng.uniform(0.5, 0.7), rng.uniform(0.12, 0.34)
    path = curve(
        [
            (0.0, 0.05, length + 0.02),
            (0.0, 0.4 * reach, length + 0.05),
            (0.0, 0.72 * reach, length - 0.1 * droop),
            (0.0, reach, length - droop),
        ],
        10,
    )
    taper = np.linspace(1.0, 0.25, 10)
    for side in (-1.0, 1.0):
        spread = (
            path + np.outer(np.linspace(0.0, 1.0, 10), (side * 0.075, 0.0, 0.0)) + (side * 0.045, 0.0, 0.0)
        )
        section = rectangle(0.1, 0.2, 0.03)
        hammer.add(
            steel, sweep(section, spread, np.column_stack([0.5 + 0.5 * taper, taper]), up=(0.0, 0.0, 1.0))
        )
    ground, ink = two_colors(rng, VIVID, PALE)
    tag = box(0.04, 0.22, 0.18).at(0.1, 0.0, length).decal("x")
    hammer.add(printed(textures.label(rng, ground, ink), 1.0, 0.6), tag)
    return hammer.add(steel, frustum(0.08, 0.06, 0.1, 14).at(z=top + 0.05))


def _handle(rng: np.random.Generator, hammer: Assembly, length: float) -> None:
    """Wood with a painted end, or a steel shaft in a rubber grip with rings."""
    oval = superellipse(16, 2.4)
    if chance(rng, 0.55):
        heights = np.array([0.0, 0.03, 0.2, 0.45, 0.7, 0.92, 1.02]) * length
        sizes = np.array([0.09, 0.115, 0.1, 0.115, 0.085, 0.08, 0.08])
        path = np.column_stack([np.zeros((7, 2)), heights])
        hammer.add(timber(rng, 0.6), sweep(oval * (1.25, 0.8), path, sizes, up=(1.0, 0.0, 0.0)))
        dip = sweep(
            oval * (1.25, 0.8), path[1:3] + np.array((0.0, 0.0, 0.02)), [0.124, 0.108], up=(1.0, 0.0, 0.0)
        )
        hammer.add(paint(rng), dip)
        return
    hammer.add(metal(rng), sweep(oval, [(0, 0, 0.3 * length), (0, 0, length)], 0.075))
    grip = paint(rng) if chance(rng, 0.7) else dark(rng)
    path = np.column_stack([np.zeros((6, 2)), np.array([0.0, 0.03, 0.15, 0.3, 0.42, 0.46]) * length])
    hammer.add(
        grip, sweep(oval * (1.2, 0.85), path, [0.1, 0.13, 0.11, 0.125, 0.11, 0.09], up=(1.0, 0.0, 0.0))
    )
    band = dark(rng)
    for share in (0.1, 0.16, 0.22, 0.28):
        hoop = cylinder(0.124, 0.025, 18, bevel=0.006).scale(x=0.88, y=1.2)
        hammer.add(band, hoop.at(z=share * length))


def power_drill(rng: np.random.Generator) -> Assembly:
    """A cordless drill, its bit to the front, battery at the foot of the grip; a badge on the right side."""
    shell, black, steel = paint(rng), dark(rng), metal(rng)
    radius, length = rng.uniform(0.23, 0.28), rng.uniform(0.8, 1.05)
    profile = [
        (0.75 * radius, 0.45),
        (radius, 0.38),
        (radius, 0.0),
        (0.95 * radius, 0.4 - length),
        (0.7 * radius, 0.3 - length),
    ]
    stations = [(y, -r, r, 2 * r) for r, y in profile]
    drill = Assembly().add(shell, hull(stations[::-1], 2.8, 26))
    nose = 0.3 - length
    drill.add(
        black,
        lathe([(0.17, 0.0), (0.18, 0.1), (0.15, 0.24), (0.09, 0.34), (0.06, 0.35)], 20)
        .turn(x=90)
        .at(0, nose + 0.06, 0),
    )
    drill.add(plain(color(rng, METALS), 0.5), *_bit(rng, nose - 0.26))
    drill.add(black, cylinder(0.72 * radius, 0.08, 22, bevel=0.02).turn(x=90).at(0, 0.45, 0))
    low = -rng.uniform(0.85, 1.0)
    path = curve([(0, 0.1, -0.1), (0, 0.16, 0.5 * low), (0, 0.2, low)], 8)
    grip = sweep(
        superellipse(18, 2.8) * (0.12, 0.17),
        path,
        [1.15, 1.05, 1, 0.98, 0.98, 1, 1.05, 1.1],
        up=(0.0, -1.0, 0.0),
    )
    drill.add(black if chance(rng, 0.5) else shell, grip)
    drill.add(black, rounded_box(0.12, 0.16, 0.22, 0.04, 2).at(0, -0.1, -radius - 0.1))
    drill.add(black, rounded_box(0.34, 0.56, 0.14, 0.05, 2).at(0, 0.1, low - 0.02))
    drill.add(shell, rounded_box(0.36, 0.62, 0.2, 0.06, 2).at(0, 0.07, low - 0.16))
    ground, ink = two_colors(rng, VIVID, PALE)
    label = printed(textures.label(rng, ground, ink), 1.0, 0.6)
    drill.add(label, box(0.05, 0.44, 0.2).at(radius - 0.022, 0.12, 0.02).decal("x"))
    drill.add(steel, cylinder(0.07, 0.1, 16, bevel=0.012).at(-0.02, 0.2, radius + 0.01))
    hook = bent_tube([(-0.12, 0.1, low), (-0.24, 0.1, low), (-0.25, 0.0, low + 0.2)], 0.02, 10, 8)
    return drill.add(steel, hook)


def _bit(rng: np.random.Generator, y: float) -> list[Solid]:
    """A twisted bit that ends in a point."""
    long = rng.uniform(0.4, 0.7)
    path = np.column_stack([np.zeros(22), y - np.linspace(0.0, long, 22), np.zeros(22)])
    twisted = sweep(superellipse(8, 1.4) * (0.05, 0.022), path)

    def twist(points: Array) -> Array:
        angle = (points[:, 1] - y) / long * 3.0 * np.pi
        cos, sin = np.cos(angle), np.sin(angle)
        return np.column_stack(
            [points[:, 0] * cos - points[:, 2] * sin, points[:, 1], points[:, 0] * sin + points[:, 2] * cos]
        )

    tip = lathe([(0.05, 0.0), (0.0, 0.09)], 10).turn(x=90).at(0, y - long + 0.006, 0)
    return [twisted.warp(twist), tip, rod((0, y + 0.12, 0), (0, y - 0.08, 0), 0.045, 10)]
