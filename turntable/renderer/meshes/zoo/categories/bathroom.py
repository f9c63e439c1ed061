"""Bathroom and garden objects that hold water: bathtub, toilet, faucet, watering can."""

import numpy as np

from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import spline
from turntable.renderer.meshes.zoo.primitives import cylinder, ellipsoid, frustum, lathe, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    PALE,
    SOFT,
    VIVID,
    Skin,
    draw_bool,
    draw_color,
    draw_item,
    make_dark_skin,
    make_metal,
    make_paint,
    make_pale_skin,
    make_plain_skin,
    make_plastic,
)
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod, torus
from turntable.renderer.meshes.zoo.textured_skins import make_timber


def build_bathtub(rng: np.random.Generator) -> Assembly:
    """Build a tub on claw feet, full of water, with a faucet at one end and a rubber duck in it."""
    length, width, height = rng.uniform(1.5, 1.8), rng.uniform(0.72, 0.85), rng.uniform(0.46, 0.56)
    outside = make_plain_skin(draw_color(rng, VIVID, SOFT, PALE), 0.5)
    tub = Assembly().add(outside, _build_tub(length, width, height, power=rng.uniform(2.3, 3.2)))
    rim = torus(1.0, 0.035, 44, 8).scale(length / 2, width / 2).translate(z=height)
    tub.add(make_pale_skin(rng), rim.warp(lambda p: _raise_rim(p, length, height)))
    water = cylinder(0.93, 0.04, 40).scale(length / 2, width / 2).translate(z=0.78 * height)
    tub.add(make_plain_skin(draw_color(rng, (0x8FC9DD, 0xA8D8E0, 0x79B6D6)), 0.5), water)
    steel = make_metal(rng)
    for x in (-0.3 * length, 0.3 * length):
        for y in (-0.26 * width, 0.26 * width):
            claw = spline(
                [(x, y, 0.1), (1.1 * x, 1.3 * y, 0.0), (1.12 * x, 1.25 * y, -0.1), (1.2 * x, 1.4 * y, -0.15)],
                8,
            )
            tub.add(steel, bent_tube(claw, [0.06, 0.055, 0.04, 0.05], 9, 8))
    tub.add(steel, *_build_bath_faucet(-length / 2 - 0.02, height))
    return tub.add_assembly(
        _build_duck(rng).place(turn_z=rng.uniform(-60, 60), at=(0.22 * length, -0.1, 0.8 * height))
    )


def _build_tub(length: float, width: float, height: float, power: float) -> Solid:
    """Build a vessel with oval cross-sections. Its right end is drawn up to lean on."""
    outside = [(0.62, 0.0), (0.8, 0.05), (0.93, 0.5), (1.0, 1.0)]
    inside = [(0.95, 1.01), (0.87, 0.5), (0.7, 0.14), (0.0, 0.12)]
    shell = lathe([*outside, *inside], 40, power=power).scale(length / 2, width / 2, height)
    return shell.warp(lambda p: _raise_rim(p, length, height))


def _raise_rim(points: Array, length: float, height: float) -> Array:
    """Raise the right end of the rim."""
    rise = (
        0.24
        * np.clip(points[:, 0] / (length / 2), 0.0, 1.0) ** 2
        * np.clip(points[:, 2] / height, 0.0, 1.0) ** 2
    )
    return points + rise[:, None] * np.array([0.45, 0.0, 1.0])


def _build_bath_faucet(x: float, height: float) -> list[Solid]:
    """Build a tall pipe beside the left end, with a spout over the water and two handles."""
    pipe = [
        (x - 0.03, 0, -0.12),
        (x - 0.03, 0, height),
        (x, 0, height + 0.24),
        (x + 0.16, 0, height + 0.25),
        (x + 0.2, 0, height + 0.1),
    ]
    crosses = [
        rod((x - 0.03, s * 0.12, height + 0.07), (x - 0.03, s * 0.21, height + 0.07), 0.034) for s in (-1, 1)
    ]
    bar = rod((x - 0.03, -0.17, height + 0.07), (x - 0.03, 0.17, height + 0.07), 0.02)
    return [bent_tube(pipe, 0.028, 22), bar, *crosses]


