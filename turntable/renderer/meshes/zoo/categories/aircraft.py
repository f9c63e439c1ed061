"""Aircraft: airplane, helicopter."""

import numpy as np

from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import spline, superellipse
from turntable.renderer.meshes.zoo.primitives import (
    box,
    cylinder,
    ellipsoid,
    lathe,
    loft,
    loft_sections,
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
    draw_two_colors,
    make_dark_skin,
    make_glass,
    make_metal,
    make_paint,
    make_plain_skin,
)
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod
from turntable.renderer.meshes.zoo.vehicle_parts import build_wheel


def build_wing(
    root: tuple[float, float, float],
    tip: tuple[float, float, float],
    chords: tuple[float, float],
    thick: float,
) -> Solid:
    """Build a wing-shaped surface from root to tip, with its leading edge toward -y.

    Args:
        root: Middle of the section at the root.
        tip: Middle of the section at the tip.
        chords: Chords at root and tip.
        thick: Thickness as a share of the chord.
    """
    start, end = np.array(root), np.array(tip)
    across = end - start
    up = np.cross([0.0, 1.0, 0.0], across)
    up = up / np.linalg.norm(up)
    section = superellipse(14)
    # The section is blunt in front and sharp behind.
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


def build_airplane(rng: np.random.Generator) -> Assembly:
    """Build an airliner with jets, or a small airplane with a propeller, nose to the front."""
    return _build_airliner(rng) if draw_bool(rng, 0.55) else _build_propeller_plane(rng)


def _build_airliner(rng: np.random.Generator) -> Assembly:
    """Build an airliner with two or four jets."""
    length, radius = rng.uniform(5.2, 6.8), rng.uniform(0.33, 0.4)
    nose, tail = -length / 2, length / 2
    skin, accent = make_plain_skin(draw_color(rng, PALE, METALS, SOFT), 0.5), make_paint(rng)
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
    plane = Assembly().add(skin, loft_sections(stations, 2.0, 28))
    span, sweep_back = rng.uniform(2.4, 3.0), rng.uniform(0.9, 1.4)
    plane.add_mirrored(
        skin, build_wing((0.05, -0.05, -0.18), (span, -0.05 + sweep_back, 0.08), (1.25, 0.4), 0.14)
    )
    fin = build_wing(
        (0, 0.42 * length - 0.1, 0.5 * radius), (0, tail + 0.1, rng.uniform(1.15, 1.4)), (1.0, 0.5), 0.1
    )
    plane.add(accent, fin)
    plane.add_mirrored(
        skin, build_wing((0.05, 0.43 * length, 0.15), (1.1, tail + 0.05, 0.25), (0.65, 0.3), 0.11)
    )
    pods = (0.34,) if draw_bool(rng, 0.6) else (0.28, 0.55)
    for share in pods:
        pod = lathe(
            [(0.0, 0.45), (0.12, 0.3), (0.17, -0.1), (0.19, -0.4), (0.15, -0.42), (0.14, -0.3), (0.0, -0.28)],
            20,
        )
        at = share * span, share * sweep_back - 0.55, -0.4 + 0.1 * share
        plane.add_mirrored(accent, pod.rotate(x=-90).translate(*at))
        plane.add_mirrored(skin, box(0.05, 0.5, 0.24).translate(at[0], at[1] + 0.2, at[2] + 0.2))
    _add_cabin_windows(rng, plane, nose, radius, length)
    stripe = make_plain_skin(draw_color(rng, VIVID), 0.55)
    plane.add_mirrored(
        stripe, rounded_box(0.06, 0.62 * length, 0.07, 0.02).translate(radius - 0.035, -0.03 * length, -0.1)
    )
    return plane


def _add_cabin_windows(
    rng: np.random.Generator, plane: Assembly, nose: float, radius: float, length: float
) -> None:
    """Add cockpit panes, a row of windows on each side, and a door on the left."""
    pane = make_glass(rng)
    plane.add_mirrored(
        pane, box(0.2, 0.2, 0.12).rotate(x=-30, z=25).translate(0.13, nose + 0.42, 0.6 * radius)
    )
    window_ys = np.linspace(nose + 1.15, 0.34 * length, 12)
    plane.add_mirrored(
        pane, *(rounded_box(0.05, 0.11, 0.13, 0.02).translate(radius - 0.02, y, 0.08) for y in window_ys)
    )
    plane.add(
        make_paint(rng), rounded_box(0.05, 0.22, 0.34, 0.02).translate(radius - 0.025, nose + 0.93, 0.02)
    )


