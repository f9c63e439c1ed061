"""Vehicles that carry people: car, bus."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import fillet
from turntable.renderer.meshes.zoo.primitives import box, cylinder, extrude, loft_sections, rounded_box
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
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod
from turntable.renderer.meshes.zoo.vehicle_parts import (
    add_lamps,
    add_license_plate,
    add_wheel_pair,
    build_wheel,
)


def build_car(rng: np.random.Generator) -> Assembly:
    """Build a sedan, hatchback, station wagon or coupe: hood to the front, filler cap on one side."""
    length, width = rng.uniform(3.6, 4.6), rng.uniform(1.6, 1.8)
    belt, roof = rng.uniform(0.82, 0.95), rng.uniform(1.35, 1.55)
    radius = rng.uniform(0.3, 0.36)
    lacquer = make_plain_skin(draw_color(rng, VIVID, SOFT, METALS, PALE), 0.5)
    style = draw_item(rng, ("sedan", "hatchback", "station wagon", "coupe"))
    car = Assembly().add(lacquer, _build_car_body(length, width, belt))
    _add_cabin(rng, car, style, lacquer, (length, width, belt, roof))
    rubber, rim = (
        make_plain_skin(draw_color(rng, DARK), 0.9),
        make_plain_skin(draw_color(rng, METALS, PALE), 0.55),
    )
    wheel = build_wheel(radius, 0.24, rubber, rim, int(rng.integers(4, 8)))
    for y in (-0.33 * length, 0.28 * length):
        add_wheel_pair(car, wheel, width / 2 - 0.03, y, radius)
        arch = cylinder(radius + 0.07, width + 0.015, 24).rotate(y=90).translate(0, y, radius + 0.02)
        car.add(make_plain_skin((0.06, 0.06, 0.07), 0.95), arch)
    _add_car_trim(rng, car, length, width, belt)
    return car


def _build_car_body(length: float, width: float, belt: float) -> Solid:
    """Build the lower half, with the hood and the trunk lower toward the ends."""
    y = length / 2
    stations = [
        (-y, 0.36, 0.6, 0.78 * width),
        (-0.97 * y, 0.24, 0.7, 0.9 * width),
        (-0.75 * y, 0.2, belt - 0.13, 0.98 * width),
        (-0.36 * y, 0.2, belt - 0.02, width),
        (0.3 * y, 0.2, belt + 0.02, width),
        (0.75 * y, 0.2, belt, 0.98 * width),
        (0.96 * y, 0.26, belt - 0.06, 0.92 * width),
        (y, 0.36, belt - 0.14, 0.82 * width),
    ]
    return loft_sections(stations, 5.0, 28)


_ROOFS = {
    "sedan": (-0.36, -0.12, 0.24, 0.5),
    "hatchback": (-0.36, -0.12, 0.5, 0.86),
    "station wagon": (-0.36, -0.12, 0.82, 0.93),
    "coupe": (-0.26, 0.02, 0.22, 0.74),
}
"""Positions along a car of each style, as shares of half its length.

