"""Bicycles."""

import numpy as np

from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import spline
from turntable.renderer.meshes.zoo.primitives import (
    box,
    cylinder,
    ellipsoid,
    lathe,
    loft_sections,
    rounded_box,
)
from turntable.renderer.meshes.zoo.skins import (
    DARK,
    PALE,
    WOODS,
    Skin,
    draw_bool,
    draw_color,
    make_metal,
    make_paint,
    make_plain_skin,
)
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import arc, bent_tube, rod, torus
from turntable.renderer.meshes.zoo.textured_skins import make_leather

Point = tuple[float, float, float]
"""A point (x, y, z)."""


def build_bicycle(rng: np.random.Generator) -> Assembly:
    """Build a bicycle that heads to the front with its chain on the right, and maybe fenders and a basket."""
    radius, base = rng.uniform(0.3, 0.36), rng.uniform(0.96, 1.1)
    lacquer, steel, black = make_paint(rng), make_metal(rng), make_plain_skin(draw_color(rng, DARK), 0.8)
    front, hind = (0.0, -base / 2, radius), (0.0, base / 2, radius)
    tire = make_plain_skin(draw_color(rng, DARK, PALE, WOODS), 0.9)
    bicycle = Assembly()
    for hub in (front, hind):
        bicycle.add_assembly(_build_spoked_wheel(radius, tire, steel).place(at=hub))
    crank: Point = (0.0, 0.06, 0.27)
    saddle: Point = (0.0, 0.22, rng.uniform(0.8, 0.95))
    head: Point = (0.0, -base / 2 + 0.22, rng.uniform(0.78, 0.88))
    _add_frame(bicycle, lacquer, crank, saddle, head, hind, low=draw_bool(rng, 0.35))
    _add_fork(bicycle, lacquer, head, front)
    _add_handlebar(rng, bicycle, steel, black, head)
    bicycle.add(
        make_leather(rng) if draw_bool(rng, 0.6) else black,
        _build_saddle().translate(0, saddle[1] + 0.02, saddle[2] + 0.05),
    )
    bicycle.add(steel, rod((0, 0.17, 0.55), saddle, 0.014))
    _add_drivetrain(bicycle, steel, black, crank, hind)
    if draw_bool(rng, 0.6):
        rear_fender = _build_fender(radius + 0.035, 0.03, 0, 165).translate(*hind)
        front_fender = _build_fender(radius + 0.035, 0.03, 40, 165).translate(*front)
        bicycle.add(lacquer, rear_fender, front_fender)
    if draw_bool(rng, 0.5):
        _add_basket(rng, bicycle, (0.0, head[1] - 0.2, head[2] + 0.05))
    return bicycle


def _build_spoked_wheel(radius: float, tire: Skin, steel: Skin) -> Assembly:
    """Build a wheel about the x axis, centered on the origin: tire, rim, hub and crossed spokes."""
    wheel = Assembly().add(tire, torus(radius - 0.022, 0.022, 30, 8).rotate(y=90))
    wheel.add(steel, torus(radius - 0.046, 0.012, 30, 5).rotate(y=90), cylinder(0.03, 0.11, 12).rotate(y=90))
    for number in range(14):
        angle, side = 2 * np.pi * number / 14, 0.03 * (-1) ** number
        end = (0.0, (radius - 0.05) * np.cos(angle), (radius - 0.05) * np.sin(angle))
        wheel.add(steel, rod((side, 0.0, 0.0), end, 0.0045, 4))
    return wheel


def _add_frame(
    bicycle: Assembly, skin: Skin, crank: Point, saddle: Point, head: Point, hind: Point, *, low: bool
) -> None:
    """Add a diamond frame or a curved step-through frame, with stays to the rear hub."""
    top = (0.0, 0.19, 0.62)
    fore = (0.0, head[1] - 0.01, head[2] - 0.12)
    bicycle.add(skin, rod(crank, (0.0, 0.2, saddle[2] - 0.16), 0.02, 10))
    bicycle.add(skin, rod(head, (0.0, head[1] - 0.045, head[2] - 0.22), 0.026, 10))
    if low:
        sag = (0.0, (fore[1] + crank[1]) / 2 + 0.04, 0.34)
        bicycle.add(
            skin,
            bent_tube([fore, sag, crank], 0.024, 12),
            bent_tube([head, (0, sag[1], 0.5), (0, 0.13, 0.42)], 0.02, 12),
        )
    else:
        bicycle.add(
            skin,
            rod(fore, crank, 0.024, 10),
            rod((0, head[1], head[2] - 0.06), (0, 0.2, saddle[2] - 0.2), 0.02, 10),
        )
    for side in (-0.05, 0.05):
        bicycle.add(skin, rod((0.4 * side, crank[1], crank[2]), (side, hind[1], hind[2]), 0.012))
        bicycle.add(skin, rod((0.3 * side, top[1], top[2]), (side, hind[1], hind[2]), 0.011))


def _add_fork(bicycle: Assembly, skin: Skin, head: Point, front: Point) -> None:
    """Add the front fork."""
    crown = (0.0, head[1] - 0.05, head[2] - 0.23)
    for side in (-0.055, 0.055):
        knee = (side, 0.6 * crown[1] + 0.4 * front[1] + 0.02, 0.5 * (crown[2] + front[2]))
        bicycle.add(
            skin,
            bent_tube([(0.6 * side, crown[1], crown[2]), knee, (side, front[1], front[2])], 0.014, 10, 8),
        )
    bicycle.add(skin, rod((-0.05, crown[1], crown[2]), (0.05, crown[1], crown[2]), 0.024))


