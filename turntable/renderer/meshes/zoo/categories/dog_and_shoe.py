"""Dog and shoe."""

from collections.abc import Callable

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import Points, spline, superellipse
from turntable.renderer.meshes.zoo.primitives import (
    cylinder,
    ellipsoid,
    extrude,
    loft,
    loft_sections,
    rounded_box,
)
from turntable.renderer.meshes.zoo.skins import (
    DARK,
    PALE,
    SOFT,
    VIVID,
    WOODS,
    Skin,
    draw_bool,
    draw_color,
    draw_item,
    draw_two_colors,
    make_metal,
    make_paint,
    make_pale_skin,
    make_plain_skin,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod, sweep, torus
from turntable.renderer.meshes.zoo.textured_skins import make_leather


def build_dog(rng: np.random.Generator) -> Assembly:
    """Build a standing dog that looks to the front, head slightly to one side, tail up, collar with a tag."""
    long, tall, stout = rng.uniform(0.85, 1.3), rng.uniform(0.45, 0.8), rng.uniform(0.85, 1.15)
    fur, points = _make_coat_skins(rng)
    belly, half = tall - 0.05, long / 2
    stations = [(-half - 0.12, belly + 0.2, belly + 0.42, 0.18), (-half, belly + 0.02, belly + 0.5, 0.38)]
    stations += [
        (-0.4 * half, belly - 0.05, belly + 0.48, 0.42),
        (0.4 * half, belly + 0.06, belly + 0.45, 0.36),
    ]
    stations += [
        (0.9 * half, belly + 0.08, belly + 0.46, 0.36),
        (half + 0.1, belly + 0.2, belly + 0.38, 0.16),
    ]
    table = spline(np.array(stations) * (1, 1, 1, stout), 18)
    dog = Assembly().add(fur, loft_sections(table, 2.2, 24))
    for y, hind in ((-half + 0.02, False), (0.86 * half, True)):
        for side in (-1.0, 1.0):
            dog.add(fur, _build_leg(0.15 * stout * side, y, belly + 0.24, hind=hind))
            dog.add(
                points, ellipsoid(0.075, 0.11, 0.055, 14, 7).translate(0.15 * stout * side, y - 0.03, 0.05)
            )
    neck = (0.0, -half - 0.02, belly + 0.34)
    head = (0.0, -half - rng.uniform(0.2, 0.3), belly + rng.uniform(0.62, 0.78))
    dog.add(
        fur,
        bent_tube(
            [neck, (0, (neck[1] + head[1]) / 2, (neck[2] + head[2]) / 2), head], [0.19, 0.15, 0.13], 8, 14
        ),
    )
    _add_collar(rng, dog, np.array(neck), np.array(head))
    dog.add_assembly(_build_head(rng, fur, points).place(turn_z=rng.uniform(-22, 22), at=head))
    curl, rise = rng.uniform(-0.1, 0.1), rng.uniform(0.25, 0.5)
    tail = [
        (0, half, belly + 0.38),
        (curl, half + 0.2, belly + 0.4 + 0.5 * rise),
        (1.6 * curl, half + 0.24, belly + 0.4 + rise),
    ]
    return dog.add(points if draw_bool(rng, 0.5) else fur, bent_tube(tail, [0.065, 0.055, 0.03], 10, 10))


def _make_coat_skins(rng: np.random.Generator) -> tuple[Skin, Skin]:
    """Make a coat of one color, shaded or piebald, and the skin of feet and ears."""
    first, second = draw_two_colors(rng, WOODS, PALE, DARK)
    pixels = draw_item(
        rng,
        (
            textures.make_hide(rng, first),
            textures.make_spots(rng, first, second),
            textures.make_hide(rng, second),
        ),
    )
    return make_textured_skin(pixels, 0.8, 0.9), make_plain_skin(second, 0.9)


def _build_leg(x: float, y: float, hip: float, *, hind: bool) -> Solid:
    """Build a leg down to the ground. Hind legs bend back at the hock."""
    if not hind:
        return bent_tube([(x, y, hip), (x, y + 0.03, 0.5 * hip), (x, y, 0.05)], [0.11, 0.075, 0.06], 10, 12)
    path = [(x, y - 0.04, hip), (x, y - 0.06, 0.62 * hip), (x, y + 0.1, 0.36 * hip), (x, y, 0.05)]
    return bent_tube(path, [0.12, 0.1, 0.06, 0.055], 12, 12)


def _add_collar(rng: np.random.Generator, dog: Assembly, neck: Array, head: Array) -> None:
    """Add a ring around the middle of the neck, with its tag."""
    middle, along = 0.55 * neck + 0.45 * head, head - neck
    tilt = float(np.degrees(np.arctan2(-along[1], along[2])))
    dog.add(make_paint(rng), torus(0.155, 0.03, 24, 8).rotate(x=tilt).translate(*middle))
    dog.add(
        make_metal(rng),
        cylinder(0.05, 0.016, 14).rotate(x=75).translate(middle[0], middle[1] - 0.17, middle[2] - 0.1),
    )


def _build_head(rng: np.random.Generator, fur: Skin, points: Skin) -> Assembly:
    """Build a head on the origin with its muzzle to -y: eyes, nose, tongue, and ears that hang or stand."""
    snout = rng.uniform(0.2, 0.34)
    head = Assembly().add(fur, ellipsoid(0.19, 0.21, 0.18, 20, 13))
    stations = [
        (-0.17 - snout, -0.1, 0.03, 0.1),
        (-0.12 - snout, -0.13, 0.05, 0.17),
        (-0.1, -0.14, 0.08, 0.22),
        (0.05, -0.12, 0.1, 0.24),
    ]
    head.add(fur if draw_bool(rng, 0.5) else points, loft_sections(stations, 2.4, 18))
    black = make_plain_skin((0.05, 0.045, 0.045), 0.5)
    head.add(black, ellipsoid(0.055, 0.04, 0.04, 12, 7).translate(0, -0.18 - snout, 0.03))
    head.add_mirrored(black, ellipsoid(0.03, 0.025, 0.033, 10, 7).translate(0.09, -0.17, 0.08))
    if draw_bool(rng, 0.6):
        head.add(
            make_plain_skin((0.85, 0.35, 0.4), 0.6),
            rounded_box(0.07, 0.14, 0.03, 0.012).rotate(x=35).translate(0, -0.12 - snout, -0.14),
        )
    if draw_bool(rng, 0.5):
        ear = ellipsoid(0.035, 0.085, 0.19, 12, 9).rotate(y=-14).translate(0.2, 0.0, -0.02)
    else:
        ear = (
            loft(np.stack([_make_ring(0.075, 0.0), _make_ring(0.06, 0.1), _make_ring(0.008, 0.24)]))
            .rotate(y=10)
            .translate(0.11, 0.03, 0.1)
        )
    return head.add_mirrored(points, ear)


def _make_ring(radius: float, z: float) -> Array:
    """Make a flat oval ring [12, 3] at height z."""
    outline = superellipse(12) * (radius, 0.5 * radius)
    return np.column_stack([outline, np.full(12, z)])


def build_shoe(rng: np.random.Generator) -> Assembly:
    """Build a left or right shoe, toe to the front: a sneaker, or a boot with a high shaft."""
    boot, width = draw_bool(rng, 0.4), rng.uniform(0.7, 0.8)
    heel_high = rng.uniform(0.72, 0.85) if not boot else rng.uniform(1.15, 1.5)
    upper = (
        make_leather(rng, 0.7)
        if draw_bool(rng, 0.45)
        else make_plain_skin(draw_color(rng, VIVID, SOFT, PALE), 0.75)
    )
    accent = make_plain_skin(draw_color(rng, VIVID, PALE, DARK), 0.7)
    sole_skin = (
        make_pale_skin(rng) if draw_bool(rng, 0.6) else make_plain_skin(draw_color(rng, DARK, WOODS), 0.85)
    )
    thick = rng.uniform(0.12, 0.2)
    side = draw_item(rng, (-1.0, 1.0))

    def bend_toe(points: Array) -> Array:
        """Turn the toe inward, as in a foot."""
        inward = side * 0.09 * np.clip((-points[:, 1] - 0.1) / 0.9, 0.0, 1.2) ** 2
        return np.column_stack([points[:, 0] + inward, points[:, 1:]])

    shoe = Assembly().add(sole_skin, _build_sole(width, thick).warp(bend_toe))
    shoe.add(upper, _build_upper(width, heel_high).translate(z=thick).warp(bend_toe))
    toe, counter = _build_shoe_caps(width)
    shoe.add(accent, toe.translate(z=thick - 0.02).warp(bend_toe), counter.translate(z=thick - 0.02))
    _add_laces(rng, shoe, heel_high, thick, bend_toe)
    _add_opening(shoe, accent, width, thick + heel_high)
    shoe.add(accent, *_build_side_stripes(rng, width, thick))
    tab = rounded_box(0.12, 0.06, 0.24, 0.02).translate(0, 0.82, thick + heel_high - 0.04)
    return shoe.add(make_plain_skin(draw_color(rng, VIVID), 0.7), tab)


def _build_shoe_caps(width: float) -> tuple[Solid, Solid]:
    """Build the toe cap and the heel cap, both slightly wider than the upper."""
    toe = [(-1.06, 0.0, 0.2, 0.34), (-0.96, 0.0, 0.31, 0.83 * width), (-0.72, 0.0, 0.375, 0.98 * width)]
    heel = [(0.62, 0.0, 0.35, 0.78 * width), (0.8, 0.0, 0.5, 0.7 * width), (0.95, 0.05, 0.42, 0.42 * width)]
    return loft_sections(spline(toe, 6), 2.6, 22), loft_sections(spline(heel, 6), 2.6, 20)


def _add_opening(shoe: Assembly, trim: Skin, width: float, z: float) -> None:
    """Add the dark inside and its padded rim, slightly lower in front."""
    inside = ellipsoid(0.27 * width, 0.31, 0.035, 22, 7).rotate(x=-7)
    shoe.add(make_plain_skin((0.12, 0.11, 0.12), 0.95), inside.translate(0, 0.44, z - 0.005))
    rim = torus(1.0, 0.05, 26, 8).scale(0.313 * width, 0.36, 0.8).rotate(x=-7)
    shoe.add(trim, rim.translate(0, 0.44, z - 0.02))


def _build_sole(width: float, thick: float) -> Solid:
    """Build a footprint with a beveled edge."""
    half = [
        (0.0, -1.1),
        (0.36, -0.98),
        (0.52, -0.62),
        (0.46, -0.1),
        (0.4, 0.4),
        (0.4, 0.75),
        (0.22, 0.95),
        (0.0, 0.99),
    ]
    right = np.array(half) * (width / 0.98, 1.0)
    outline = spline(np.concatenate([right, right[-2:0:-1] * (-1, 1)]), 40, closed=True)
    return extrude(outline, thick + 0.06, bevel=0.03).translate(z=thick / 2)


def _build_upper(width: float, high: float) -> Solid:
    """Build the upper: low over the toes, rising over the tongue to the ankle."""
    stations = [
        (-1.03, 0.0, 0.16, 0.3 * width),
        (-0.94, -0.04, 0.28, 0.72 * width),
        (-0.65, -0.05, 0.36, 0.96 * width),
        (-0.3, -0.05, 0.46, 0.95 * width),
        (0.0, -0.05, 0.36 + 0.35 * high, 0.86 * width),
        (0.14, -0.05, 0.94 * high, 0.78 * width),
        (0.45, -0.05, 0.97 * high, 0.74 * width),
        (0.75, -0.05, high, 0.66 * width),
        (0.88, -0.02, 0.96 * high, 0.44 * width),
        (0.93, 0.1, 0.8 * high, 0.2 * width),
    ]
    return loft_sections(stations, (2.2, 2.3, 2.4, 2.4, 2.5, 2.8, 3.0, 2.8, 2.4, 2.2), 26, crease=60.0)


def _add_laces(
    rng: np.random.Generator, shoe: Assembly, high: float, thick: float, bend_toe: Callable[[Array], Array]
) -> None:
    """Add laces across the instep and a bow above them."""
    skin = make_plain_skin(draw_color(rng, PALE, VIVID), 0.85)
    instep = np.array([(-0.36, 0.44), (-0.3, 0.46), (0.0, 0.36 + 0.35 * high), (0.14, 0.94 * high)])
    count = int(rng.integers(5, 8))
    for share in np.linspace(0.02, 0.8, count):
        y, z = _interpolate(instep, share) + np.array((0.0, thick))
        shoe.add(skin, rod((-0.17, y, z - 0.025), (0.17, y, z - 0.015), 0.028).warp(bend_toe))
    y, z = _interpolate(instep, 0.88) + np.array((-0.03, thick))
    for side in (-1.0, 1.0):
        bow = torus(0.085, 0.02, 14, 6).scale(x=1.3, y=0.7).rotate(x=40, z=18 * side)
        shoe.add(skin, bow.translate(side * 0.11, y - 0.05, z))


def _interpolate(line: Array, share: float) -> Array:
    """Return the point [2] at a share of a line's length."""
    lengths = np.concatenate([[0.0], np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()])
    at = share * lengths[-1]
    return np.array([np.interp(at, lengths, line[:, axis]) for axis in range(2)])


def _build_side_stripes(rng: np.random.Generator, width: float, thick: float) -> list[Solid]:
    """Build two or three slanting stripes on one side."""
    count = int(rng.integers(2, 4))
    stripes: list[Solid] = []
    for number in range(count):
        y = 0.17 * number
        path: Points = [
            (0.43 * width, y - 0.12, thick + 0.02),
            (0.47 * width, y - 0.06, thick + 0.2),
            (0.36 * width, y, thick + 0.42),
        ]
        stripes.append(sweep(superellipse(8, 4.0) * (0.035, 0.05), spline(path, 6), up=(0.0, 1.0, 0.0)))
    return stripes