They are the start of the windshield, the start and the end of the roof, and the end of the rear window.
"""


def _add_cabin(
    rng: np.random.Generator,
    car: Assembly,
    style: str,
    lacquer: Skin,
    size: tuple[float, float, float, float],
) -> None:
    """Add the cabin: a glass body, a roof over it, pillars between the windows, and a rack on some cars."""
    length, width, belt, roof = size
    half = length / 2
    front, top_front, top_back, back = (share * half for share in _ROOFS[style])
    foot, pane = belt - 0.05, make_glass(rng)
    outline = fillet(
        [(front, foot), (top_front, roof), (top_back, roof), (back, foot)], (0.0, 0.18, 0.18, 0.0)
    )

    def narrow_upward(points: Array) -> Array:
        taper = 1.0 - 0.2 * np.clip((points[:, 2] - foot) / (roof - foot), 0.0, 1.0)
        return points * np.column_stack([taper, np.ones_like(taper), np.ones_like(taper)])

    car.add(pane, extrude(outline, 0.9 * width, along="x", bevel=0.03).warp(narrow_upward))
    lid = rounded_box(0.73 * width, top_back - top_front + 0.16, 0.07, 0.034, 2)
    car.add(lacquer, lid.translate(0, (top_front + top_back) / 2, roof - 0.005))
    x = 0.452 * width
    for low, high in (
        (front, top_front),
        (0.35 * (front + back), 0.5 * (top_front + top_back)),
        (back, top_back),
    ):
        for side in (-1.0, 1.0):
            car.add(lacquer, rod((side * x, low, foot), (side * 0.81 * x, high, roof - 0.02), 0.038))
    if style == "station wagon" or draw_bool(rng, 0.25):
        _add_luggage(rng, car, width, (top_front + top_back) / 2, roof)


def _add_luggage(rng: np.random.Generator, car: Assembly, width: float, y: float, roof: float) -> None:
    """Add a rack with two suitcases, off its center."""
    steel = make_metal(rng)
    for shift in (-0.3, 0.3):
        car.add(
            steel, rod((-0.38 * width, y + shift, roof + 0.07), (0.38 * width, y + shift, roof + 0.07), 0.022)
        )
        car.add_mirrored(
            steel, rod((0.3 * width, y + shift, roof - 0.02), (0.3 * width, y + shift, roof + 0.07), 0.02)
        )
    side = draw_item(rng, (-1.0, 1.0))
    car.add(make_paint(rng), rounded_box(0.5, 0.75, 0.2, 0.05).translate(side * 0.22, y, roof + 0.18))
    car.add(make_paint(rng), rounded_box(0.4, 0.5, 0.15, 0.04).translate(side * 0.2, y, roof + 0.34))


def _add_car_trim(rng: np.random.Generator, car: Assembly, length: float, width: float, belt: float) -> None:
    """Add bumpers, lamps, grille, license plate, mirrors, handles, filler cap and exhaust."""
    half, steel, black = length / 2, make_metal(rng), make_dark_skin(rng)
    for y in (-half + 0.02, half - 0.02):
        car.add(
            steel if draw_bool(rng, 0.5) else black,
            rounded_box(0.94 * width, 0.16, 0.15, 0.06, 2).translate(0, y, 0.4),
        )
    add_lamps(rng, car, 0.34 * width, -half + 0.025, half - 0.04, 0.62, 0.1)
    slots = make_textured_skin(textures.make_grille(draw_color(rng, METALS), 4), 0.2, 0.6)
    car.add(slots, rounded_box(0.36 * width, 0.08, 0.14, 0.03).translate(0, -half + 0.01, 0.58))
    add_license_plate(rng, car, 0.0, -half - 0.06, 0.4, 0.42)
    car.add_mirrored(
        black, rounded_box(0.16, 0.08, 0.11, 0.03).translate(width / 2 + 0.06, -0.2 * half, belt + 0.08)
    )
    for y in (-0.02 * half, 0.3 * half):
        car.add_mirrored(steel, rounded_box(0.03, 0.17, 0.03, 0.01).translate(width / 2, y, belt - 0.13))
    car.add(black, cylinder(0.075, 0.03, 16).rotate(y=90).translate(0.495 * width, 0.62 * half, belt - 0.14))
    car.add(
        steel,
        bent_tube(
            [(-0.3 * width, half, 0.24), (-0.3 * width, half + 0.05, 0.23), (-0.3 * width, half + 0.1, 0.22)],
            0.04,
        ),
    )


def build_bus(rng: np.random.Generator) -> Assembly:
    """Build a city bus of one or two decks: doors on its right side, destination over the windshield."""
    decks = 2 if draw_bool(rng, 0.4) else 1
    length, width, height = rng.uniform(6.5, 8.5), 2.2, (3.0 if decks == 1 else 4.2)
    first, second = draw_two_colors(rng, VIVID, PALE, SOFT)
    body, band, pane = make_plain_skin(first, 0.55), make_plain_skin(second, 0.55), make_glass(rng)
    bus = Assembly()
    _add_bus_body(rng, bus, body, band, (length, width, height))
    for z in (1.85,) if decks == 1 else (1.75, 3.35):
        _add_windows(bus, pane, body, length, width, z)
    bus.add(pane, rounded_box(0.88 * width, 0.1, 1.1, 0.1, 2).translate(0, -length / 2, 1.75))
    frame = make_dark_skin(rng)
    for y in (-0.39 * length, 0.03 * length):
        bus.add(frame, box(0.1, 1.05, 1.95).translate(-width / 2 + 0.01, y, 1.38))
        for leaf in (-0.24, 0.24):
            bus.add(pane, box(0.1, 0.4, 1.7).translate(-width / 2 - 0.01, y + leaf, 1.4))
    wheel = build_wheel(0.46, 0.34, make_dark_skin(rng), make_metal(rng), int(rng.integers(5, 8)))
    for y in (-0.25 * length, rng.uniform(0.16, 0.22) * length):
        bus.add(
            make_plain_skin((0.06, 0.06, 0.07), 0.95),
            cylinder(0.55, width + 0.02, 24).rotate(y=90).translate(0, y, 0.5),
        )
        add_wheel_pair(bus, wheel, width / 2 - 0.05, y, 0.46)
    add_lamps(rng, bus, 0.38 * width, -length / 2 - 0.005, length / 2, 0.68, 0.13)
    mirror = rounded_box(0.12, 0.2, 0.42, 0.05).translate(width / 2 + 0.18, -length / 2 - 0.1, 2.1)
    arm = rod((width / 2 - 0.06, -length / 2 + 0.1, 2.35), (width / 2 + 0.18, -length / 2 - 0.1, 2.25), 0.035)
    return bus.add_mirrored(frame, mirror, arm)


def _add_bus_body(
    rng: np.random.Generator, bus: Assembly, body: Skin, band: Skin, size: tuple[float, float, float]
) -> None:
    """Add the body: rear third in another color, a band, signs, cooler on the roof, engine behind."""
    length, width, height = size
    tall, rear = height - 0.35, rng.uniform(0.28, 0.36) * length
    bus.add(body, rounded_box(width, length, tall, 0.22, 3).translate(z=tall / 2 + 0.35))
    tail = rounded_box(width + 0.014, rear, tall + 0.014, 0.2, 2)
    bus.add(band, tail.translate(0, (length - rear) / 2 + 0.007, tall / 2 + 0.35))
    bus.add(band, rounded_box(width + 0.04, length + 0.04, 0.3, 0.1, 2).translate(z=rng.uniform(0.75, 1.05)))
    sign = make_textured_skin(textures.make_badge(rng, (0.08, 0.08, 0.09), (0.98, 0.75, 0.15)), 1.0, 0.6)
    bus.add(
        sign, box(0.7 * width, 0.1, 0.32).translate(0, -length / 2 - 0.01, height - 0.32).stretch_texture("y")
    )
    poster = make_textured_skin(textures.make_badge(rng, *draw_two_colors(rng, VIVID, PALE)), 1.0, 0.6)
    bus.add(
        poster,
        box(0.1, 0.26 * length, 0.5).translate(width / 2 - 0.01, -0.02 * length, 0.92).stretch_texture("x"),
    )
    steel, slots = (
        make_metal(rng),
        make_textured_skin(textures.make_grille(draw_color(rng, DARK, METALS), 6), 0.8, 0.7),
    )
    bus.add(steel, rounded_box(1.3, 2.0, 0.3, 0.1).translate(0.15, 0.26 * length, height + 0.07))
    bus.add(slots, rounded_box(0.8 * width, 0.4, 0.75, 0.08, 2).translate(0, length / 2, 0.85))


def _add_windows(bus: Assembly, pane: Skin, body: Skin, length: float, width: float, z: float) -> None:
    """Add a ribbon of glass around the sides and the back, divided by posts."""
    bus.add(pane, rounded_box(width + 0.03, 0.92 * length, 0.78, 0.03).translate(0, 0.01 * length, z))
    bus.add(pane, box(0.8 * width, 0.1, 0.7).translate(0, length / 2 - 0.02, z))
    posts = np.linspace(-0.38, 0.4, 6)
    bus.add(body, *(box(width + 0.055, 0.1, 0.84).translate(0, share * length, z) for share in posts))
    if z > 2.5:
        bus.add(pane, rounded_box(0.88 * width, 0.1, 0.75, 0.08, 2).translate(0, -length / 2, z))