def _build_propeller_plane(rng: np.random.Generator) -> Assembly:
    """Build a small airplane, with high or low wings or as a biplane."""
    length, wide = rng.uniform(3.4, 4.0), rng.uniform(0.7, 0.8)
    nose, tail = -0.45 * length, 0.55 * length
    first, second = draw_two_colors(rng, VIVID, PALE, SOFT)
    skin, accent = make_plain_skin(first, 0.5), make_plain_skin(second, 0.5)
    stations = [(nose, -0.2, 0.22, 0.42), (nose + 0.1, -0.3, 0.3, 0.62), (-0.2 * length, -0.36, 0.36, wide)]
    stations += [(0.05 * length, -0.36, 0.36, wide), (0.3 * length, -0.2, 0.28, 0.4), (tail, 0.0, 0.2, 0.1)]
    plane = Assembly().add(skin, loft_sections(stations, 2.6, 26))
    canopy = ellipsoid(0.3, 0.62, 0.34, 18, 11).translate(0, -0.02 * length, 0.32)
    plane.add(make_glass(rng), canopy)
    high, y = draw_bool(rng, 0.5), -0.08 * length
    span = rng.uniform(2.1, 2.6)
    z = 0.62 if high else -0.22
    plane.add(
        accent,
        *(build_wing((0.0, y, z), (s * span, y + 0.1, z + 0.14), (0.85, 0.6), 0.13) for s in (-1.0, 1.0)),
    )
    if high:
        plane.add_mirrored(make_metal(rng), rod((0.3, y, -0.2), (0.5 * span, y, 0.66), 0.03))
    if draw_bool(rng, 0.25) and not high:
        plane.add(
            accent,
            *(build_wing((0.0, y, 0.85), (s * span, y + 0.1, 0.9), (0.8, 0.6), 0.13) for s in (-1.0, 1.0)),
        )
        plane.add_mirrored(
            make_metal(rng),
            *(rod((share * span, y, -0.15), (share * span, y, 0.88), 0.025) for share in (0.25, 0.75)),
        )
    plane.add(accent, build_wing((0, tail - 0.35, 0.1), (0, tail - 0.02, 0.95), (0.7, 0.4), 0.1))
    plane.add_mirrored(
        accent, build_wing((0.02, tail - 0.3, 0.15), (0.85, tail - 0.2, 0.18), (0.55, 0.35), 0.1)
    )
    _add_propeller(rng, plane, nose)
    wheel = build_wheel(0.17, 0.12, make_dark_skin(rng), make_metal(rng), 0)
    for side in (-1.0, 1.0):
        plane.add(make_metal(rng), rod((side * 0.2, y - 0.2, -0.2), (side * 0.5, y - 0.25, -0.68), 0.035))
        plane.add_assembly(wheel.place(turn_z=0.0 if side > 0 else 180.0, at=(side * 0.55, y - 0.25, -0.68)))
    return plane


def _add_propeller(rng: np.random.Generator, plane: Assembly, nose: float) -> None:
    """Add the spinner and two to four twisted blades at a random angle."""
    blades, start = int(rng.integers(2, 5)), rng.uniform(10, 70)
    spinner = lathe([(0.16, -0.05), (0.14, 0.08), (0.0, 0.26)], 18).rotate(x=90).translate(0, nose, 0.0)
    plane.add(make_paint(rng), spinner)
    blade = ellipsoid(0.075, 0.018, 0.4, 12, 9).rotate(z=28).translate(z=0.42)
    skin = make_dark_skin(rng)
    plane.add(
        skin,
        *(
            blade.rotate(y=start + 360.0 * number / blades).translate(0, nose - 0.08, 0)
            for number in range(blades)
        ),
    )


