"""Vehicles that carry or pull loads: truck, tractor."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import fillet, spline
from turntable.renderer.meshes.zoo.primitives import (
    box,
    cylinder,
    ellipsoid,
    extrude,
    lathe,
    loft,
    rounded_box,
)
from turntable.renderer.meshes.zoo.skins import (
    DARK,
    METALS,
    PALE,
    SOFT,
    VIVID,
    Skin,
    draw_bool,
    draw_color,
    draw_item,
    draw_two_colors,
    make_dark_skin,
    make_glass,
    make_metal,
    make_paint,
    make_plain_skin,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod, tube
from turntable.renderer.meshes.zoo.textured_skins import make_boards
from turntable.renderer.meshes.zoo.vehicle_parts import (
    add_license_plate,
    add_wheel_pair,
    build_steering_wheel,
    build_wheel,
)


def build_truck(rng: np.random.Generator) -> Assembly:
    """Build a truck, cab to the front, with a box, a tank or an open bed with crates behind."""
    cab_skin, width = make_plain_skin(draw_color(rng, VIVID, SOFT), 0.55), 2.1
    length = rng.uniform(5.2, 7.0)
    front, cab = -length / 2, rng.uniform(1.5, 1.9)
    roof = rng.uniform(2.3, 2.7)
    truck = Assembly().add(make_dark_skin(rng), box(0.9, length - 0.5, 0.22).translate(0, 0.2, 0.66))
    _add_cab(rng, truck, cab_skin, width, front, cab, roof)
    start, end = front + cab + 0.22, length / 2
    cargo = draw_item(rng, ("box", "tank", "bed"))
    {"box": _add_cargo_box, "tank": _add_cargo_tank, "bed": _add_cargo_bed}[cargo](
        rng, truck, width, (start, end), roof
    )
    wheel = build_wheel(0.48, 0.36, make_dark_skin(rng), make_metal(rng), int(rng.integers(4, 8)))
    for y in (front + 0.75, end - 0.75, end - 1.8):
        add_wheel_pair(truck, wheel, width / 2 - 0.16, y, 0.48)
    pipe = [
        (0.8 * width / 2, front + cab + 0.08, 0.7),
        (0.8 * width / 2, front + cab + 0.08, roof),
        (0.8 * width / 2, front + cab + 0.2, roof + 0.35),
    ]
    truck.add(make_metal(rng), bent_tube(pipe, 0.075, 10))
    return truck.add(
        make_metal(rng),
        cylinder(0.3, 1.1, 20, bevel=0.05).rotate(x=90).translate(-0.7, front + cab + 0.9, 0.62),
    )


def _add_cab(
    rng: np.random.Generator,
    truck: Assembly,
    skin: Skin,
    width: float,
    front: float,
    deep: float,
    roof: float,
) -> None:
    """Add the driver's cab: windshield, side windows, grille, bumper, lamps, mirrors, a horn on one side."""
    pane, black = make_glass(rng), make_dark_skin(rng)
    outline = [(front, 0.5), (front + deep, 0.5), (front + deep, roof), (front + 0.35, roof), (front, 1.45)]
    truck.add(skin, extrude(fillet(outline, (0.1, 0.08, 0.2, 0.25, 0.2)), width, along="x", bevel=0.07))
    slope = np.degrees(np.arctan2(0.35, roof - 1.45))
    truck.add(
        pane,
        rounded_box(0.86 * width, 0.12, 0.72 * (roof - 1.45), 0.05)
        .rotate(x=-slope)
        .translate(0, front + 0.19, (roof + 1.45) / 2),
    )
    truck.add(pane, box(width + 0.02, 0.55 * deep, 0.6).translate(0, front + 0.62 * deep, roof - 0.55))
    truck.add(
        make_textured_skin(textures.make_grille(draw_color(rng, METALS), 5), 0.5, 0.6),
        rounded_box(0.6 * width, 0.1, 0.5, 0.04).translate(0, front, 1.1),
    )
    truck.add(black, rounded_box(width + 0.06, 0.3, 0.32, 0.08, 2).translate(0, front + 0.02, 0.58))
    truck.add_mirrored(
        make_plain_skin((0.97, 0.95, 0.82), 0.5),
        cylinder(0.14, 0.12, 18, bevel=0.03).rotate(x=90).translate(0.4 * width, front, 0.92),
    )
    truck.add_mirrored(
        black, rounded_box(0.1, 0.1, 0.4, 0.03).translate(width / 2 + 0.18, front + 0.15, 1.75)
    )
    truck.add_mirrored(
        black, rod((width / 2 - 0.1, front + 0.3, 1.9), (width / 2 + 0.18, front + 0.15, 1.85), 0.03)
    )
    horn = lathe([(0.03, 0.0), (0.035, 0.3), (0.1, 0.45), (0.0, 0.4)], 14).rotate(x=90)
    truck.add(make_metal(rng), horn.translate(-0.3 * width, front + 0.75, roof + 0.06))
    add_license_plate(rng, truck, 0.0, front - 0.13, 0.6, 0.5)