def _add_handlebar(
    rng: np.random.Generator, bicycle: Assembly, steel: Skin, black: Skin, head: Point
) -> None:
    """Add a swept-back or dropped handlebar with grips, a bell on the left, and a lamp."""
    y, z = head[1], head[2] + 0.1
    bicycle.add(steel, rod(head, (0, y + 0.01, z), 0.018))
    if draw_bool(rng, 0.3):
        half = [
            (0, y, z),
            (0.2, y - 0.02, z),
            (0.22, y - 0.15, z - 0.02),
            (0.22, y - 0.13, z - 0.15),
            (0.22, y, z - 0.16),
        ]
        grip = rod((0.22, y - 0.09, z - 0.158), (0.22, y + 0.03, z - 0.162), 0.021)
    else:
        sweep = rng.uniform(0.08, 0.24)
        half = [
            (0, y, z),
            (0.16, y - 0.03, z + 0.07),
            (0.28, y + 0.4 * sweep, z + 0.08),
            (0.31, y + sweep, z + 0.06),
        ]
        grip = rod((0.285, y + 0.45 * sweep, z + 0.08), (0.312, y + sweep + 0.04, z + 0.058), 0.023)
    bicycle.add_mirrored(steel, bent_tube(half, 0.013, 12, 7)).add_mirrored(black, grip)
    bell = ellipsoid(0.04, 0.04, 0.035, 14, 7).translate(0.13, y + 0.005, z + 0.07)
    bicycle.add(make_metal(rng), bell)
    lamp = (
        lathe([(0.03, 0.06), (0.055, -0.01), (0.0, -0.02)], 16)
        .rotate(x=90)
        .translate(0.0, y - 0.06, head[2] - 0.02)
    )
    bicycle.add(make_plain_skin((0.95, 0.93, 0.75), 0.5), lamp)


def _build_saddle() -> Solid:
    """Build a saddle."""
    stations = [(-0.16, -0.01, 0.03, 0.03), (-0.1, -0.035, 0.04, 0.055), (0.04, -0.045, 0.04, 0.11)]
    return loft_sections(
        spline([*stations, (0.1, -0.045, 0.06, 0.19), (0.14, -0.02, 0.055, 0.12)], 10), 2.6, 16
    )


def _add_drivetrain(bicycle: Assembly, steel: Skin, black: Skin, crank: Point, hind: Point) -> None:
    """Add chainring and chain on the right (-x), cranks and pedals."""
    x, reach = -0.06, 0.16
    bicycle.add(steel, cylinder(0.085, 0.012, 22).rotate(y=90).translate(x, crank[1], crank[2]))
    bicycle.add(steel, cylinder(0.04, 0.014, 16).rotate(y=90).translate(x, hind[1], hind[2]))
    for rise in (-1.0, 1.0):
        start, end = (x, crank[1], crank[2] + 0.08 * rise), (x, hind[1], hind[2] + 0.037 * rise)
        bicycle.add(black, rod(start, end, 0.009, 6))
    bicycle.add(steel, rod((-0.09, *crank[1:]), (0.09, *crank[1:]), 0.018))
    for side in (-1.0, 1.0):
        y, z = crank[1] + side * 0.8 * reach, crank[2] - side * 0.55 * reach
        bicycle.add(steel, rod((side * 0.085, *crank[1:]), (side * 0.1, y, z), 0.012, 6))
        bicycle.add(black, rounded_box(0.1, 0.08, 0.025, 0.008).translate(side * 0.15, y, z))


def _build_fender(radius: float, thick: float, start: float, end: float) -> Solid:
    """Build a fender over a wheel, flattened across its path. Angles run from the back over the top."""
    return arc(radius, thick * 0.45, start, end, 16, 8).rotate(x=90).rotate(z=90).scale(x=2.0)


def _add_basket(rng: np.random.Generator, bicycle: Assembly, at: Point) -> None:
    """Add a wicker basket in front of the handlebar, with something in it on one side."""
    wicker = make_plain_skin(draw_color(rng, WOODS), 0.9)
    walls = [(0.1, 0.0), (0.115, 0.02), (0.16, 0.2), (0.145, 0.2), (0.1, 0.03), (0.0, 0.02)]
    bicycle.add(wicker, lathe(walls, 20, power=4.0).scale(y=0.8).translate(*at))
    bicycle.add(
        make_plain_skin(draw_color(rng, WOODS), 0.9),
        lathe([(0.17, 0.17), (0.175, 0.19), (0.15, 0.2), (0.15, 0.17)], 20, power=4.0, loop=True)
        .scale(y=0.8)
        .translate(*at),
    )
    bicycle.add(
        make_paint(rng), ellipsoid(0.07, 0.07, 0.07, 14, 9).translate(at[0] + 0.05, at[1], at[2] + 0.17)
    )
    bicycle.add(
        make_paint(rng), box(0.07, 0.1, 0.2).rotate(x=12).translate(at[0] - 0.06, at[1], at[2] + 0.17)
    )
