"""Tools: hammer, power drill."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import rectangle, spline, superellipse
from turntable.renderer.meshes.zoo.primitives import box, cylinder, frustum, lathe, loft_sections, rounded_box
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
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod, sweep
from turntable.renderer.meshes.zoo.textured_skins import make_timber


def build_hammer(rng: np.random.Generator) -> Assembly:
    """Build a claw hammer standing on its handle: face to the front, claw behind, a tag on the right."""
    length, steel = rng.uniform(1.7, 2.2), make_metal(rng)
    top = length + 0.12
    hammer = Assembly()
    _add_handle(rng, hammer, length)
    hammer.add(steel, rounded_box(0.22, 0.3, 0.3, 0.06, 2).translate(z=length))
    size = rng.uniform(0.14, 0.175)
    face = lathe([(size, 0.0), (size, 0.1), (0.62 * size, 0.2), (0.62 * size, 0.46)], 23).rotate(x=-90)
    hammer.add(steel, face.translate(0, -0.52, length + 0.01))
    reach, droop = rng.uniform(0.5, 0.7), rng.uniform(0.12, 0.34)
    path = spline(
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
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    tag = box(0.04, 0.22, 0.18).translate(0.1, 0.0, length).stretch_texture("x")
    hammer.add(make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.6), tag)
    return hammer.add(steel, frustum(0.08, 0.06, 0.1, 14).translate(z=top + 0.05))


def _add_handle(rng: np.random.Generator, hammer: Assembly, length: float) -> None:
    """Add a wooden handle with a painted end, or a steel shaft in a rubber grip with rings."""
    oval = superellipse(16, 2.4)
    if draw_bool(rng, 0.55):
        heights = np.array([0.0, 0.03, 0.2, 0.45, 0.7, 0.92, 1.02]) * length
        sizes = np.array([0.09, 0.115, 0.1, 0.115, 0.085, 0.08, 0.08])
        path = np.column_stack([np.zeros((7, 2)), heights])
        hammer.add(make_timber(rng, 0.6), sweep(oval * (1.25, 0.8), path, sizes, up=(1.0, 0.0, 0.0)))
        dip = sweep(
            oval * (1.25, 0.8), path[1:3] + np.array((0.0, 0.0, 0.02)), [0.124, 0.108], up=(1.0, 0.0, 0.0)
        )
        hammer.add(make_paint(rng), dip)
        return
    hammer.add(make_metal(rng), sweep(oval, [(0, 0, 0.3 * length), (0, 0, length)], 0.075))
    grip = make_paint(rng) if draw_bool(rng, 0.7) else make_dark_skin(rng)
    path = np.column_stack([np.zeros((6, 2)), np.array([0.0, 0.03, 0.15, 0.3, 0.42, 0.46]) * length])
    hammer.add(
        grip, sweep(oval * (1.2, 0.85), path, [0.1, 0.13, 0.11, 0.125, 0.11, 0.09], up=(1.0, 0.0, 0.0))
    )
    band = make_dark_skin(rng)
    for share in (0.1, 0.16, 0.22, 0.28):
        hoop = cylinder(0.124, 0.025, 18, bevel=0.006).scale(x=0.88, y=1.2)
        hammer.add(band, hoop.translate(z=share * length))


def build_power_drill(rng: np.random.Generator) -> Assembly:
    """Build a cordless drill: bit to the front, battery below the grip, a badge on the right side."""
    shell, black, steel = make_paint(rng), make_dark_skin(rng), make_metal(rng)
    radius, length = rng.uniform(0.23, 0.28), rng.uniform(0.8, 1.05)
    profile = [
        (0.75 * radius, 0.45),
        (radius, 0.38),
        (radius, 0.0),
        (0.95 * radius, 0.4 - length),
        (0.7 * radius, 0.3 - length),
    ]
    stations = [(y, -r, r, 2 * r) for r, y in profile]
    drill = Assembly().add(shell, loft_sections(stations[::-1], 2.8, 26))
    nose = 0.3 - length
    drill.add(
        black,
        lathe([(0.17, 0.0), (0.18, 0.1), (0.15, 0.24), (0.09, 0.34), (0.06, 0.35)], 20)
        .rotate(x=90)
        .translate(0, nose + 0.06, 0),
    )
    drill.add(make_plain_skin(draw_color(rng, METALS), 0.5), *_build_bit(rng, nose - 0.26))
    drill.add(black, cylinder(0.72 * radius, 0.08, 22, bevel=0.02).rotate(x=90).translate(0, 0.45, 0))
    low = -rng.uniform(0.85, 1.0)
    path = spline([(0, 0.1, -0.1), (0, 0.16, 0.5 * low), (0, 0.2, low)], 8)
    grip = sweep(
        superellipse(18, 2.8) * (0.12, 0.17),
        path,
        [1.15, 1.05, 1, 0.98, 0.98, 1, 1.05, 1.1],
        up=(0.0, -1.0, 0.0),
    )
    drill.add(black if draw_bool(rng, 0.5) else shell, grip)
    drill.add(black, rounded_box(0.12, 0.16, 0.22, 0.04, 2).translate(0, -0.1, -radius - 0.1))
    drill.add(black, rounded_box(0.34, 0.56, 0.14, 0.05, 2).translate(0, 0.1, low - 0.02))
    drill.add(shell, rounded_box(0.36, 0.62, 0.2, 0.06, 2).translate(0, 0.07, low - 0.16))
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    label = make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.6)
    drill.add(label, box(0.05, 0.44, 0.2).translate(radius - 0.022, 0.12, 0.02).stretch_texture("x"))
    drill.add(steel, cylinder(0.07, 0.1, 16, bevel=0.012).translate(-0.02, 0.2, radius + 0.01))
    hook = bent_tube([(-0.12, 0.1, low), (-0.24, 0.1, low), (-0.25, 0.0, low + 0.2)], 0.02, 10, 8)
    return drill.add(steel, hook)


def _build_bit(rng: np.random.Generator, y: float) -> list[Solid]:
    """Build a twisted bit that ends in a point."""
    long = rng.uniform(0.4, 0.7)
    path = np.column_stack([np.zeros(22), y - np.linspace(0.0, long, 22), np.zeros(22)])
    twisted = sweep(superellipse(8, 1.4) * (0.05, 0.022), path)

    def twist(points: Array) -> Array:
        angle = (points[:, 1] - y) / long * 3.0 * np.pi
        cos, sin = np.cos(angle), np.sin(angle)
        return np.column_stack(
            [points[:, 0] * cos - points[:, 2] * sin, points[:, 1], points[:, 0] * sin + points[:, 2] * cos]
        )

    tip = lathe([(0.05, 0.0), (0.0, 0.09)], 10).rotate(x=90).translate(0, y - long + 0.006, 0)
    return [twisted.warp(twist), tip, rod((0, y + 0.12, 0), (0, y - 0.08, 0), 0.045, 10)]