def _add_cargo_box(
    rng: np.random.Generator, truck: Assembly, width: float, ends: tuple[float, float], roof: float
) -> None:
    """Add a closed box with a poster on each side."""
    start, end = ends
    middle, high = (start + end) / 2, roof - 0.75 + rng.uniform(0.1, 0.5)
    first, second = draw_two_colors(rng, VIVID, PALE, SOFT)
    truck.add(
        make_plain_skin(first, 0.6),
        rounded_box(width + 0.1, end - start, high, 0.06).translate(0, middle, 0.8 + high / 2),
    )
    poster = make_textured_skin(textures.make_badge(rng, second, first), 1.0, 0.6)
    for x, axis in ((1.0, 1.0), (-1.0, -1.0)):
        sign = (
            box(0.06, 0.7 * (end - start), 0.6 * high)
            .stretch_texture("x")
            .rotate(z=0.0 if axis > 0 else 180.0)
        )
        truck.add(poster, sign.translate(x * (width / 2 + 0.04), middle, 0.8 + 0.52 * high))
    truck.add(make_metal(rng), box(0.05, 0.06, 0.9 * high).translate(0.06, end + 0.01, 0.8 + high / 2))


def _add_cargo_tank(
    rng: np.random.Generator, truck: Assembly, width: float, ends: tuple[float, float], roof: float
) -> None:
    """Add a tank with hoops."""
    start, end = ends
    radius, y = 0.36 * (roof - 0.5), (start + end) / 2
    tank, hoop = make_plain_skin(draw_color(rng, METALS, PALE, VIVID), 0.55), make_paint(rng)
    deep = end - start
    profile = [(0.0, -deep / 2), (0.7 * radius, 0.06 - deep / 2), (radius, 0.25 - deep / 2)]
    profile += [(r, -z) for r, z in profile[::-1]]
    z = 0.82 + radius
    truck.add(tank, lathe(profile, 30).rotate(x=90).scale(x=1.12).translate(0, y, z))
    for share in (-0.3, 0.0, 0.3):
        truck.add(
            hoop,
            cylinder(1.02 * radius, 0.1, 30).rotate(x=90).scale(x=1.12).translate(0, y + share * deep, z),
        )
    truck.add(hoop, cylinder(0.24, 0.3, 18, bevel=0.04).translate(0.1, y - 0.15 * deep, z + radius))
    truck.add_mirrored(make_metal(rng), box(0.16, 0.85 * deep, 0.2).translate(0.4, y, 0.88))
    truck.add(hoop, box(0.08, 0.5, 0.4).translate(0.5 * width, y, 0.7))


