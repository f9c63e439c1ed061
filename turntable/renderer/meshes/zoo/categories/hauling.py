"""On the road and the field with a load: truck, tractor."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.materials import boards
from turntable.renderer.meshes.zoo.outlines import curve, fillet
from turntable.renderer.meshes.zoo.palette import (
    DARK,
    METALS,
    PALE,
    SOFT,
    VIVID,
    Skin,
    chance,
    color,
    dark,
    glass,
    metal,
    paint,
    pick,
    plain,
    printed,
    two_colors,
)
from turntable.renderer.meshes.zoo.primitives import (
    box,
    cylinder,
    ellipsoid,
    extrude,
    lathe,
    loft,
    rounded_box,
)
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod, tube
from turntable.renderer.meshes.zoo.wheels import driving_wheel, mount, plate, wheel


def truck(rng: np.random.Generator) -> Assembly:
    """A lorry: cab in front, and behind it a box, a tank or an open bed with crates; exhaust at one side."""
    cab_skin, width = plain(color(rng, VIVID, SOFT), 0.55), 2.1
    length = rng.uniform(5.2, 7.0)
    front, cab = -length / 2, rng.uniform(1.5, 1.9)
    roof = rng.uniform(2.3, 2.7)
    truck = Assembly().add(dark(rng), box(0.9, length - 0.5, 0.22).at(0, 0.2, 0.66))
    _cab(rng, truck, cab_skin, width, front, cab, roof)
    start, end = front + cab + 0.22, length / 2
    kind = pick(rng, ("box", "tank", "bed"))
    {"box": _cargo_box, "tank": _cargo_tank, "bed": _cargo_bed}[kind](rng, truck, width, (start, end), roof)
    one = wheel(0.48, 0.36, dark(rng), metal(rng), int(rng.integers(4, 8)))
    for y in (front + 0.75, end - 0.75, end - 1.8):
        mount(truck, one, width / 2 - 0.16, y, 0.48)
    pipe = [
        (0.8 * width / 2, front + cab + 0.08, 0.7),
        (0.8 * width / 2, front + cab + 0.08, roof),
        (0.8 * width / 2, front + cab + 0.2, roof + 0.35),
    ]
    truck.add(metal(rng), bent_tube(pipe, 0.075, 10))
    return truck.add(
        metal(rng), cylinder(0.3, 1.1, 20, bevel=0.05).turn(x=90).at(-0.7, front + cab + 0.9, 0.62)
    )


def _cab(
    rng: np.random.Generator,
    truck: Assembly,
    skin: Skin,
    width: float,
    front: float,
    deep: float,
    roof: float,
) -> None:
    """The driver's cab: windscreen, side windows, grille, bumper, lamps, mirrors, horns on one side."""
    pane, black = glass(rng), dark(rng)
    outline = [(front, 0.5), (front + deep, 0.5), (front + deep, roof), (front + 0.35, roof), (front, 1.45)]
    truck.add(skin, extrude(fillet(outline, (0.1, 0.08, 0.2, 0.25, 0.2)), width, along="x", bevel=0.07))
    slope = np.degrees(np.arctan2(0.35, roof - 1.45))
    truck.add(
        pane,
        rounded_box(0.86 * width, 0.12, 0.72 * (roof - 1.45), 0.05)
        .turn(x=-slope)
        .at(0, front + 0.19, (roof + 1.45) / 2),
    )
    truck.add(pane, box(width + 0.02, 0.55 * deep, 0.6).at(0, front + 0.62 * deep, roof - 0.55))
    truck.add(
        printed(textures.grille(color(rng, METALS), 5), 0.5, 0.6),
        rounded_box(0.6 * width, 0.1, 0.5, 0.04).at(0, front, 1.1),
    )
    truck.add(black, rounded_box(width + 0.06, 0.3, 0.32, 0.08, 2).at(0, front + 0.02, 0.58))
    truck.pair(
        plain((0.97, 0.95, 0.82), 0.5),
        cylinder(0.14, 0.12, 18, bevel=0.03).turn(x=90).at(0.4 * width, front, 0.92),
    )
    truck.pair(black, rounded_box(0.1, 0.1, 0.4, 0.03).at(width / 2 + 0.18, front + 0.15, 1.75))
    truck.pair(black, rod((width / 2 - 0.1, front + 0.3, 1.9), (width / 2 + 0.18, front + 0.15, 1.85), 0.03))
    horn = lathe([(0.03, 0.0), (0.035, 0.3), (0.1, 0.45), (0.0, 0.4)], 14).turn(x=90)
    truck.add(metal(rng), horn.at(-0.3 * width, front + 0.75, roof + 0.06))
    plate(rng, truck, 0.0, front - 0.13, 0.6, 0.5)


