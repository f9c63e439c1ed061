"""Furniture to put things on: table, bookshelf, desk lamp."""

import numpy as np

from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import rectangle
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, lathe, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    DARK,
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
    make_plain_skin,
)
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod, sweep
from turntable.renderer.meshes.zoo.textured_skins import make_ceramic, make_timber

_FRUIT = (0xC8302A, 0x86B33C, 0xF0972B, 0xF2C83A, 0x7B2D52)
"""Colors of fruit."""


def build_table(rng: np.random.Generator) -> Assembly:
    """Build a table with an open drawer at one side, a bowl of fruit and a book."""
    width, depth, height = rng.uniform(1.1, 1.7), rng.uniform(0.65, 0.9), rng.uniform(0.68, 0.8)
    top = make_timber(rng, 0.6)
    frame = top if draw_bool(rng, 0.5) else (make_paint(rng) if draw_bool(rng, 0.6) else make_metal(rng))
    inset = rng.uniform(0.05, 0.1)
    x, y = width / 2 - inset, depth / 2 - inset
    table = Assembly().add(top, rounded_box(width, depth, 0.05, 0.02, 2).translate(z=height))
    table.add(frame, box(2 * x - 0.03, 2 * y - 0.03, 0.15).translate(z=height - 0.09))
    table.add(frame, *_build_table_legs(rng, x, y, height))
    side = draw_item(rng, (-1.0, 1.0))
    out = rng.uniform(0.12, 0.26)
    drawer = box(0.36 * width, out + 0.1, 0.1).translate(
        side * 0.22 * width, 0.05 - y - out / 2, height - 0.095
    )
    front = rounded_box(0.4 * width, 0.03, 0.13, 0.01).translate(
        side * 0.22 * width, -y - out, height - 0.092
    )
    table.add(frame, drawer).add(make_paint(rng) if draw_bool(rng, 0.5) else frame, front)
    knob = ellipsoid(0.026, 0.026, 0.026, 12, 7).translate(
        side * 0.22 * width, -y - out - 0.03, height - 0.09
    )
    spot = (-side * rng.uniform(0.2, 0.3) * width, rng.uniform(-0.1, 0.15) * depth, height + 0.02)
    table.add(make_metal(rng), knob).add_assembly(_build_fruit_bowl(rng).place(at=spot))
    book = box(0.19, 0.26, 0.06).rotate(z=rng.uniform(-40, 40))
    return table.add(make_paint(rng), book.translate(side * 0.25 * width, 0.12 * depth, height + 0.05))


def _build_table_legs(rng: np.random.Generator, x: float, y: float, height: float) -> list[Solid]:
    """Build four legs: turned on a lathe, square and tapered, or round and splayed."""
    style = draw_item(rng, ("turned", "tapered", "splayed"))
    corners = [(sx * (x - 0.03), sy * (y - 0.03)) for sx in (-1.0, 1.0) for sy in (-1.0, 1.0)]
    if style == "turned":
        knots = [
            (0.022, 0.0),
            (0.03, 0.08),
            (0.02, 0.16),
            (0.04, 0.4),
            (0.024, 0.62),
            (0.042, 0.68),
            (0.042, 1.0),
        ]
        leg = lathe([(r, z * height) for r, z in knots], 14)
        return [leg.translate(px, py) for px, py in corners]
    splay = 0.0 if style == "tapered" else rng.uniform(0.04, 0.1)
    section = rectangle(0.075, 0.075, 0.012) if style == "tapered" else rectangle(0.06, 0.06, 0.03)
    return [
        sweep(section, [(px * (1 + splay), py * (1 + splay), 0.0), (px, py, height)], [0.55, 1.05])
        for px, py in corners
    ]


def _build_fruit_bowl(rng: np.random.Generator) -> Assembly:
    """Build a bowl on the origin, heaped with five fruits."""
    size = rng.uniform(0.15, 0.19)
    outside = [(0.45 * size, 0.0), (0.5 * size, 0.02), (0.9 * size, 0.07), (size, 0.13)]
    inside = [(size - 0.012, 0.135), (0.85 * size, 0.075), (0.0, 0.03)]
    bowl = Assembly().add(make_ceramic(rng, 0.12), lathe([*outside, *inside], 24))
    turn = rng.uniform(0.0, 2 * np.pi)
    for number in range(5):
        radius, around = rng.uniform(0.045, 0.055), turn + 2 * np.pi * number / 4
        reach = 0.0 if number == 4 else 0.085
        fruit = ellipsoid(radius, radius, 0.93 * radius, 12, 8)
        at = reach * np.cos(around), reach * np.sin(around), 0.17 if number == 4 else 0.11
        bowl.add(make_plain_skin(draw_color(rng, _FRUIT), 0.55), fruit.translate(*at))
    return bowl


def build_bookshelf(rng: np.random.Generator) -> Assembly:
    """Build a case of three to five shelves with books, and vases where there is room beside the books."""
    width, depth = rng.uniform(0.7, 1.1), rng.uniform(0.26, 0.34)
    shelves, thick = int(rng.integers(3, 6)), 0.03
    gap = rng.uniform(0.3, 0.36)
    height = shelves * gap + 0.1
    wood = make_timber(rng, 0.5) if draw_bool(rng, 0.7) else make_paint(rng)
    case = Assembly().add(
        wood, box(width - 0.01, 0.02, height - 0.02).translate(0, depth / 2 - 0.014, height / 2)
    )
    case.add_mirrored(wood, box(thick, depth, height).translate(x=width / 2 - thick / 2, z=height / 2))
    levels = [0.07 + number * gap for number in range(shelves + 1)]
    case.add(
        wood, *(box(width - thick, depth - 0.014, 0.028).translate(0, -0.003, level) for level in levels)
    )
    case.add(wood, rounded_box(width + 0.06, depth + 0.05, 0.04, 0.012).translate(z=height))
    case.add(wood, box(width - 0.02, 0.02, 0.08).translate(0, 0.02 - depth / 2, 0.035))
    room = width / 2 - thick - 0.01
    for level in levels[:-1]:
        _fill_shelf(rng, case, room, depth, level + 0.012, gap)
    return case


