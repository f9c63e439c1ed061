"""Where the water runs: bathtub, toilet, faucet, watering can."""

import numpy as np

from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.materials import timber
from turntable.renderer.meshes.zoo.outlines import curve
from turntable.renderer.meshes.zoo.palette import (
    PALE,
    SOFT,
    VIVID,
    Skin,
    chance,
    color,
    dark,
    metal,
    paint,
    pale,
    pick,
    plain,
    plastic,
)
from turntable.renderer.meshes.zoo.primitives import cylinder, ellipsoid, frustum, lathe, rounded_box
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, ring, rod


def bathtub(rng: np.random.Generator) -> Assembly:
    """A free-standing tub on claw feet, full of water, a tap at one end; a rubber duck in it."""
    length, width, height = rng.uniform(1.5, 1.8), rng.uniform(0.72, 0.85), rng.uniform(0.46, 0.56)
    outside = plain(color(rng, VIVID, SOFT, PALE), 0.5)
    tub = Assembly().add(outside, _tub(length, width, height, power=rng.uniform(2.3, 3.2)))
    rim = ring(1.0, 0.035, 44, 8).scale(length / 2, width / 2).at(z=height)
    tub.add(pale(rng), rim.warp(lambda p: _slipper(p, length, height)))
    water = cylinder(0.93, 0.04, 40).scale(length / 2, width / 2).at(z=0.78 * height)
    tub.add(plain(color(rng, (0x8FC9DD, 0xA8D8E0, 0x79B6D6)), 0.5), water)
    steel = metal(rng)
    for x in (-0.3 * length, 0.3 * length):
        for y in (-0.26 * width, 0.26 * width):
            claw = curve(
                [(x, y, 0.1), (1.1 * x, 1.3 * y, 0.0), (1.12 * x, 1.25 * y, -0.1), (1.2 * x, 1.4 * y, -0.15)],
                8,
            )
            tub.add(steel, bent_tube(claw, [0.06, 0.055, 0.04, 0.05], 9, 8))
    tub.add(steel, *_bath_tap(-length / 2 - 0.02, height))
    return tub.include(_duck(rng).placed(turn_z=rng.uniform(-60, 60), at=(0.22 * length, -0.1, 0.8 * height)))


def _tub(length: float, width: float, height: float, power: float) -> Solid:
    """A vessel of oval cross-sections, its right end drawn up to lean on."""
    outside = [(0.62, 0.0), (0.8, 0.05), (0.93, 0.5), (1.0, 1.0)]
    inside = [(0.95, 1.01), (0.87, 0.5), (0.7, 0.14), (0.0, 0.12)]
    shell = lathe([*outside, *inside], 40, power=power).scale(length / 2, width / 2, height)
    return shell.warp(lambda p: _slipper(p, length, height))


def _slipper(points: Array, length: float, height: float) -> Array:
    """Raise the right end of the rim."""
    rise = (
        0.24
        * np.clip(points[:, 0] / (length / 2), 0.0, 1.0) ** 2
        * np.clip(points[:, 2] / height, 0.0, 1.0) ** 2
    )
    return points + rise[:, None] * np.array([0.45, 0.0, 1.0])


def _bath_tap(x: float, height: float) -> list[Solid]:
    """A tall pipe beside the left end with a spout over the water and two crosses."""
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


def _duck(rng: np.random.Generator) -> Assembly:
    """A rubber duck that looks to -y."""
    yellow = plain(color(rng, (0xF4D03F, 0xF2B91B, 0xE8738C, 0x6EB5E0)), 0.55)
    tail = lathe([(0.035, 0.0), (0.0, 0.1)], 10).turn(x=-60).at(0, 0.07, 0.05)
    duck = Assembly().add(
        yellow,
        ellipsoid(0.085, 0.11, 0.07, 16, 9).at(z=0.03),
        ellipsoid(0.06, 0.06, 0.06, 14, 9).at(0, -0.07, 0.13),
        tail,
    )
    beak = (
        lathe([(0.03, 0.0), (0.022, 0.03), (0.0, 0.045)], 10).scale(1.3, 0.6).turn(x=90).at(0, -0.12, 0.125)
    )
    eye = ellipsoid(0.011, 0.011, 0.011, 8, 5).at(0.032, -0.115, 0.15)
    return duck.add(plain((0.9, 0.42, 0.1), 0.6), beak).pair(dark(rng), eye)