def _cargo_box(
    rng: np.random.Generator, truck: Assembly, width: float, ends: tuple[float, float], roof: float
) -> None:
    start, end = ends
    middle, high = (start + end) / 2, roof - 0.75 + rng.uniform(0.1, 0.5)
    first, second = two_colors(rng, VIVID, PALE, SOFT)
    truck.add(
        plain(first, 0.6), rounded_box(width + 0.1, end - start, high, 0.06).at(0, middle, 0.8 + high / 2)
    )
    advert = printed(textures.label(rng, second, first), 1.0, 0.6)
    for x, axis in ((1.0, 1.0), (-1.0, -1.0)):
        sign = box(0.06, 0.7 * (end - start), 0.6 * high).decal("x").turn(z=0.0 if axis > 0 else 180.0)
        truck.add(advert, sign.at(x * (width / 2 + 0.04), middle, 0.8 + 0.52 * high))
    truck.add(metal(rng), box(0.05, 0.06, 0.9 * high).at(0.06, end + 0.01, 0.8 + high / 2))


def _cargo_tank(
    rng: np.random.Generator, truck: Assembly, width: float, ends: tuple[float, float], roof: float
) -> None:
    start, end = ends
    radius, y = 0.36 * (roof - 0.5), (start + end) / 2
    tank, hoop = plain(color(rng, METALS, PALE, VIVID), 0.55), paint(rng)
    deep = end - start
    profile = [(0.0, -deep / 2), (0.7 * radius, 0.06 - deep / 2), (radius, 0.25 - deep / 2)]
    profile += [(r, -z) for r, z in profile[::-1]]
    z = 0.82 + radius
    truck.add(tank, lathe(profile, 30).turn(x=90).scale(x=1.12).at(0, y, z))
    for share in (-0.3, 0.0, 0.3):
        truck.add(hoop, cylinder(1.02 * radius, 0.1, 30).turn(x=90).scale(x=1.12).at(0, y + share * deep, z))
    truck.add(hoop, cylinder(0.24, 0.3, 18, bevel=0.04).at(0.1, y - 0.15 * deep, z + radius))
    truck.pair(metal(rng), box(0.16, 0.85 * deep, 0.2).at(0.4, y, 0.88))
    truck.add(hoop, box(0.08, 0.5, 0.4).at(0.5 * width, y, 0.7))