def _build_duck(rng: np.random.Generator) -> Assembly:
    """Build a rubber duck that looks to -y."""
    yellow = make_plain_skin(draw_color(rng, (0xF4D03F, 0xF2B91B, 0xE8738C, 0x6EB5E0)), 0.55)
    tail = lathe([(0.035, 0.0), (0.0, 0.1)], 10).rotate(x=-60).translate(0, 0.07, 0.05)
    duck = Assembly().add(
        yellow,
        ellipsoid(0.085, 0.11, 0.07, 16, 9).translate(z=0.03),
        ellipsoid(0.06, 0.06, 0.06, 14, 9).translate(0, -0.07, 0.13),
        tail,
    )
    beak = (
        lathe([(0.03, 0.0), (0.022, 0.03), (0.0, 0.045)], 10)
        .scale(1.3, 0.6)
        .rotate(x=90)
        .translate(0, -0.12, 0.125)
    )
    eye = ellipsoid(0.011, 0.011, 0.011, 8, 5).translate(0.032, -0.115, 0.15)
    return duck.add(make_plain_skin((0.9, 0.42, 0.1), 0.6), beak).add_mirrored(make_dark_skin(rng), eye)


def build_toilet(rng: np.random.Generator) -> Assembly:
    """Build a toilet: bowl to the front, lid up or down, tank behind with its lever at the left."""
    china, seat = (
        make_plain_skin(draw_color(rng, PALE, SOFT), 0.5),
        make_timber(rng, 0.3) if draw_bool(rng, 0.4) else make_plastic(rng),
    )
    rim, reach, wide = rng.uniform(0.38, 0.44), rng.uniform(0.28, 0.33), rng.uniform(0.19, 0.22)
    toilet = Assembly().add(china, _build_bowl(rim, reach, wide))
    tank_wide, tank_high = rng.uniform(0.4, 0.5), rng.uniform(0.32, 0.4)
    tank_y, tank_z = 0.34, rim + 0.01 + tank_high / 2
    toilet.add(china, rounded_box(tank_wide, 0.19, tank_high, 0.035, 2).translate(0, tank_y, tank_z))
    toilet.add(
        china,
        rounded_box(tank_wide + 0.04, 0.22, 0.045, 0.016, 2).translate(0, tank_y, tank_z + tank_high / 2),
    )
    toilet.add(china, rounded_box(0.24, 0.34, rim - 0.02, 0.05, 2).translate(0, 0.26, rim / 2))
    steel = make_metal(rng)
    toilet.add(steel, rod((-0.15, tank_y - 0.14, tank_z + 0.1), (-0.15, tank_y, tank_z + 0.1), 0.016))
    toilet.add(steel, rounded_box(0.11, 0.02, 0.032, 0.009).translate(-0.12, tank_y - 0.14, tank_z + 0.1))
    hole = lathe([(1.0, 0.0), (1.0, 0.025), (0.68, 0.025), (0.68, 0.0)], 34, loop=True, crease=30)
    toilet.add(seat, hole.scale(wide, reach).project_texture("z").translate(0, -0.08, rim + 0.012))
    cover = (
        lathe([(1.0, 0.0), (0.98, 0.022), (0.0, 0.03)], 34)
        .scale(0.98 * wide, 0.98 * reach)
        .project_texture("z")
    )
    if draw_bool(rng, 0.7):
        cover = cover.translate(y=-reach).rotate(x=-rng.uniform(98, 104)).translate(0, 0.21, rim + 0.035)
    else:
        cover = cover.translate(0, -0.08, rim + 0.034)
    roll = cylinder(0.055, 0.1, 18, bevel=0.006).translate(0.12, tank_y, tank_z + tank_high / 2 + 0.07)
    return toilet.add(seat, cover).add(make_plain_skin((0.93, 0.92, 0.89), 0.95), roll)