def build_helicopter(rng: np.random.Generator) -> Assembly:
    """Build a helicopter: glass nose to the front, main rotor on top, tail rotor on one side, skids below."""
    skin, accent, steel = (
        make_paint(rng),
        make_plain_skin(draw_color(rng, PALE, VIVID, DARK), 0.55),
        make_metal(rng),
    )
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
    craft = Assembly().add(skin, loft_sections(spline(stations, 16), 2.4, 28))
    craft.add(
        make_glass(rng),
        ellipsoid(0.43 * wide, 0.62 * long, 0.44, 22, 13).rotate(x=-12).translate(0, -0.55 * long, 0.1),
    )
    craft.add(
        make_glass(rng), rounded_box(wide + 0.01, 0.36 * long, 0.42, 0.06).translate(0, 0.12 * long, 0.2)
    )
    tail = rng.uniform(2.2, 2.8)
    craft.add(
        skin,
        bent_tube([(0, 0.8 * long, 0.25), (0, 0.5 * tail, 0.3), (0, tail, 0.42)], [0.24, 0.16, 0.08], 10, 14),
    )
    craft.add(accent, build_wing((0, tail - 0.25, 0.3), (0, tail + 0.12, 1.0), (0.5, 0.3), 0.14))
    craft.add_mirrored(
        accent, build_wing((0.03, 0.72 * tail, 0.3), (0.5, 0.75 * tail, 0.3), (0.3, 0.22), 0.12)
    )
    blade = ellipsoid(0.03, 0.05, 0.28, 10, 7).translate(z=0.26)
    angle, side = rng.uniform(0, 120), 0.16
    craft.add(steel, cylinder(0.05, 0.22, 12).rotate(y=90).translate(0.1, tail, 0.45))
    craft.add(
        make_dark_skin(rng),
        *(blade.rotate(x=angle + 120.0 * n).translate(side, tail, 0.45) for n in range(3)),
    )
    _add_main_rotor(rng, craft, steel, high)
    return _add_skids(craft, steel, long, wide)


def _add_main_rotor(rng: np.random.Generator, craft: Assembly, steel: Skin, high: float) -> None:
    """Add the mast, the engine cowling and two to five blades."""
    craft.add(
        steel,
        cylinder(0.06, 0.55, 14).translate(0, 0, high + 0.2),
        cylinder(0.15, 0.12, 18, bevel=0.03).translate(0, 0, high + 0.42),
    )
    craft.add(make_dark_skin(rng), rounded_box(0.5, 0.9, 0.28, 0.1, 2).translate(0, 0.25, high + 0.08))
    blades, reach, turn = int(rng.integers(2, 6)), rng.uniform(1.7, 2.2), rng.uniform(10, 60)
    blade = rounded_box(reach, 0.17, 0.035, 0.015).translate(x=reach / 2 + 0.05).rotate(y=2, x=6)
    black, tip = make_dark_skin(rng), make_paint(rng)
    end = rounded_box(0.22, 0.18, 0.05, 0.015).translate(x=reach - 0.1).rotate(y=2, x=6)
    for number in range(blades):
        angle = turn + 360.0 * number / blades
        craft.add(black, blade.rotate(z=angle).translate(z=high + 0.43)).add(
            tip, end.rotate(z=angle).translate(z=high + 0.43)
        )


def _add_skids(craft: Assembly, steel: Skin, long: float, wide: float) -> Assembly:
    """Add two runners on bent struts, and a searchlight under one side of the nose."""
    x, low = 0.52 * wide, -1.0
    runner = [(x, -1.05 * long, low + 0.16), (x, -0.85 * long, low), (x, 0.0, low), (x, 0.75 * long, low)]
    craft.add_mirrored(steel, bent_tube(runner, 0.04, 14, 8))
    for y in (-0.45 * long, 0.4 * long):
        craft.add_mirrored(steel, rod((0.2 * wide, y, -0.5), (x, y, low), 0.035))
    lamp = cylinder(0.09, 0.14, 16, bevel=0.02).rotate(x=90).translate(0.2 * wide, -0.6 * long, -0.6)
    return craft.add(make_plain_skin((0.97, 0.93, 0.7), 0.5), lamp)
