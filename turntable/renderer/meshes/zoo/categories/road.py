"""On the road with people in them: car, bus."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.outlines import fillet
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
from turntable.renderer.meshes.zoo.primitives import box, cylinder, extrude, hull, rounded_box
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod
from turntable.renderer.meshes.zoo.wheels import lamps, mount, plate, wheel


def car(rng: np.random.Generator) -> Assembly:
    """A saloon, hatchback, estate or pick-up: bonnet to the front, wheel and filler cap on their sides."""
    length, width = rng.uniform(3.6, 4.6), rng.uniform(1.6, 1.8)
    belt, roof = rng.uniform(0.82, 0.95), rng.uniform(1.35, 1.55)
    radius = rng.uniform(0.3, 0.36)
    lacquer = plain(color(rng, VIVID, SOFT, METALS, PALE), 0.5)
    style = pick(rng, ("saloon", "hatchback", "estate", "coupe"))
    car = Assembly().add(lacquer, _car_body(length, width, belt))
    _greenhouse(rng, car, style, lacquer, (length, width, belt, roof))
    rubber, rim = plain(color(rng, DARK), 0.9), plain(color(rng, METALS, PALE), 0.55)
    one = wheel(radius, 0.24, rubber, rim, int(rng.integers(4, 8)))
    for y in (-0.33 * length, 0.28 * length):
        mount(car, one, width / 2 - 0.03, y, radius)
        arch = cylinder(radius + 0.07, width + 0.015, 24).turn(y=90).at(0, y, radius + 0.02)
        car.add(plain((0.06, 0.06, 0.07), 0.95), arch)
    _car_trim(rng, car, length, width, belt)
    return car


def _car_body(length: float, width: float, belt: float) -> Solid:
    """The lower half, bonnet and boot falling towards the ends."""
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
    return hull(stations, 5.0, 28)


_ROOFS = {
    "saloon": (-0.36, -0.12, 0.24, 0.5),
    "hatchback": (-0.36, -0.12, 0.5, 0.86),
    "estate": (-0.36, -0.12, 0.82, 0.93),
    "coupe": (-0.26, 0.02, 0.22, 0.74),
}
"""Where, in half lengths, the windscreen starts, the roof starts and ends, and the rear window ends."""


def _greenhouse(
    rng: np.random.Generator,
    car: Assembly,
    style: str,
    lacquer: Skin,
    size: tuple[float, float, float, float],
) -> None:
    """The cabin: a glass body, a roof over it, pillars between the windows; a rack on some."""
    length, width, belt, roof = size
    half = length / 2
    front, top_front, top_back, back = (share * half for share in _ROOFS[style])
    foot, pane = belt - 0.05, glass(rng)
    outline = fillet(
        [(front, foot), (top_front, roof), (top_back, roof), (back, foot)], (0.0, 0.18, 0.18, 0.0)
    )

    def narrowed(points: Array) -> Array:
        taper = 1.0 - 0.2 * np.clip((points[:, 2] - foot) / (roof - foot), 0.0, 1.0)
        return points * np.column_stack([taper, np.ones_like(taper), np.ones_like(taper)])

    car.add(pane, extrude(outline, 0.9 * width, along="x", bevel=0.03).warp(narrowed))
    lid = rounded_box(0.73 * width, top_back - top_front + 0.16, 0.07, 0.034, 2)
    car.add(lacquer, lid.at(0, (top_front + top_back) / 2, roof - 0.005))
    x = 0.452 * width
    for low, high in (
        (front, top_front),
        (0.35 * (front + back), 0.5 * (top_front + top_back)),
        (back, top_back),
    ):
        for side in (-1.0, 1.0):
            car.add(lacquer, rod((side * x, low, foot), (side * 0.81 * x, high, roof - 0.02), 0.038))
    if style == "estate" or chance(rng, 0.25):
        _luggage(rng, car, width, (top_front + top_back) / 2, roof)


def _luggage(rng: np.random.Generator, car: Assembly, width: float, y: float, roof: float) -> None:
    """A rack with two suitcases, more of them on one side."""
    steel = metal(rng)
    for shift in (-0.3, 0.3):
        car.add(
            steel, rod((-0.38 * width, y + shift, roof + 0.07), (0.38 * width, y + shift, roof + 0.07), 0.022)
        )
        car.pair(
            steel, rod((0.3 * width, y + shift, roof - 0.02), (0.3 * width, y + shift, roof + 0.07), 0.02)
        )
    side = pick(rng, (-1.0, 1.0))
    car.add(paint(rng), rounded_box(0.5, 0.75, 0.2, 0.05).at(side * 0.22, y, roof + 0.18))
    car.add(paint(rng), rounded_box(0.4, 0.5, 0.15, 0.04).at(side * 0.2, y, roof + 0.34))


def _car_trim(rng: np.random.Generator, car: Assembly, length: float, width: float, belt: float) -> None:
    """Bumpers, lamps, grille, plate, mirrors, handles, sills."""
    half, steel, black = length / 2, metal(rng), dark(rng)
    for y in (-half + 0.02, half - 0.02):
        car.add(
            steel if chance(rng, 0.5) else black, rounded_box(0.94 * width, 0.16, 0.15, 0.06, 2).at(0, y, 0.4)
        )
    lamps(rng, car, 0.34 * width, -half + 0.025, half - 0.04, 0.62, 0.1)
    slots = printed(textures.grille(color(rng, METALS), 4), 0.2, 0.6)
    car.add(slots, rounded_box(0.36 * width, 0.08, 0.14, 0.03).at(0, -half + 0.01, 0.58))
    plate(rng, car, 0.0, -half - 0.06, 0.4, 0.42)
    car.pair(black, rounded_box(0.16, 0.08, 0.11, 0.03).at(width / 2 + 0.06, -0.2 * half, belt + 0.08))
    for y in (-0.02 * half, 0.3 * half):
        car.pair(steel, rounded_box(0.03, 0.17, 0.03, 0.01).at(width / 2, y, belt - 0.13))
    car.add(black, cylinder(0.075, 0.03, 16).turn(y=90).at(0.495 * width, 0.62 * half, belt - 0.14))
    car.add(
        steel,
        bent_tube(
            [(-0.3 * width, half, 0.24), (-0.3 * width, half + 0.05, 0.23), (-0.3 * width, half + 0.1, 0.22)],
            0.04,
        ),
    )


def bus(rng: np.random.Generator) -> Assembly:
    """A town bus of one or two decks: doors on its right side, destination over the windscreen."""
    decks = 2 if chance(rng, 0.4) else 1
    length, width, height = rng.uniform(6.5, 8.5), 2.2, (3.0 if decks == 1 else 4.2)
    first, second = two_colors(rng, VIVID, PALE, SOFT)
    body, band, pane = plain(first, 0.55), plain(second, 0.55), glass(rng)
    bus = Assembly()
    _bus_body(rng, bus, body, band, (length, width, height))
    for z in (1.85,) if decks == 1 else (1.75, 3.35):
        _windows(bus, pane, body, length, width, z)
    bus.add(pane, rounded_box(0.88 * width, 0.1, 1.1, 0.1, 2).at(0, -length / 2, 1.75))
    frame = dark(rng)
    for y in (-0.39 * length, 0.03 * length):
        bus.add(frame, box(0.1, 1.05, 1.95).at(-width / 2 + 0.01, y, 1.38))
        for leaf in (-0.24, 0.24):
            bus.add(pane, box(0.1, 0.4, 1.7).at(-width / 2 - 0.01, y + leaf, 1.4))
    one = wheel(0.46, 0.34, dark(rng), metal(rng), int(rng.integers(5, 8)))
    for y in (-0.25 * length, rng.uniform(0.16, 0.22) * length):
        bus.add(plain((0.06, 0.06, 0.07), 0.95), cylinder(0.55, width + 0.02, 24).turn(y=90).at(0, y, 0.5))
        mount(bus, one, width / 2 - 0.05, y, 0.46)
    lamps(rng, bus, 0.38 * width, -length / 2 - 0.005, length / 2, 0.68, 0.13)
    mirror = rounded_box(0.12, 0.2, 0.42, 0.05).at(width / 2 + 0.18, -length / 2 - 0.1, 2.1)
    arm = rod((width / 2 - 0.06, -length / 2 + 0.1, 2.35), (width / 2 + 0.18, -length / 2 - 0.1, 2.25), 0.035)
    return bus.pair(frame, mirror, arm)


def _bus_body(
    rng: np.random.Generator, bus: Assembly, body: Skin, band: Skin, size: tuple[float, float, float]
) -> None:
    """The coachwork: its rear third in another colour, a band, signs, cooler on the roof, engine behind."""
    length, width, height = size
    tall, rear = height - 0.35, rng.uniform(0.28, 0.36) * length
    bus.add(body, rounded_box(width, length, tall, 0.22, 3).at(z=tall / 2 + 0.35))
    tail = rounded_box(width + 0.014, rear, tall + 0.014, 0.2, 2)
    bus.add(band, tail.at(0, (length - rear) / 2 + 0.007, tall / 2 + 0.35))
    bus.add(band, rounded_box(width + 0.04, length + 0.04, 0.3, 0.1, 2).at(z=rng.uniform(0.75, 1.05)))
    sign = printed(textures.label(rng, (0.08, 0.08, 0.09), (0.98, 0.75, 0.15)), 1.0, 0.6)
    bus.add(sign, box(0.7 * width, 0.1, 0.32).at(0, -length / 2 - 0.01, height - 0.32).decal("y"))
    advert = printed(textures.label(rng, *two_colors(rng, VIVID, PALE)), 1.0, 0.6)
    bus.add(advert, box(0.1, 0.26 * length, 0.5).at(width / 2 - 0.01, -0.02 * length, 0.92).decal("x"))
    steel, slots = metal(rng), printed(textures.grille(color(rng, DARK, METALS), 6), 0.8, 0.7)
    bus.add(steel, rounded_box(1.3, 2.0, 0.3, 0.1).at(0.15, 0.26 * length, height + 0.07))
    bus.add(slots, rounded_box(0.8 * width, 0.4, 0.75, 0.08, 2).at(0, length / 2, 0.85))


def _windows(bus: Assembly, pane: Skin, body: Skin, length: float, width: float, z: float) -> None:
    """A ribbon of glass around the sides and the back, cut by posts."""
    bus.add(pane, rounded_box(width + 0.03, 0.92 * length, 0.78, 0.03).at(0, 0.01 * length, z))
    bus.add(pane, box(0.8 * width, 0.1, 0.7).at(0, length / 2 - 0.02, z))
    posts = np.linspace(-0.38, 0.4, 6)
    bus.add(body, *(box(width + 0.055, 0.1, 0.84).at(0, share * length, z) for share in posts))
    if z > 2.5:
        bus.add(pane, rounded_box(0.88 * width, 0.1, 0.75, 0.08, 2).at(0, -length / 2, z))