def _add_cargo_bed(
    rng: np.random.Generator, truck: Assembly, width: float, ends: tuple[float, float], roof: float
) -> None:
    """Add an open bed with crates."""
    start, end = ends
    y, deep, side = (start + end) / 2, end - start, make_boards(rng, 0.8)
    truck.add(side, box(width, deep, 0.14).translate(0, y, 0.85))
    truck.add_mirrored(side, box(0.09, deep + 0.02, 0.6).translate(width / 2, y, 1.12))
    truck.add(
        side,
        *(
            box(width - 0.02, 0.09, 0.58).translate(0, board_y, 1.12)
            for board_y in (start + 0.03, end - 0.03)
        ),
    )
    rack = [(0.42 * width * share, start - 0.04) for share in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    steel = make_metal(rng)
    truck.add(steel, *(rod((x, rack_y, 0.85), (x, rack_y, roof - 0.2), 0.035) for x, rack_y in rack))
    truck.add(
        steel, rod((-0.45 * width, start - 0.04, roof - 0.2), (0.45 * width, start - 0.04, roof - 0.2), 0.045)
    )
    for number in range(int(rng.integers(3, 6))):
        size = rng.uniform(0.55, 0.85)
        crate_y = start + 0.6 + (deep - 1.2) * number / 4
        x = (-1) ** number * rng.uniform(0.42, 0.5)
        crate = rounded_box(size, size, size, 0.03).rotate(z=rng.uniform(-15, 15))
        truck.add(
            make_boards(rng, 0.5) if draw_bool(rng, 0.5) else make_paint(rng),
            crate.translate(x, crate_y, 0.9 + size / 2),
        )


def build_tractor(rng: np.random.Generator) -> Assembly:
    """Build a tractor: hood to the front, large wheels behind, a roof or a roll bar over the seat."""
    skin, rim = make_paint(rng), make_plain_skin(draw_color(rng, VIVID, PALE), 0.55)
    big, small = rng.uniform(0.75, 0.9), rng.uniform(0.36, 0.46)
    hood = rng.uniform(1.2, 1.5)
    tractor = Assembly().add(skin, rounded_box(0.66, hood, 0.62, 0.12, 3).translate(0, -hood / 2 - 0.1, 1.0))
    tractor.add(make_dark_skin(rng), box(0.42, hood + 0.9, 0.36).translate(0, -hood / 2 + 0.25, 0.66))
    slots = make_textured_skin(textures.make_grille(draw_color(rng, DARK, METALS), 6), 0.5, 0.7)
    tractor.add(slots, rounded_box(0.5, 0.08, 0.46, 0.03).translate(0, -hood - 0.1, 0.98))
    tractor.add_mirrored(
        make_plain_skin((0.97, 0.95, 0.82), 0.5),
        ellipsoid(0.1, 0.06, 0.1, 14, 7).translate(0.36, -hood, 1.12),
    )
    rubber = make_plain_skin(draw_color(rng, DARK), 0.95)
    add_wheel_pair(tractor, _add_cleats(build_wheel(big, 0.42, rubber, rim, 6), big, rubber), 0.72, 0.45, big)
    add_wheel_pair(tractor, build_wheel(small, 0.26, rubber, rim, 5), 0.55, 0.25 - hood, small)
    tractor.add(
        make_dark_skin(rng),
        rod((-0.55, 0.25 - hood, small), (0.55, 0.25 - hood, small), 0.05),
        rod((-0.7, 0.45, big), (0.7, 0.45, big), 0.1),
    )
    fender = [
        (0.72, 0.45 + (big + 0.09) * np.cos(a), big + (big + 0.09) * np.sin(a))
        for a in np.radians(np.linspace(0, 150, 12))
    ]
    tractor.add_mirrored(skin, _build_band(fender, 0.46))
    seat, steel = make_dark_skin(rng), make_metal(rng)
    tractor.add(
        seat,
        rounded_box(0.46, 0.44, 0.14, 0.06, 2).translate(0, 0.5, 1.12),
        rounded_box(0.46, 0.12, 0.42, 0.05, 2).rotate(x=-10).translate(0, 0.72, 1.35),
    )
    tractor.add(skin, rounded_box(0.6, 0.94, 0.3, 0.06).translate(0, 0.35, 0.92))
    tractor.add_assembly(build_steering_wheel(seat, 0.19).place(at=(0.0, 0.12, 1.5)))
    pipe = [(0.22, -0.6 * hood, 1.2), (0.22, -0.6 * hood, 1.75), (0.22, -0.6 * hood + 0.05, 1.9)]
    tractor.add(steel, bent_tube(pipe, 0.05, 8)).add(
        make_dark_skin(rng), cylinder(0.075, 0.3, 14, bevel=0.02).translate(0.22, -0.6 * hood, 1.55)
    )
    return _add_tractor_roof(rng, tractor, skin)


def _add_tractor_roof(rng: np.random.Generator, tractor: Assembly, skin: Skin) -> Assembly:
    """Add a canopy on four posts, or a roll bar, and a beacon on one side."""
    black, high = make_dark_skin(rng), rng.uniform(2.05, 2.3)
    if draw_bool(rng, 0.6):
        for y in (0.05, 0.95):
            tractor.add_mirrored(black, rod((0.36, y, 0.95), (0.42, y, high), 0.035))
        tractor.add(skin, rounded_box(1.1, 1.25, 0.1, 0.045, 2).translate(0, 0.48, high))
    else:
        bar = [
            (-0.36, 0.95, 0.9),
            (-0.36, 0.97, high - 0.1),
            (0, 0.97, high),
            (0.36, 0.97, high - 0.1),
            (0.36, 0.95, 0.9),
        ]
        tractor.add(black, tube(spline(bar, 20), 0.045, 10))
    beacon = lathe([(0.09, -0.03), (0.08, 0.12), (0.0, 0.16)], 16).translate(-0.3, 0.9, high + 0.02)
    return tractor.add(make_plain_skin((0.95, 0.5, 0.06), 0.5), beacon)


def _add_cleats(wheel: Assembly, radius: float, rubber: Skin) -> Assembly:
    """Add bars across the tire of a wheel, and return the wheel."""
    for number in range(16):
        bar = box(0.4, 0.1, 0.09).rotate(z=18).translate(z=radius).rotate(x=22.5 * number)
        wheel.add(rubber, bar)
    return wheel


def _build_band(path: list[tuple[float, float, float]], width: float) -> Solid:
    """Build a bent sheet across x along a path."""
    points = np.array(path)
    half = np.array([width / 2, 0.0, 0.0])
    inward = (points - points.mean(axis=0)) * (0.0, 0.05, 0.05)
    rings = np.stack([points - half - inward, points + half - inward, points + half, points - half], axis=1)
    return loft(rings, crease=40.0)