def _fill_shelf(
    rng: np.random.Generator, case: Assembly, room: float, depth: float, level: float, gap: float
) -> None:
    """Fill a shelf with books up to a random place, and add a vase if there is room left."""
    x, end = -room, room * rng.uniform(0.1, 1.0)
    skins = [make_plain_skin(draw_color(rng, VIVID, SOFT, DARK, PALE), 0.8) for _ in range(5)]
    while x < end - 0.06:
        thick, high, deep = (
            rng.uniform(0.03, 0.065),
            rng.uniform(0.6, 0.86) * gap,
            rng.uniform(0.62, 0.8) * depth,
        )
        book = box(thick, deep, high).translate(x + thick / 2, -depth / 2 + 0.03 + deep / 2, level + high / 2)
        case.add(draw_item(rng, skins), book)
        x += thick + 0.003
    if room - x > 0.22:
        size = rng.uniform(0.055, 0.08)
        profile = [
            (0.6 * size, 0.0),
            (size, 0.07),
            (0.95 * size, 0.12),
            (0.4 * size, 0.18),
            (0.55 * size, 0.22),
        ]
        case.add(make_ceramic(rng, 0.12), lathe(profile, 18).translate((x + room) / 2, -0.02, level))


def build_desk_lamp(rng: np.random.Generator) -> Assembly:
    """Build a desk lamp with jointed arms or a gooseneck, shade to the front, switch and cord on the base."""
    lacquer, steel = make_paint(rng) if draw_bool(rng, 0.8) else make_dark_skin(rng), make_metal(rng)
    size = rng.uniform(0.24, 0.32)
    base = lathe([(size, 0.0), (size, 0.04), (0.8 * size, 0.08), (0.12, 0.1)], 32)
    lamp = (
        Assembly()
        .add(lacquer, base)
        .add(make_dark_skin(rng), cylinder(0.045, 0.06, 14, bevel=0.01).translate(0.16, -0.08, 0.1))
    )
    cord = [
        (0, size - 0.05, 0.03),
        (0.05, size + 0.15, 0.03),
        (0.3, size + 0.25, 0.03),
        (0.35, size + 0.5, 0.03),
    ]
    lamp.add(make_dark_skin(rng), bent_tube(cord, 0.018, 12, 6))
    lower, upper = rng.uniform(0.65, 0.85), rng.uniform(0.6, 0.8)
    elbow = (0.0, rng.uniform(0.15, 0.42), 0.08 + lower)
    rise = rng.uniform(0.05, 0.45)
    tip = (0.0, elbow[1] - upper * (1 - 0.3 * rise), elbow[2] + upper * rise)
    if draw_bool(rng, 0.6):
        _add_jointed_arms(lamp, lacquer if draw_bool(rng, 0.5) else steel, make_dark_skin(rng), elbow, tip)
    else:
        neck = [(0, 0, 0.06), (0, 0.16, 0.55 * lower), (0, elbow[1] - 0.1, lower + 0.25), (0, tip[1], tip[2])]
        lamp.add(steel, bent_tube(neck, 0.035, 18, 10))
    return lamp.add_assembly(_build_lamp_head(rng, lacquer).place(at=tip))


def _add_jointed_arms(
    lamp: Assembly, arms: Skin, joints: Skin, elbow: tuple[float, ...], tip: tuple[float, ...]
) -> None:
    """Add two pairs of parallel rods and the three hinges that hold them."""
    shoulder = (0.0, 0.0, 0.13)
    for start, end, reach in ((shoulder, elbow, 0.04), (elbow, tip, 0.033)):
        lamp.add(arms, *(rod((x, *start[1:]), (x, *end[1:]), 0.02) for x in (-reach, reach)))
    hinge = cylinder(0.05, 0.15, 16, bevel=0.012).rotate(y=90)
    lamp.add(joints, *(hinge.translate(*joint) for joint in (shoulder, elbow, tip)))


def _build_lamp_head(rng: np.random.Generator, skin: Skin) -> Assembly:
    """Build a shade hung at the origin, open downward and to the front, with its bulb."""
    mouth, length, tilt = rng.uniform(0.24, 0.32), rng.uniform(0.32, 0.42), -rng.uniform(15, 45)
    bell = rng.uniform(0.0, 0.06)
    outside = [
        (0.07, 0.0),
        (0.1, -0.06),
        (0.12 + bell, -0.14),
        (0.55 * mouth + bell, -0.6 * length),
        (mouth, -length),
    ]
    inside = [
        (mouth - 0.02, -length),
        (0.55 * mouth + bell - 0.025, -0.6 * length),
        (0.08, -0.16),
        (0.0, -0.14),
    ]
    shade = lathe([(0.0, 0.01), *outside, *inside], 30)
    bulb = ellipsoid(0.09, 0.09, 0.11, 14, 9).translate(z=-0.62 * length)
    head = Assembly().add(skin, shade.rotate(x=tilt))
    return head.add(make_plain_skin((0.98, 0.93, 0.72), 0.5), bulb.rotate(x=tilt))
