"""In the air: airplane, helicopter."""

import numpy as np

from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.outlines import curve, superellipse
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
    plain,
    two_colors,
)
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, hull, lathe, loft, rounded_box
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod
from turntable.renderer.meshes.zoo.wheels import wheel


def wing(
    root: tuple[float, float, float],
    tip: tuple[float, float, float],
    chords: tuple[float, float],
    thick: float,
) -> Solid:
    """A surface from its root to its tip, its section a wing's, the leading edge towards -y.

    Args:
        root: middle of the section at the root.
        tip: middle of the section at the tip.
        chords: at root and tip.
        thick: share of the chord.
    """
    start, end = np.array(root), np.array(tip)
    across = end - start
    up = np.cross([0.0, 1.0, 0.0], across)
    up = up / np.linalg.norm(up)
    section = superellipse(14)
    # Blunt in front, sharp behind.
    along, height = section[:, 0] / 2, section[:, 1] * (0.5 - section[:, 0] * 0.42) * thick
    stations = ((0.0, 1.0), (0.5, 1.0), (0.96, 1.0), (1.0, 0.55))
    rings = [
        start
        + across * t
        + shrink
        * ((1 - t) * chords[0] + t * chords[1])
        * (along[:, None] * (0.0, 1.0, 0.0) + height[:, None] * up)
        for t, shrink in stations
    ]
    return loft(np.stack(rings), crease=50.0)


def airplane(rng: np.random.Generator) -> Assembly:
    """An airliner with jets, or a small plane with a propeller; nose to the front."""
    return _airliner(rng) if chance(rng, 0.55) else _propeller_plane(rng)


def _airliner(rng: np.random.Generator) -> Assembly:
    length, radius = rng.uniform(5.2, 6.8), rng.uniform(0.33, 0.4)
    nose, tail = -length / 2, length / 2
    skin, accent = plain(color(rng, PALE, METALS, SOFT), 0.5), paint(rng)
    stations = [
        (nose, -0.08, 0.0, 0.08),
        (nose + 0.12, -0.2, 0.12, 0.3),
        (nose + 0.45, -0.9 * radius, 0.8 * radius, 1.65 * radius),
    ]
    stations += [(nose + 0.95, -radius, radius, 2 * radius), (0.35 * length, -radius, radius, 2 * radius)]
    stations += [
        (0.44 * length, -0.4 * radius, radius, 1.3 * radius),
        (tail, 0.45 * radius, 0.85 * radius, 0.3 * radius),
    ]
    plane = Assembly().add(skin, hull(stations, 2.0, 28))
    span, sweep_back = rng.uniform(2.4, 3.0), rng.uniform(0.9, 1.4)
    plane.pair(skin, wing((0.05, -0.05, -0.18), (span, -0.05 + sweep_back, 0.08), (1.25, 0.4), 0.14))
    fin = wing(
        (0, 0.42 * length - 0.1, 0.5 * radius), (0, tail + 0.1, rng.uniform(1.15, 1.4)), (1.0, 0.5), 0.1
    )
    plane.add(accent, fin)
    plane.pair(skin, wing((0.05, 0.43 * length, 0.15), (1.1, tail + 0.05, 0.25), (0.65, 0.3), 0.11))
    pods = (0.34,) if chance(rng, 0.6) else (0.28, 0.55)
    for share in pods:
        pod = lathe(
            [(0.0, 0.45), (0.12, 0.3), (0.17, -0.1), (0.19, -0.4), (0.15, -0.42), (0.14, -0.3), (0.0, -0.28)],
            20,
        )
        at = share * span, share * sweep_back - 0.55, -0.4 + 0.1 * share
        plane.pair(accent, pod.turn(x=-90).at(*at))
        plane.pair(skin, box(0.05, 0.5, 0.24).at(at[0], at[1] + 0.2, at[2] + 0.2))
    _cabin_windows(rng, plane, nose, radius, length)
    stripe = plain(color(rng, VIVID), 0.55)
    plane.pair(stripe, rounded_box(0.06, 0.62 * length, 0.07, 0.02).at(radius - 0.035, -0.03 * length, -0.1))
    return plane