def toilet(rng: np.random.Generator) -> Assembly:
    """A toilet, bowl to the front, lid up or down, cistern behind with its lever at the left."""
    china, seat = plain(color(rng, PALE, SOFT), 0.5), timber(rng, 0.3) if chance(rng, 0.4) else plastic(rng)
    rim, reach, wide = rng.uniform(0.38, 0.44), rng.uniform(0.28, 0.33), rng.uniform(0.19, 0.22)
    toilet = Assembly().add(china, _bowl(rim, reach, wide))
    tank_wide, tank_high = rng.uniform(0.4, 0.5), rng.uniform(0.32, 0.4)
    tank_y, tank_z = 0.34, rim + 0.01 + tank_high / 2
    toilet.add(china, rounded_box(tank_wide, 0.19, tank_high, 0.035, 2).at(0, tank_y, tank_z))
    toilet.add(
        china, rounded_box(tank_wide + 0.04, 0.22, 0.045, 0.016, 2).at(0, tank_y, tank_z + tank_high / 2)
    )
    toilet.add(china, rounded_box(0.24, 0.34, rim - 0.02, 0.05, 2).at(0, 0.26, rim / 2))
    steel = metal(rng)
    toilet.add(steel, rod((-0.15, tank_y - 0.14, tank_z + 0.1), (-0.15, tank_y, tank_z + 0.1), 0.016))
    toilet.add(steel, rounded_box(0.11, 0.02, 0.032, 0.009).at(-0.12, tank_y - 0.14, tank_z + 0.1))
    hole = lathe([(1.0, 0.0), (1.0, 0.025), (0.68, 0.025), (0.68, 0.0)], 34, loop=True, crease=30)
    toilet.add(seat, hole.scale(wide, reach).seen("z").at(0, -0.08, rim + 0.012))
    cover = lathe([(1.0, 0.0), (0.98, 0.022), (0.0, 0.03)], 34).scale(0.98 * wide, 0.98 * reach).seen("z")
    if chance(rng, 0.7):
        cover = cover.at(y=-reach).turn(x=-rng.uniform(98, 104)).at(0, 0.21, rim + 0.035)
    else:
        cover = cover.at(0, -0.08, rim + 0.034)
    roll = cylinder(0.055, 0.1, 18, bevel=0.006).at(0.12, tank_y, tank_z + tank_high / 2 + 0.07)
    return toilet.add(seat, cover).add(plain((0.93, 0.92, 0.89), 0.95), roll)


def _bowl(rim: float, reach: float, wide: float) -> Solid:
    """An egg-shaped bowl on a waisted foot."""
    outside = [(0.62, 0.0), (0.6, 0.04), (0.5, 0.3 * rim), (0.62, 0.55 * rim), (0.98, 0.86 * rim), (1.0, rim)]
    inside = [(0.74, rim + 0.005), (0.66, 0.75 * rim), (0.2, 0.45 * rim), (0.0, 0.43 * rim)]
    return lathe([*outside, *inside], 36).scale(wide, reach).at(y=-0.08)


def faucet(rng: np.random.Generator) -> Assembly:
    """A basin tap, its spout to the front: two cross handles, hot and cold, or one lever at the right."""
    steel = metal(rng) if chance(rng, 0.75) else dark(rng)
    height, reach = rng.uniform(0.5, 0.95), rng.uniform(0.5, 0.7)
    tap = Assembly().add(steel, lathe([(0.17, 0.0), (0.17, 0.05), (0.11, 0.09), (0.085, 0.2)], 28))
    if chance(rng, 0.6):
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
    tap.add(steel, bent_tube(neck, rng.uniform(0.062, 0.08), 26, 16))
    end = 0.72 * height if len(neck) == 5 else 0.68 * height
    mouth = cylinder(0.09, 0.12, 22, bevel=0.015).at(
        0, -reach + (0.0 if len(neck) == 5 else 0.03), end - 0.03
    )
    tap.add(plain(color(rng, PALE, VIVID), 0.5) if chance(rng, 0.4) else steel, mouth)
    if chance(rng, 0.6):
        tap.add(steel, rounded_box(0.86, 0.2, 0.08, 0.035, 2).at(z=0.05))
        for side, code in ((-1.0, 0xC8302A), (1.0, 0x2F6FC9)):
            _cross(tap, steel, plain(color(rng, (code,)), 0.5), side * 0.34)
        return tap
    plate = frustum(0.24, 0.22, 0.06, 28, bevel=0.012).at(z=0.024)
    hub = cylinder(0.085, 0.16, 20, bevel=0.015).turn(y=90).at(0.12, 0, 0.24)
    lever = bent_tube([(0.17, 0, 0.24), (0.26, -0.02, 0.3), (0.3, -0.04, 0.56)], [0.045, 0.035, 0.045], 10)
    return tap.add(steel, plate, hub).add(paint(rng) if chance(rng, 0.5) else steel, lever)