def _build_bowl(rim: float, reach: float, wide: float) -> Solid:
    """Build an egg-shaped bowl on a narrow foot."""
    outside = [(0.62, 0.0), (0.6, 0.04), (0.5, 0.3 * rim), (0.62, 0.55 * rim), (0.98, 0.86 * rim), (1.0, rim)]
    inside = [(0.74, rim + 0.005), (0.66, 0.75 * rim), (0.2, 0.45 * rim), (0.0, 0.43 * rim)]
    return lathe([*outside, *inside], 36).scale(wide, reach).translate(y=-0.08)


def build_faucet(rng: np.random.Generator) -> Assembly:
    """Build a faucet with its spout to the front, and either two cross handles or a lever at the right."""
    steel = make_metal(rng) if draw_bool(rng, 0.75) else make_dark_skin(rng)
    height, reach = rng.uniform(0.5, 0.95), rng.uniform(0.5, 0.7)
    faucet = Assembly().add(steel, lathe([(0.17, 0.0), (0.17, 0.05), (0.11, 0.09), (0.085, 0.2)], 28))
    if draw_bool(rng, 0.6):
        top = height + 0.12
        neck = [
            (0, 0, 0.04),
            (0, 0, 0.7 * height),
            (0, -0.12 * reach, top),
            (0, -0.75 * reach, top),
            (0, -reach, 0.72 * height),
        ]
    else:
        neck = [
            (0, 0, 0.04),
            (0, -0.01, 0.45 * height),
            (0, -0.3 * reach, 0.72 * height),
            (0, -reach, 0.7 * height),
        ]
    faucet.add(steel, bent_tube(neck, rng.uniform(0.062, 0.08), 26, 16))
    end = 0.72 * height if len(neck) == 5 else 0.68 * height
    mouth = cylinder(0.09, 0.12, 22, bevel=0.015).translate(
        0, -reach + (0.0 if len(neck) == 5 else 0.03), end - 0.03
    )
    faucet.add(make_plain_skin(draw_color(rng, PALE, VIVID), 0.5) if draw_bool(rng, 0.4) else steel, mouth)
    if draw_bool(rng, 0.6):
        faucet.add(steel, rounded_box(0.86, 0.2, 0.08, 0.035, 2).translate(z=0.05))
        for side, code in ((-1.0, 0xC8302A), (1.0, 0x2F6FC9)):
            _add_cross_handle(faucet, steel, make_plain_skin(draw_color(rng, (code,)), 0.5), side * 0.34)
        return faucet
    plate = frustum(0.24, 0.22, 0.06, 28, bevel=0.012).translate(z=0.024)
    hub = cylinder(0.085, 0.16, 20, bevel=0.015).rotate(y=90).translate(0.12, 0, 0.24)
    lever = bent_tube([(0.17, 0, 0.24), (0.26, -0.02, 0.3), (0.3, -0.04, 0.56)], [0.045, 0.035, 0.045], 10)
    return faucet.add(steel, plate, hub).add(make_paint(rng) if draw_bool(rng, 0.5) else steel, lever)


def _add_cross_handle(faucet: Assembly, steel: Skin, mark: Skin, x: float) -> None:
    """Add a cross handle on its stem, with the colored button that tells hot from cold."""
    stem = lathe([(0.08, 0.04), (0.06, 0.1), (0.04, 0.16), (0.06, 0.2), (0.06, 0.27)], 18)
    faucet.add(steel, stem.translate(x))
    for angle, z in ((20.0, 0.235), (110.0, 0.229)):
        bar = rod((-0.14, 0, z), (0.14, 0, z), 0.028)
        knobs = [ellipsoid(0.04, 0.04, 0.04, 10, 7).translate(s * 0.14, 0, z) for s in (-1, 1)]
        faucet.add(steel, *(piece.rotate(z=angle).translate(x) for piece in (bar, *knobs)))
    faucet.add(mark, cylinder(0.045, 0.05, 16, bevel=0.01).translate(x, 0, 0.275))