def _cabin_windows(
    rng: np.random.Generator, plane: Assembly, nose: float, radius: float, length: float
) -> None:
    """Cockpit panes, a row of windows a side, one door on the left."""
    pane = glass(rng)
    plane.pair(pane, box(0.2, 0.2, 0.12).turn(x=-30, z=25).at(0.13, nose + 0.42, 0.6 * radius))
    places = np.linspace(nose + 1.15, 0.34 * length, 12)
    plane.pair(pane, *(rounded_box(0.05, 0.11, 0.13, 0.02).at(radius - 0.02, y, 0.08) for y in places))
    plane.add(paint(rng), rounded_box(0.05, 0.22, 0.34, 0.02).at(radius - 0.025, nose + 0.93, 0.02))


def _propeller_plane(rng: np.random.Generator) -> Assembly:
    length, wide = rng.uniform(3.4, 4.0), rng.uniform(0.7, 0.8)
    nose, tail = -0.45 * length, 0.55 * length
    first, second = two_colors(rng, VIVID, PALE, SOFT)
    skin, accent = plain(first, 0.5), plain(second, 0.5)
    stations = [(nose, -0.2, 0.22, 0.42), (nose + 0.1, -0.3, 0.3, 0.62), (-0.2 * length, -0.36, 0.36, wide)]
    stations += [(0.05 * length, -0.36, 0.36, wide), (0.3 * length, -0.2, 0.28, 0.4), (tail, 0.0, 0.2, 0.1)]
    plane = Assembly().add(skin, hull(stations, 2.6, 26))
    canopy = ellipsoid(0.3, 0.62, 0.34, 18, 11).at(0, -0.02 * length, 0.32)
    plane.add(glass(rng), canopy)
    high, y = chance(rng, 0.5), -0.08 * length
    span = rng.uniform(2.1, 2.6)
    z = 0.62 if high else -0.22
    plane.add(
        accent, *(wing((0.0, y, z), (s * span, y + 0.1, z + 0.14), (0.85, 0.6), 0.13) for s in (-1.0, 1.0))
    )
    if high:
        plane.pair(metal(rng), rod((0.3, y, -0.2), (0.5 * span, y, 0.66), 0.03))
    if chance(rng, 0.25) and not high:
        plane.add(
            accent, *(wing((0.0, y, 0.85), (s * span, y + 0.1, 0.9), (0.8, 0.6), 0.13) for s in (-1.0, 1.0))
        )
        plane.pair(
            metal(rng),
            *(rod((share * span, y, -0.15), (share * span, y, 0.88), 0.025) for share in (0.25, 0.75)),
        )
    plane.add(accent, wing((0, tail - 0.35, 0.1), (0, tail - 0.02, 0.95), (0.7, 0.4), 0.1))
    plane.pair(accent, wing((0.02, tail - 0.3, 0.15), (0.85, tail - 0.2, 0.18), (0.55, 0.35), 0.1))
    _propeller(rng, plane, nose)
    one = wheel(0.17, 0.12, dark(rng), metal(rng), 0)
    for side in (-1.0, 1.0):
        plane.add(metal(rng), rod((side * 0.2, y - 0.2, -0.2), (side * 0.5, y - 0.25, -0.68), 0.035))
        plane.include(one.placed(turn_z=0.0 if side > 0 else 180.0, at=(side * 0.55, y - 0.25, -0.68)))
    return plane


def _propeller(rng: np.random.Generator, plane: Assembly, nose: float) -> None:
    """Two to four twisted blades at an odd angle, and the spinner."""
    blades, start = int(rng.integers(2, 5)), rng.uniform(10, 70)
    spinner = lathe([(0.16, -0.05), (0.14, 0.08), (0.0, 0.26)], 18).turn(x=90).at(0, nose, 0.0)
    plane.add(paint(rng), spinner)
    blade = ellipsoid(0.075, 0.018, 0.4, 12, 9).turn(z=28).at(z=0.42)
    skin = dark(rng)
    plane.add(
        skin,
        *(blade.turn(y=start + 360.0 * number / blades).at(0, nose - 0.08, 0) for number in range(blades)),
    )


