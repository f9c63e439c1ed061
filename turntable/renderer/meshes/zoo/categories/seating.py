"""Furniture to sit and lie on: chair, sofa, bed."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.materials import cloth, leather, timber
from turntable.renderer.meshes.zoo.outlines import curve, fillet, rectangle
from turntable.renderer.meshes.zoo.palette import chance, paint, pale, pick, printed
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, extrude, frustum, rounded_box
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import rod, sweep


def chair(rng: np.random.Generator) -> Assembly:
    """A dining chair: four legs, a seat with or without a cushion, a back of slats, spindles or a panel."""
    width, depth, seat = rng.uniform(0.42, 0.52), rng.uniform(0.4, 0.48), rng.uniform(0.42, 0.5)
    back, lean = rng.uniform(0.42, 0.6), rng.uniform(0.03, 0.1)
    frame = timber(rng, 0.25) if chance(rng, 0.65) else paint(rng)
    cushioned = chance(rng, 0.6)
    plank = frame if cushioned else (timber(rng, 0.25) if chance(rng, 0.5) else paint(rng))
    chair = Assembly().add(plank, rounded_box(width, depth, 0.04, 0.018, 2).at(z=seat))
    chair.add(frame, *_legs(rng, width, depth, seat))
    chair.add(frame, *_chair_back(rng, width, back, lean, at=(depth / 2 - 0.025, seat)))
    if cushioned:
        cushion = rounded_box(0.88 * width, 0.86 * depth, 0.06, 0.03, 2)
        chair.add(cloth(rng, 0.2), cushion.at(y=-0.02, z=seat + 0.04))
    if chance(rng, 0.35):
        chair.pair(frame, *_armrest(width, depth, seat))
    return chair


def _legs(rng: np.random.Generator, width: float, depth: float, seat: float) -> list[Solid]:
    """Straight or splayed legs, the hind ones set in, and stretchers between them."""
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


def _chair_back(
    rng: np.random.Generator, width: float, height: float, lean: float, at: tuple[float, float]
) -> list[Solid]:
    """Two posts, a top rail, and between them one of three fillings."""
    y, z = at
    x, top = width / 2 - 0.03, z + height
    posts = [
        sweep(rectangle(0.035, 0.035, 0.008), [(s * x, y, z - 0.01), (s * x, y + lean, top)]) for s in (-1, 1)
    ]
    crown = rounded_box(width, 0.032, rng.uniform(0.07, 0.12), 0.014, 2).turn(x=-3).at(0, y + lean, top)

    def behind(level: float) -> float:
        return y + lean * (level - z) / height

    style = pick(rng, ("slats", "spindles", "panel"))
    if style == "slats":
        levels = np.linspace(z + 0.16, top - 0.12, int(rng.integers(2, 4)))
        return [*posts, crown, *(box(2 * x, 0.016, 0.055).at(0, behind(h), h) for h in levels)]
    if style == "spindles":
        across = np.linspace(-0.72 * x, 0.72 * x, int(rng.integers(4, 7)))
        return [*posts, crown, *(rod((a, behind(z), z), (a, behind(top), top), 0.009) for a in across)]
    panel = box(1.5 * x, 0.018, 0.72 * height).turn(x=-np.degrees(np.arctan2(lean, height)))
    middle = z + 0.58 * height
    return [
        *posts,
        crown,
        panel.at(0, behind(middle), middle),
        box(2 * x, 0.02, 0.05).at(0, behind(z + 0.12), z + 0.12),
    ]


def _armrest(width: float, depth: float, seat: float) -> tuple[Solid, Solid]:
    x, high = width / 2 - 0.01, seat + 0.21
    rest = rounded_box(0.045, 0.92 * depth, 0.03, 0.012).at(x, -0.005, high)
    return rest, rod((x, -0.36 * depth, seat - 0.01), (x, -0.4 * depth, high), 0.014)


def sofa(rng: np.random.Generator) -> Assembly:
    """A sofa of one to three seats; a cushion or two, a throw at one arm."""
    seats = int(rng.integers(1, 4))
    width, depth = 0.35 + 0.58 * seats, rng.uniform(0.8, 0.92)
    seat, arm, back = rng.uniform(0.36, 0.42), rng.uniform(0.54, 0.64), rng.uniform(0.74, 0.92)
    cover = leather(rng, 0.4) if chance(rng, 0.4) else cloth(rng, 0.35)
    thick, soft = rng.uniform(0.14, 0.2), rng.uniform(0.04, 0.09)
    sofa = Assembly().add(
        cover, rounded_box(width - 0.1, depth - 0.06, seat - 0.2, 0.03).at(z=0.5 * seat - 0.02)
    )
    sofa.add(
        cover,
        rounded_box(width - 0.06, 0.2, back - 0.1, soft, 2)
        .turn(x=-6)
        .at(0, depth / 2 - 0.1, back / 2 + 0.05),
    )
    sofa.pair(
        cover, rounded_box(thick, depth, arm - 0.1, soft, 3).at(width / 2 - thick / 2, 0, arm / 2 + 0.05)
    )
    room = (width - 2 * thick) / seats
    for number in range(seats):
        x = (number - (seats - 1) / 2) * room
        sofa.add(cover, rounded_box(room - 0.012, depth - 0.2, 0.17, 0.05, 2).at(x, -0.08, seat))
        hind = rounded_box(room - 0.02, 0.18, back - seat, 0.07, 2).turn(x=-12)
        sofa.add(cover, hind.at(x, depth / 2 - 0.24, (seat + back) / 2 + 0.06))
    feet = [
        frustum(0.02, 0.03, 0.14, 10).at(x, y, 0.05)
        for x in (-width / 2 + 0.12, width / 2 - 0.12)
        for y in (-0.4 * depth, 0.4 * depth)
    ]
    sofa.add(timber(rng), *feet)
    pillow = ellipsoid(0.21, 0.085, 0.21, 16, 9).warp(_squared)
    side = pick(rng, (-1.0, 1.0))
    sofa.add(
        cloth(rng, 0.15), pillow.turn(x=-24, z=8).at(side * (width / 2 - thick - 0.2), -0.02, seat + 0.27)
    )
    throw = _over_arm(width / 2 - thick / 2, arm, thick, rng.uniform(0.22, 0.36))
    return sofa.add(cloth(rng, 0.2), throw if side < 0 else throw.mirror())


def _squared(points: np.ndarray) -> np.ndarray:
    """Draw a disc out into a pillow with corners, thin at its rim."""
    angle = np.arctan2(points[:, 2], points[:, 0])
    reach = 1.0 / np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle))) ** 0.75
    return np.column_stack([points[:, 0] * reach, points[:, 1], points[:, 2] * reach])


def _over_arm(x: float, top: float, thick: float, length: float) -> Solid:
    """A blanket folded over an arm (at x): a thin sheet bent three times."""
    half = thick / 2 + 0.012
    height = [
        (-half, -0.14),
        (-half, -0.04),
        (-0.5 * half, 0.012),
        (0.5 * half, 0.012),
        (half, -0.04),
        (half, -0.3),
    ]
    path = curve([(x + across, -0.12, top + above) for across, above in height], 16)
    return sweep(rectangle(0.022, length), path, up=(0.0, 1.0, 0.0))


def bed(rng: np.random.Generator) -> Assembly:
    """A bed, headboard behind, feet to the front; one or two pillows and a blanket turned down."""
    wide = chance(rng, 0.5)
    width, length = (rng.uniform(1.3, 1.7) if wide else rng.uniform(0.85, 1.1)), rng.uniform(1.9, 2.1)
    frame = timber(rng, 0.6) if chance(rng, 0.7) else paint(rng)
    high, low, head = rng.uniform(0.3, 0.42), rng.uniform(0.3, 0.45), rng.uniform(0.9, 1.25)
    bed = Assembly().add(frame, rounded_box(width, length, 0.16, 0.03).at(z=high - 0.08))
    bed.add(
        frame,
        *_board(rng, width + 0.06, head, length / 2),
        *_board(rng, width + 0.06, low + 0.12, -length / 2),
    )
    bed.add(pale(rng), rounded_box(width - 0.06, length - 0.08, 0.24, 0.07, 2).at(z=high + 0.1))
    cover = printed(textures.quilt(rng), 0.9, 0.9) if chance(rng, 0.4) else cloth(rng, 0.5)
    fold = rng.uniform(0.2, 0.4)
    blanket = rounded_box(width + 0.05, length - 0.55 - fold, 0.25, 0.06, 2)
    bed.add(cover, blanket.at(y=-0.3 * 0.5 - fold / 2 + 0.03, z=high + 0.118))
    bed.add(
        pale(rng),
        rounded_box(width + 0.06, 0.22, 0.2, 0.06, 2).at(y=length / 2 - 0.55 - fold + 0.02, z=high + 0.17),
    )
    slip = cloth(rng, 0.25)
    pillow = ellipsoid(0.32, 0.1, 0.22, 18, 9).warp(_squared).turn(x=68)
    spots = (-0.25 * width, 0.25 * width) if wide else (pick(rng, (-0.06, 0.06)),)
    for x in spots:
        bed.add(slip, pillow.turn(z=rng.uniform(-8, 8)).at(x, length / 2 - 0.3, high + 0.28))
    return bed


def _board(rng: np.random.Generator, width: float, height: float, y: float) -> list[Solid]:
    """A head- or footboard with an arched top and two round posts."""
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
    panel = extrude(outline, 0.05, along="y", bevel=0.008).at(y=y)
    posts = [cylinder(0.045, height, 14, bevel=0.012).at(s * x, y, height / 2) for s in (-1.0, 1.0)]
    knobs = [ellipsoid(0.055, 0.055, 0.055, 12, 7).at(s * x, y, height + 0.02) for s in (-1.0, 1.0)]
    return [panel, *posts, *knobs]