def build_watering_can(rng: np.random.Generator) -> Assembly:
    """Build a watering can: the spout to the front, a handle behind and one above."""
    skin = make_paint(rng) if draw_bool(rng, 0.7) else make_metal(rng)
    bottom, top, height = rng.uniform(0.36, 0.44), rng.uniform(0.26, 0.38), rng.uniform(0.6, 0.8)
    wall = [
        (bottom, 0.0),
        (bottom, 0.04),
        (top, height),
        (top - 0.03, height),
        (top - 0.03, 0.9 * height),
        (0, 0.88 * height),
    ]
    can = Assembly().add(skin, lathe(wall, 32))
    trim = make_metal(rng) if draw_bool(rng, 0.5) else make_paint(rng)
    for z in (0.05, rng.uniform(0.35, 0.6) * height):
        radius = float(np.interp(z, [0.04, height], [bottom, top]))
        can.add(trim, torus(radius, 0.018, 32, 6).translate(z=z))
    _add_spout_and_rose(rng, can, (skin, trim), bottom, top, height)
    can.add(trim if draw_bool(rng, 0.5) else make_timber(rng, 0.2), *_build_can_handles(bottom, top, height))
    half = cylinder(top - 0.02, 0.03, 30).warp(_flatten_hind_half)
    can.add(skin, half.translate(z=height + 0.004))
    return _add_daisy(rng, can, (bottom + top) / 2, 0.55 * height, draw_item(rng, (5, 6, 7)))


def _add_spout_and_rose(
    rng: np.random.Generator,
    can: Assembly,
    skins: tuple[Skin, Skin],
    bottom: float,
    top: float,
    height: float,
) -> None:
    """Add the spout with its stay, and the sprinkler head at its end."""
    skin, trim = skins
    reach, rise = rng.uniform(0.55, 0.8), height * rng.uniform(0.95, 1.25)
    tip = (0.0, -bottom - reach, rise)
    spout = [(0, 0.1 - bottom, 0.16), (0, -bottom - 0.3 * reach, 0.35 * rise), tip]
    stay = rod((0, -top + 0.05, 0.85 * height), (0.0, 0.8 * tip[1], 0.83 * rise), 0.016)
    can.add(skin, bent_tube(spout, [0.11, 0.075, 0.05], 12, 14), stay)
    rose = lathe([(0.045, -0.04), (0.06, 0.03), (0.16, 0.13), (0.15, 0.165), (0.0, 0.18)], 24)
    can.add(trim, rose.rotate(x=rng.uniform(50, 75)).translate(*tip))


def _build_can_handles(bottom: float, top: float, height: float) -> tuple[Solid, Solid]:
    """Build two handles: one behind to pour, one above to carry."""
    behind = [(top - 0.05, 0.92), (top + 0.3, 0.95), (bottom + 0.26, 0.4), (bottom - 0.04, 0.26)]
    above = [(0.03 - top, -0.03), (-0.7 * top, 0.2), (0.6 * top, 0.22), (top - 0.03, -0.04)]
    return (
        bent_tube([(0, y, share * height) for y, share in behind], 0.035, 16),
        bent_tube([(0, y, height + rise) for y, rise in above], 0.03, 16),
    )


def _flatten_hind_half(points: Array) -> Array:
    """Flatten the rear half of a disk. The front half becomes the lid that keeps the water in."""
    return points * np.where(points[:, 1:2] > 0.0, (1.0, 0.15, 1.0), (1.0, 1.0, 1.0))


def _add_daisy(rng: np.random.Generator, can: Assembly, radius: float, z: float, petals: int) -> Assembly:
    """Add a painted flower on the right wall."""
    skin, x = make_plain_skin(draw_color(rng, VIVID, PALE), 0.6), radius - 0.005
    for number in range(petals):
        petal = ellipsoid(0.04, 0.04, 0.075, 10, 7).translate(z=0.1).rotate(x=360.0 * number / petals)
        can.add(skin, petal.translate(x, 0.0, z))
    return can.add(
        make_plain_skin(draw_color(rng, (0xF2C230,)), 0.6),
        ellipsoid(0.05, 0.05, 0.05, 12, 7).translate(x + 0.01, 0.0, z),
    )