def _cross(tap: Assembly, steel: Skin, mark: Skin, x: float) -> None:
    """One cross handle on its stem, with the coloured button that tells hot from cold."""
    stem = lathe([(0.08, 0.04), (0.06, 0.1), (0.04, 0.16), (0.06, 0.2), (0.06, 0.27)], 18)
    tap.add(steel, stem.at(x))
    for angle, z in ((20.0, 0.235), (110.0, 0.229)):
        bar = rod((-0.14, 0, z), (0.14, 0, z), 0.028)
        knobs = [ellipsoid(0.04, 0.04, 0.04, 10, 7).at(s * 0.14, 0, z) for s in (-1, 1)]
        tap.add(steel, *(piece.turn(z=angle).at(x) for piece in (bar, *knobs)))
    tap.add(mark, cylinder(0.045, 0.05, 16, bevel=0.01).at(x, 0, 0.275))


def watering_can(rng: np.random.Generator) -> Assembly:
    """A watering can, the rose to the front, a handle behind and one above."""
    skin = paint(rng) if chance(rng, 0.7) else metal(rng)
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
    trim = metal(rng) if chance(rng, 0.5) else paint(rng)
    for z in (0.05, rng.uniform(0.35, 0.6) * height):
        radius = float(np.interp(z, [0.04, height], [bottom, top]))
        can.add(trim, ring(radius, 0.018, 32, 6).at(z=z))
    _rose(rng, can, (skin, trim), bottom, top, height)
    can.add(trim if chance(rng, 0.5) else timber(rng, 0.2), *_can_handles(bottom, top, height))
    half = cylinder(top - 0.02, 0.03, 30).warp(_front_half)
    can.add(skin, half.at(z=height + 0.004))
    return _daisy(rng, can, (bottom + top) / 2, 0.55 * height, pick(rng, (5, 6, 7)))


def _rose(
    rng: np.random.Generator,
    can: Assembly,
    skins: tuple[Skin, Skin],
    bottom: float,
    top: float,
    height: float,
) -> None:
    """The spout with its stay, and the rose at its end."""
    skin, trim = skins
    reach, rise = rng.uniform(0.55, 0.8), height * rng.uniform(0.95, 1.25)
    tip = (0.0, -bottom - reach, rise)
    spout = [(0, 0.1 - bottom, 0.16), (0, -bottom - 0.3 * reach, 0.35 * rise), tip]
    stay = rod((0, -top + 0.05, 0.85 * height), (0.0, 0.8 * tip[1], 0.83 * rise), 0.016)
    can.add(skin, bent_tube(spout, [0.11, 0.075, 0.05], 12, 14), stay)
    rose = lathe([(0.045, -0.04), (0.06, 0.03), (0.16, 0.13), (0.15, 0.165), (0.0, 0.18)], 24)
    can.add(trim, rose.turn(x=rng.uniform(50, 75)).at(*tip))


def _can_handles(bottom: float, top: float, height: float) -> tuple[Solid, Solid]:
    """One behind to pour by, one above to carry by."""
    behind = [(top - 0.05, 0.92), (top + 0.3, 0.95), (bottom + 0.26, 0.4), (bottom - 0.04, 0.26)]
    above = [(0.03 - top, -0.03), (-0.7 * top, 0.2), (0.6 * top, 0.22), (top - 0.03, -0.04)]
    return (
        bent_tube([(0, y, share * height) for y, share in behind], 0.035, 16),
        bent_tube([(0, y, height + rise) for y, rise in above], 0.03, 16),
    )


def _front_half(points: Array) -> Array:
    """Press the hind half of a disc flat: the lid that keeps the water in."""
    return points * np.where(points[:, 1:2] > 0.0, (1.0, 0.15, 1.0), (1.0, 1.0, 1.0))


def _daisy(rng: np.random.Generator, can: Assembly, radius: float, z: float, petals: int) -> Assembly:
    """A painted flower on the right wall."""
    skin, x = plain(color(rng, VIVID, PALE), 0.6), radius - 0.005
    for number in range(petals):
        petal = ellipsoid(0.04, 0.04, 0.075, 10, 7).at(z=0.1).turn(x=360.0 * number / petals)
        can.add(skin, petal.at(x, 0.0, z))
    return can.add(
        plain(color(rng, (0xF2C230,)), 0.6), ellipsoid(0.05, 0.05, 0.05, 12, 7).at(x + 0.01, 0.0, z)
    )