def helicopter(rng: np.random.Generator) -> Assembly:
    """A helicopter: glass nose to the front, main rotor on top, tail rotor on one side, skids below."""
    skin, accent, steel = paint(rng), plain(color(rng, PALE, VIVID, DARK), 0.55), metal(rng)
    long, wide, high = rng.uniform(1.0, 1.25), rng.uniform(0.95, 1.15), rng.uniform(0.55, 0.65)
    stations = [
        (-long, -0.3, 0.02, 0.3 * wide),
        (-0.85 * long, -0.5, 0.28, 0.68 * wide),
        (-0.45 * long, -0.6, high, 0.98 * wide),
    ]
    stations += [
        (0.2 * long, -0.6, high + 0.05, wide),
        (0.75 * long, -0.4, high, 0.7 * wide),
        (1.1 * long, 0.05, 0.45, 0.3 * wide),
    ]
    craft = Assembly().add(skin, hull(curve(stations, 16), 2.4, 28))
    craft.add(
        glass(rng), ellipsoid(0.43 * wide, 0.62 * long, 0.44, 22, 13).turn(x=-12).at(0, -0.55 * long, 0.1)
    )
    craft.add(glass(rng), rounded_box(wide + 0.01, 0.36 * long, 0.42, 0.06).at(0, 0.12 * long, 0.2))
    tail = rng.uniform(2.2, 2.8)
    craft.add(
        skin,
        bent_tube([(0, 0.8 * long, 0.25), (0, 0.5 * tail, 0.3), (0, tail, 0.42)], [0.24, 0.16, 0.08], 10, 14),
    )
    craft.add(accent, wing((0, tail - 0.25, 0.3), (0, tail + 0.12, 1.0), (0.5, 0.3), 0.14))
    craft.pair(accent, wing((0.03, 0.72 * tail, 0.3), (0.5, 0.75 * tail, 0.3), (0.3, 0.22), 0.12))
    blade = ellipsoid(0.03, 0.05, 0.28, 10, 7).at(z=0.26)
    angle, side = rng.uniform(0, 120), 0.16
    craft.add(steel, cylinder(0.05, 0.22, 12).turn(y=90).at(0.1, tail, 0.45))
    craft.add(dark(rng), *(blade.turn(x=angle + 120.0 * n).at(side, tail, 0.45) for n in range(3)))
    _main_rotor(rng, craft, steel, high)
    return _skids(craft, steel, long, wide)


def _main_rotor(rng: np.random.Generator, craft: Assembly, steel: Skin, high: float) -> None:
    """Mast, engine cowling and two to five blades."""
    craft.add(
        steel,
        cylinder(0.06, 0.55, 14).at(0, 0, high + 0.2),
        cylinder(0.15, 0.12, 18, bevel=0.03).at(0, 0, high + 0.42),
    )
    craft.add(dark(rng), rounded_box(0.5, 0.9, 0.28, 0.1, 2).at(0, 0.25, high + 0.08))
    blades, reach, turn = int(rng.integers(2, 6)), rng.uniform(1.7, 2.2), rng.uniform(10, 60)
    blade = rounded_box(reach, 0.17, 0.035, 0.015).at(x=reach / 2 + 0.05).turn(y=2, x=6)
    black, tip = dark(rng), paint(rng)
    end = rounded_box(0.22, 0.18, 0.05, 0.015).at(x=reach - 0.1).turn(y=2, x=6)
    for number in range(blades):
        angle = turn + 360.0 * number / blades
        craft.add(black, blade.turn(z=angle).at(z=high + 0.43)).add(tip, end.turn(z=angle).at(z=high + 0.43))


def _skids(craft: Assembly, steel: Skin, long: float, wide: float) -> Assembly:
    """Two runners on bent struts; a searchlight under one side of the nose."""
    x, low = 0.52 * wide, -1.0
    runner = [(x, -1.05 * long, low + 0.16), (x, -0.85 * long, low), (x, 0.0, low), (x, 0.75 * long, low)]
    craft.pair(steel, bent_tube(runner, 0.04, 14, 8))
    for y in (-0.45 * long, 0.4 * long):
        craft.pair(steel, rod((0.2 * wide, y, -0.5), (x, y, low), 0.035))
    lamp = cylinder(0.09, 0.14, 16, bevel=0.02).turn(x=90).at(0.2 * wide, -0.6 * long, -0.6)
    return craft.add(plain((0.97, 0.93, 0.7), 0.5), lamp)
