"""Furniture to sit and lie on: chair, sofa, bed."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import fillet, rectangle, spline
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, extrude, frustum, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    draw_bool,
    draw_item,
    make_paint,
    make_pale_skin,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import rod, sweep
from turntable.renderer.meshes.zoo.textured_skins import make_cloth, make_leather, make_timber


def build_chair(rng: np.random.Generator) -> Assembly:
    """Build a dining chair with or without cushion and armrests, its back of slats, spindles or a panel."""
    width, depth, seat = rng.uniform(0.42, 0.52), rng.uniform(0.4, 0.48), rng.uniform(0.42, 0.5)
    back, lean = rng.uniform(0.42, 0.6), rng.uniform(0.03, 0.1)
    frame = make_timber(rng, 0.25) if draw_bool(rng, 0.65) else make_paint(rng)
    cushioned = draw_bool(rng, 0.6)
    plank = frame if cushioned else (make_timber(rng, 0.25) if draw_bool(rng, 0.5) else make_paint(rng))
    chair = Assembly().add(plank, rounded_box(width, depth, 0.04, 0.018, 2).translate(z=seat))
    chair.add(frame, *_build_legs(rng, width, depth, seat))
    chair.add(frame, *_build_chair_back(rng, width, back, lean, at=(depth / 2 - 0.025, seat)))
    if cushioned:
        cushion = rounded_box(0.88 * width, 0.86 * depth, 0.06, 0.03, 2)
        chair.add(make_cloth(rng, 0.2), cushion.translate(y=-0.02, z=seat + 0.04))
    if draw_bool(rng, 0.35):
        chair.add_mirrored(frame, *_build_armrest(width, depth, seat))
    return chair


def _build_legs(rng: np.random.Generator, width: float, depth: float, seat: float) -> list[Solid]:
    """Build straight or splayed legs, the hind ones set in, with stretchers between them."""
    splay, thick = rng.uniform(0.0, 0.06), rng.uniform(0.028, 0.04)
    x, front, hind = width / 2 - 0.04, -depth / 2 + 0.04, depth / 2 - 0.05
    legs: list[Solid] = []
    for side in (-1.0, 1.0):
        for y, push in ((front, -splay), (hind, splay)):
            foot = (side * (x + splay), y + push, 0.0)
            legs.append(sweep(rectangle(thick, thick, 0.01), [foot, (side * x, y, seat)], [0.75, 1.1]))
    low = rng.uniform(0.25, 0.5) * seat
    reach = splay * (1 - low / seat)
    for side in (-1.0, 1.0):
        across = side * (x + reach)
        legs.append(rod((across, front - reach, low), (across, hind + reach, low), 0.011))
    legs.append(rod((-x - reach, -0.02, low + 0.004), (x + reach, -0.02, low + 0.004), 0.01))
    return legs


def _build_chair_back(
    rng: np.random.Generator, width: float, height: float, lean: float, at: tuple[float, float]
) -> list[Solid]:
    """Build two posts, a top rail, and one of three fillings between them."""
    y, z = at
    x, top = width / 2 - 0.03, z + height
    posts = [
        sweep(rectangle(0.035, 0.035, 0.008), [(s * x, y, z - 0.01), (s * x, y + lean, top)]) for s in (-1, 1)
    ]
    crown = (
        rounded_box(width, 0.032, rng.uniform(0.07, 0.12), 0.014, 2).rotate(x=-3).translate(0, y + lean, top)
    )

    def compute_back_y(level: float) -> float:
        return y + lean * (level - z) / height

    style = draw_item(rng, ("slats", "spindles", "panel"))
    if style == "slats":
        levels = np.linspace(z + 0.16, top - 0.12, int(rng.integers(2, 4)))
        return [*posts, crown, *(box(2 * x, 0.016, 0.055).translate(0, compute_back_y(h), h) for h in levels)]
    if style == "spindles":
        across = np.linspace(-0.72 * x, 0.72 * x, int(rng.integers(4, 7)))
        low, high = compute_back_y(z), compute_back_y(top)
        return [*posts, crown, *(rod((a, low, z), (a, high, top), 0.009) for a in across)]
    panel = box(1.5 * x, 0.018, 0.72 * height).rotate(x=-np.degrees(np.arctan2(lean, height)))
    middle = z + 0.58 * height
    return [
        *posts,
        crown,
        panel.translate(0, compute_back_y(middle), middle),
        box(2 * x, 0.02, 0.05).translate(0, compute_back_y(z + 0.12), z + 0.12),
    ]


def _build_armrest(width: float, depth: float, seat: float) -> tuple[Solid, Solid]:
    """Build an armrest and its post."""
    x, high = width / 2 - 0.01, seat + 0.21
    rest = rounded_box(0.045, 0.92 * depth, 0.03, 0.012).translate(x, -0.005, high)
    return rest, rod((x, -0.36 * depth, seat - 0.01), (x, -0.4 * depth, high), 0.014)


def build_sofa(rng: np.random.Generator) -> Assembly:
    """Build a sofa of one to three seats, with a cushion and a throw on one arm."""
    seats = int(rng.integers(1, 4))
    width, depth = 0.35 + 0.58 * seats, rng.uniform(0.8, 0.92)
    seat, arm, back = rng.uniform(0.36, 0.42), rng.uniform(0.54, 0.64), rng.uniform(0.74, 0.92)
    cover = make_leather(rng, 0.4) if draw_bool(rng, 0.4) else make_cloth(rng, 0.35)
    thick, soft = rng.uniform(0.14, 0.2), rng.uniform(0.04, 0.09)
    sofa = Assembly().add(
        cover, rounded_box(width - 0.1, depth - 0.06, seat - 0.2, 0.03).translate(z=0.5 * seat - 0.02)
    )
    sofa.add(
        cover,
        rounded_box(width - 0.06, 0.2, back - 0.1, soft, 2)
        .rotate(x=-6)
        .translate(0, depth / 2 - 0.1, back / 2 + 0.05),
    )
    sofa.add_mirrored(
        cover,
        rounded_box(thick, depth, arm - 0.1, soft, 3).translate(width / 2 - thick / 2, 0, arm / 2 + 0.05),
    )
    room = (width - 2 * thick) / seats
    for number in range(seats):
        x = (number - (seats - 1) / 2) * room
        sofa.add(cover, rounded_box(room - 0.012, depth - 0.2, 0.17, 0.05, 2).translate(x, -0.08, seat))
        hind = rounded_box(room - 0.02, 0.18, back - seat, 0.07, 2).rotate(x=-12)
        sofa.add(cover, hind.translate(x, depth / 2 - 0.24, (seat + back) / 2 + 0.06))
    feet = [
        frustum(0.02, 0.03, 0.14, 10).translate(x, y, 0.05)
        for x in (-width / 2 + 0.12, width / 2 - 0.12)
        for y in (-0.4 * depth, 0.4 * depth)
    ]
    sofa.add(make_timber(rng), *feet)
    pillow = ellipsoid(0.21, 0.085, 0.21, 16, 9).warp(_warp_to_pillow)
    side = draw_item(rng, (-1.0, 1.0))
    sofa.add(
        make_cloth(rng, 0.15),
        pillow.rotate(x=-24, z=8).translate(side * (width / 2 - thick - 0.2), -0.02, seat + 0.27),
    )
    throw = _build_throw(width / 2 - thick / 2, arm, thick, rng.uniform(0.22, 0.36))
    return sofa.add(make_cloth(rng, 0.2), throw if side < 0 else throw.mirror())


def _warp_to_pillow(points: np.ndarray) -> np.ndarray:
    """Warp a disk to a pillow with corners and a thin rim."""
    angle = np.arctan2(points[:, 2], points[:, 0])
    reach = 1.0 / np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle))) ** 0.75
    return np.column_stack([points[:, 0] * reach, points[:, 1], points[:, 2] * reach])


def _build_throw(x: float, top: float, thick: float, length: float) -> Solid:
    """Build a blanket folded over an arm (at x): a thin sheet bent three times."""
    half = thick / 2 + 0.012
    height = [
        (-half, -0.14),
        (-half, -0.04),
        (-0.5 * half, 0.012),
        (0.5 * half, 0.012),
        (half, -0.04),
        (half, -0.3),
    ]
    path = spline([(x + across, -0.12, top + above) for across, above in height], 16)
    return sweep(rectangle(0.022, length), path, up=(0.0, 1.0, 0.0))


def build_bed(rng: np.random.Generator) -> Assembly:
    """Build a bed, foot to the front, with one or two pillows and a blanket turned down."""
    wide = draw_bool(rng, 0.5)
    width, length = (rng.uniform(1.3, 1.7) if wide else rng.uniform(0.85, 1.1)), rng.uniform(1.9, 2.1)
    frame = make_timber(rng, 0.6) if draw_bool(rng, 0.7) else make_paint(rng)
    high, low, head = rng.uniform(0.3, 0.42), rng.uniform(0.3, 0.45), rng.uniform(0.9, 1.25)
    bed = Assembly().add(frame, rounded_box(width, length, 0.16, 0.03).translate(z=high - 0.08))
    bed.add(
        frame,
        *_build_board(rng, width + 0.06, head, length / 2),
        *_build_board(rng, width + 0.06, low + 0.12, -length / 2),
    )
    bed.add(
        make_pale_skin(rng), rounded_box(width - 0.06, length - 0.08, 0.24, 0.07, 2).translate(z=high + 0.1)
    )
    cover = (
        make_textured_skin(textures.make_quilt(rng), 0.9, 0.9)
        if draw_bool(rng, 0.4)
        else make_cloth(rng, 0.5)
    )
    fold = rng.uniform(0.2, 0.4)
    blanket = rounded_box(width + 0.05, length - 0.55 - fold, 0.25, 0.06, 2)
    bed.add(cover, blanket.translate(y=-0.3 * 0.5 - fold / 2 + 0.03, z=high + 0.118))
    bed.add(
        make_pale_skin(rng),
        rounded_box(width + 0.06, 0.22, 0.2, 0.06, 2).translate(
            y=length / 2 - 0.55 - fold + 0.02, z=high + 0.17
        ),
    )
    slip = make_cloth(rng, 0.25)
    pillow = ellipsoid(0.32, 0.1, 0.22, 18, 9).warp(_warp_to_pillow).rotate(x=68)
    spots = (-0.25 * width, 0.25 * width) if wide else (draw_item(rng, (-0.06, 0.06)),)
    for x in spots:
        bed.add(slip, pillow.rotate(z=rng.uniform(-8, 8)).translate(x, length / 2 - 0.3, high + 0.28))
    return bed


def _build_board(rng: np.random.Generator, width: float, height: float, y: float) -> list[Solid]:
    """Build a headboard or footboard with an arched top and two round posts."""
    arch = rng.uniform(0.02, 0.16) * min(1.0, height)
    x = width / 2
    outline = fillet(
        [
            (-x, 0.12),
            (x, 0.12),
            (x, height - arch),
            (0.5 * x, height),
            (-0.5 * x, height),
            (-x, height - arch),
        ],
        0.15,
    )
    panel = extrude(outline, 0.05, along="y", bevel=0.008).translate(y=y)
    posts = [cylinder(0.045, height, 14, bevel=0.012).translate(s * x, y, height / 2) for s in (-1.0, 1.0)]
    knobs = [ellipsoid(0.055, 0.055, 0.055, 12, 7).translate(s * x, y, height + 0.02) for s in (-1.0, 1.0)]
    return [panel, *posts, *knobs]