def _cargo_bed(
    rng: np.random.Generator, truck: Assembly, width: float, ends: tuple[float, float], roof: float
) -> None:
    start, end = ends
    y, deep, side = (start + end) / 2, end - start, boards(rng, 0.8)
    truck.add(side, box(width, deep, 0.14).at(0, y, 0.85))
    truck.pair(side, box(0.09, deep + 0.02, 0.6).at(width / 2, y, 1.12))
    truck.add(
        side, *(box(width - 0.02, 0.09, 0.58).at(0, place, 1.12) for place in (start + 0.03, end - 0.03))
    )
    rack = [(0.42 * width * share, start - 0.04) for share in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    steel = metal(rng)
    truck.add(steel, *(rod((x, place, 0.85), (x, place, roof - 0.2), 0.035) for x, place in rack))
    truck.add(
        steel, rod((-0.45 * width, start - 0.04, roof - 0.2), (0.45 * width, start - 0.04, roof - 0.2), 0.045)
    )
    for number in range(int(rng.integers(3, 6))):
        size = rng.uniform(0.55, 0.85)
        place = start + 0.6 + (deep - 1.2) * number / 4
        x = (-1) ** number * rng.uniform(0.42, 0.5)
        crate = rounded_box(size, size, size, 0.03).turn(z=rng.uniform(-15, 15))
        truck.add(boards(rng, 0.5) if chance(rng, 0.5) else paint(rng), crate.at(x, place, 0.9 + size / 2))


def tractor(rng: np.random.Generator) -> Assembly:
    """A tractor: bonnet to the front, large wheels behind, a chimney, a roof or a bar over the seat."""
    skin, rim = paint(rng), plain(color(rng, VIVID, PALE), 0.55)
    big, small = rng.uniform(0.75, 0.9), rng.uniform(0.36, 0.46)
    bonnet = rng.uniform(1.2, 1.5)
    tractor = Assembly().add(skin, rounded_box(0.66, bonnet, 0.62, 0.12, 3).at(0, -bonnet / 2 - 0.1, 1.0))
    tractor.add(dark(rng), box(0.42, bonnet + 0.9, 0.36).at(0, -bonnet / 2 + 0.25, 0.66))
    slots = printed(textures.grille(color(rng, DARK, METALS), 6), 0.5, 0.7)
    tractor.add(slots, rounded_box(0.5, 0.08, 0.46, 0.03).at(0, -bonnet - 0.1, 0.98))
    tractor.pair(plain((0.97, 0.95, 0.82), 0.5), ellipsoid(0.1, 0.06, 0.1, 14, 7).at(0.36, -bonnet, 1.12))
    rubber = plain(color(rng, DARK), 0.95)
    mount(tractor, _cleated(wheel(big, 0.42, rubber, rim, 6), big, rubber), 0.72, 0.45, big)
    mount(tractor, wheel(small, 0.26, rubber, rim, 5), 0.55, 0.25 - bonnet, small)
    tractor.add(
        dark(rng),
        rod((-0.55, 0.25 - bonnet, small), (0.55, 0.25 - bonnet, small), 0.05),
        rod((-0.7, 0.45, big), (0.7, 0.45, big), 0.1),
    )
    fender = [
        (0.72, 0.45 + (big + 0.09) * np.cos(a), big + (big + 0.09) * np.sin(a))
        for a in np.radians(np.linspace(0, 150, 12))
    ]
    tractor.pair(skin, _band(fender, 0.46))
    seat, steel = dark(rng), metal(rng)
    tractor.add(
        seat,
        rounded_box(0.46, 0.44, 0.14, 0.06, 2).at(0, 0.5, 1.12),
        rounded_box(0.46, 0.12, 0.42, 0.05, 2).turn(x=-10).at(0, 0.72, 1.35),
    )
    tractor.add(skin, rounded_box(0.6, 0.94, 0.3, 0.06).at(0, 0.35, 0.92))
    tractor.include(driving_wheel(seat, 0.19).placed(at=(0.0, 0.12, 1.5)))
    pipe = [(0.22, -0.6 * bonnet, 1.2), (0.22, -0.6 * bonnet, 1.75), (0.22, -0.6 * bonnet + 0.05, 1.9)]
    tractor.add(steel, bent_tube(pipe, 0.05, 8)).add(
        dark(rng), cylinder(0.075, 0.3, 14, bevel=0.02).at(0.22, -0.6 * bonnet, 1.55)
    )
    return _tractor_roof(rng, tractor, skin)


def _tractor_roof(rng: np.random.Generator, tractor: Assembly, skin: Skin) -> Assembly:
    """A canopy on four posts, or a roll bar; a lamp on one side of it."""
    black, high = dark(rng), rng.uniform(2.05, 2.3)
    if chance(rng, 0.6):
        for y in (0.05, 0.95):
            tractor.pair(black, rod((0.36, y, 0.95), (0.42, y, high), 0.035))
        tractor.add(skin, rounded_box(1.1, 1.25, 0.1, 0.045, 2).at(0, 0.48, high))
    else:
        bar = [
            (-0.36, 0.95, 0.9),
            (-0.36, 0.97, high - 0.1),
            (0, 0.97, high),
            (0.36, 0.97, high - 0.1),
            (0.36, 0.95, 0.9),
        ]
        tractor.add(black, tube(curve(bar, 20), 0.045, 10))
    beacon = lathe([(0.09, -0.03), (0.08, 0.12), (0.0, 0.16)], 16).at(-0.3, 0.9, high + 0.02)
    return tractor.add(plain((0.95, 0.5, 0.06), 0.5), beacon)


def _cleated(one: Assembly, radius: float, rubber: Skin) -> Assembly:
    """The same wheel with bars across its tyre."""
    for number in range(16):
        bar = box(0.4, 0.1, 0.09).turn(z=18).at(z=radius).turn(x=22.5 * number)
        one.add(rubber, bar)
    return one


def _band(path: list[tuple[float, float, float]], width: float) -> Solid:
    """A bent sheet across x along a path."""
    points = np.array(path)
    half = np.array([width / 2, 0.0, 0.0])
    inward = (points - points.mean(axis=0)) * (0.0, 0.05, 0.05)
    rings = np.stack([points - half - inward, points + half - inward, points + half, points - half], axis=1)
    return loft(rings, crease=40.0)
