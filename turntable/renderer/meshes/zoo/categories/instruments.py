"""Musical instruments: guitar, piano."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import fillet, spline
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, extrude, frustum, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    DARK,
    PALE,
    VIVID,
    Skin,
    draw_bool,
    draw_color,
    draw_item,
    make_dark_skin,
    make_metal,
    make_paint,
    make_pale_skin,
    make_plain_skin,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Array
from turntable.renderer.meshes.zoo.sweeps import rod
from turntable.renderer.meshes.zoo.textured_skins import make_leather, make_timber

_ACOUSTIC = (
    (0.0, 0.0),
    (0.55, 0.02),
    (0.98, 0.3),
    (0.92, 0.62),
    (0.66, 0.92),
    (0.7, 1.14),
    (0.72, 1.34),
    (0.5, 1.54),
    (0.12, 1.6),
)
"""Right half of the outline of an acoustic guitar, bottom to top."""
_ELECTRIC = (
    (0.0, 0.0),
    (0.5, 0.0),
    (0.92, 0.22),
    (0.9, 0.55),
    (0.66, 0.84),
    (0.72, 1.08),
    (0.78, 1.36),
    (0.6, 1.5),
    (0.4, 1.32),
    (0.2, 1.2),
)
"""Right half of the outline of an electric guitar, bottom to top."""


def build_guitar(rng: np.random.Generator) -> Assembly:
    """Build an upright guitar with its strings to the front: acoustic, or electric with two horns."""
    electric, scale = draw_bool(rng, 0.45), rng.uniform(0.88, 1.1)
    half = np.array(_ELECTRIC if electric else _ACOUSTIC) * (
        scale * rng.uniform(0.45, 0.535),
        0.6 * scale,
    )
    left = half[::-1] * (-1.0, 1.0)
    if electric:
        # The horn over the strings' low side reaches higher.
        left = left * np.where(left[:, 1:] > 0.6 * scale, (1.0, 1.12), (1.0, 1.0))
    outline = spline(np.concatenate([half, left[:-1]]), 46, closed=True)
    thick = 0.1 if electric else rng.uniform(0.2, 0.26)
    body = extrude(outline, thick, along="y", bevel=0.02 if electric else 0.012)
    side = make_paint(rng) if electric else make_timber(rng, 0.5)
    guitar = Assembly().add(side, body)
    high = float(outline[:, 1].max())
    face = -thick / 2
    _add_front(rng, guitar, outline, face, high, scale, electric=electric)
    end = _add_neck(rng, guitar, face, high, electric=electric)
    _add_strings(guitar, make_metal(rng), face, (0.2 if not electric else 0.22) * high, end)
    return guitar


def _add_front(
    rng: np.random.Generator,
    guitar: Assembly,
    outline: Array,
    face: float,
    high: float,
    scale: float,
    *,
    electric: bool,
) -> None:
    """Add the parts of the front, with a pick guard at one side.

    An acoustic guitar has a top, a sound hole and a bridge; an electric one pickups, knobs and a lever.
    """
    black, steel = make_dark_skin(rng), make_metal(rng)
    guard = [(0.04, 0.42), (0.26, 0.36), (0.3, 0.5), (0.18, 0.66), (0.05, 0.68)]
    shield = extrude(spline(np.array(guard) * (scale, high / 0.96), 20, closed=True), 0.03, along="y")
    guitar.add(make_plain_skin(draw_color(rng, PALE, DARK, VIVID), 0.55), shield.translate(y=face - 0.012))
    if electric:
        for z in (0.36, 0.5, 0.62):
            guitar.add(black, rounded_box(0.24, 0.06, 0.06, 0.02).translate(0, face - 0.02, z * high))
        guitar.add(steel, rounded_box(0.2, 0.07, 0.07, 0.015).translate(0, face - 0.015, 0.22 * high))
        knob = cylinder(0.035, 0.08, 14, bevel=0.01).rotate(x=90)
        guitar.add(
            steel,
            *(knob.translate(x, face - 0.03, z * high) for x, z in ((0.2, 0.3), (0.28, 0.22), (0.3, 0.34))),
        )
        guitar.add(steel, rod((0.06, face - 0.03, 0.2 * high), (0.14, face - 0.1, 0.42 * high), 0.012))
        return
    table = extrude(outline * 0.955 + (0.0, 0.0225 * high), 0.03, along="y", bevel=0.005)
    guitar.add(make_timber(rng, 0.7), table.translate(y=face - 0.006))
    guitar.add(
        make_pale_skin(rng), cylinder(0.165, 0.03, 28).rotate(x=90).translate(0, face - 0.014, 0.62 * high)
    )
    guitar.add(
        make_plain_skin((0.05, 0.04, 0.04), 0.95),
        cylinder(0.135, 0.035, 26).rotate(x=90).translate(0, face - 0.017, 0.62 * high),
    )
    guitar.add(black, rounded_box(0.36, 0.06, 0.07, 0.015).translate(0, face - 0.026, 0.2 * high))


def _add_neck(
    rng: np.random.Generator, guitar: Assembly, face: float, high: float, *, electric: bool
) -> float:
    """Add the neck, the fingerboard with frets and dots, and the head with its pegs.

    Returns:
        Height at which the strings end.
    """
    length, wood = rng.uniform(0.85, 1.0), make_timber(rng, 0.3)
    start = 0.7 * high
    top = high + length
    guitar.add(wood, box(0.13, 0.1, top - start - 0.1).translate(0, face + 0.035, (top + start) / 2 + 0.1))
    guitar.add(
        make_dark_skin(rng), box(0.145, 0.045, top - start).translate(0, face - 0.026, (top + start) / 2)
    )
    steel = make_metal(rng)
    for number in range(10):
        z = top - (top - start) * (1 - 0.5 ** (number / 6.5)) * 1.25
        guitar.add(steel, box(0.149, 0.02, 0.012).translate(0, face - 0.043, z - 0.01))
    pearls = [
        cylinder(0.018, 0.02, 10).rotate(x=90).translate(0, face - 0.0425, top - share * (top - start))
        for share in (0.3, 0.46, 0.6)
    ]
    guitar.add(make_plain_skin(draw_color(rng, PALE), 0.5), *pearls)
    lean = 0.1 if electric else 0.0
    head = [
        (-0.07, 0.0),
        (0.07, 0.0),
        (0.12, 0.08),
        (0.11 + lean, 0.34),
        (0.02, 0.38),
        (-0.11, 0.32 - lean),
        (-0.11, 0.08),
    ]
    board = extrude(fillet(head, 0.04), 0.06, along="y", bevel=0.008).rotate(x=-8)
    guitar.add(wood if draw_bool(rng, 0.6) else make_paint(rng), board.translate(0, face + 0.02, top - 0.01))
    peg = ellipsoid(0.04, 0.016, 0.024, 10, 7)
    sides = (-1.0,) if electric else (-1.0, 1.0)
    count = 6 if electric else 3
    for side in sides:
        for number in range(count):
            z = top + 0.09 + 0.22 * number / (count - 1)
            guitar.add(
                steel,
                peg.translate(side * 0.155, face + 0.045, z),
                rod((side * 0.08, face + 0.045, z), (side * 0.14, face + 0.045, z), 0.009),
            )
    return top


def _add_strings(guitar: Assembly, steel: Skin, face: float, low: float, top: float) -> None:
    """Add six strings."""
    for number in range(6):
        x = (number - 2.5) * 0.02
        guitar.add(steel, rod((1.3 * x, face - 0.068, low), (x, face - 0.056, top + 0.06), 0.0045, 4))


def build_piano(rng: np.random.Generator) -> Assembly:
    """Build an upright or a grand piano: keys to the front, the music slightly to one side, a stool."""
    lacquer = (
        make_timber(rng, 0.8)
        if draw_bool(rng, 0.45)
        else make_plain_skin(draw_color(rng, DARK, PALE, VIVID), 0.5)
    )
    piano = Assembly()
    front = (
        _add_upright_piano(rng, piano, lacquer)
        if draw_bool(rng, 0.5)
        else _add_grand_piano(rng, piano, lacquer)
    )
    x, height = rng.uniform(-0.2, 0.2), 0.48
    cushion = make_leather(rng) if draw_bool(rng, 0.6) else make_paint(rng)
    piano.add(cushion, rounded_box(0.62, 0.36, 0.1, 0.045, 2).translate(x, front - 0.42, height))
    legs = [
        rod(
            (x + sx * 0.25, front - 0.42 + sy * 0.12, 0.0),
            (x + sx * 0.25, front - 0.42 + sy * 0.12, height),
            0.03,
        )
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    return piano.add(lacquer, *legs)


def _add_keyboard(piano: Assembly, y: float, z: float, width: float) -> None:
    """Add white keys as one striped slab, and black keys in twos and threes."""
    count = 28
    pixels = textures.make_stripes((0.97, 0.96, 0.92), (0.97, 0.96, 0.92), 1)
    pixels[:, :5] = 70
    ivory = make_textured_skin(pixels, width / count, 0.5)
    slab = box(width, 0.24, 0.05)
    piano.add(ivory, slab.translate(0, y, z))
    black = make_plain_skin((0.06, 0.06, 0.07), 0.5)
    for number in range(count - 1):
        if number % 7 not in (2, 6):
            x = (number + 1 - count / 2) * width / count
            piano.add(black, box(0.55 * width / count, 0.15, 0.05).translate(x, y + 0.05, z + 0.035))


def _add_music_stand(rng: np.random.Generator, piano: Assembly, y: float, z: float, skin: Skin) -> None:
    """Add a stand with an open book of music, off its middle."""
    side = draw_item(rng, (-1.0, 1.0))
    piano.add(skin, box(0.8, 0.03, 0.28).rotate(x=-15).translate(0, y, z + 0.14))
    lines = make_textured_skin(
        textures.make_stripes((0.96, 0.95, 0.9), (0.45, 0.45, 0.45), 4, upright=False), 0.25, 0.9
    )
    for leaf in (-1.0, 1.0):
        sheet = box(0.2, 0.02, 0.27).rotate(z=8 * leaf).rotate(x=-15)
        piano.add(lines, sheet.translate(side * 0.14 + leaf * 0.104, y - 0.045, z + 0.16 + 0.004 * leaf))


def _add_upright_piano(rng: np.random.Generator, piano: Assembly, skin: Skin) -> float:
    """Add an upright piano. Return the y of its front."""
    width, high, deep = rng.uniform(1.4, 1.55), rng.uniform(1.1, 1.3), 0.36
    piano.add(skin, rounded_box(width, deep, high, 0.02).translate(0, 0.1, high / 2 + 0.02))
    piano.add(skin, rounded_box(width + 0.06, deep + 0.08, 0.05, 0.015).translate(0, 0.09, high + 0.03))
    piano.add(skin, rounded_box(width - 0.02, 0.34, 0.1, 0.03).translate(0, -0.22, 0.62)).add_mirrored(
        skin, rounded_box(0.09, 0.36, 0.2, 0.03).translate(width / 2 - 0.045, -0.22, 0.7)
    )
    piano.add_mirrored(skin, frustum(0.035, 0.05, 0.64, 14).translate(width / 2 - 0.08, -0.3, 0.32))
    piano.add(skin, rounded_box(width - 0.02, 0.6, 0.08, 0.02).translate(0, -0.06, 0.046))
    _add_keyboard(piano, -0.24, 0.68, width - 0.19)
    _add_music_stand(rng, piano, -0.11, 0.82, skin)
    brass = make_metal(rng)
    piano.add(
        brass, *(rounded_box(0.05, 0.16, 0.025, 0.01).translate(x, -0.14, 0.13) for x in (-0.1, 0.0, 0.1))
    )
    panel = rounded_box(0.8 * width, 0.04, 0.36, 0.01).translate(0, -0.085, 0.36)
    piano.add(skin if draw_bool(rng, 0.3) else make_timber(rng, 0.8), panel)
    x = draw_item(rng, (-0.34, 0.34)) * width
    vase = frustum(0.05, 0.08, 0.2, 16).translate(x, 0.1, high + 0.14)
    piano.add(make_paint(rng), vase)
    for number in range(5):
        a = 2 * np.pi * number / 5
        tip = (x + 0.09 * np.cos(a), 0.1 + 0.09 * np.sin(a), high + 0.38)
        piano.add(
            make_plain_skin((0.2, 0.45, 0.18), 0.8),
            rod((0.8 * x + 0.2 * tip[0], 0.08 + 0.2 * tip[1], high + 0.2), tip, 0.008, 5),
        )
        piano.add(make_paint(rng), ellipsoid(0.045, 0.045, 0.035, 10, 7).translate(*tip))
    return -0.4


def _add_grand_piano(rng: np.random.Generator, piano: Assembly, skin: Skin) -> float:
    """Add a grand piano with its lid propped open toward the left. Return the y of its front."""
    width, length, rim = 1.45, rng.uniform(1.4, 1.9), 0.32
    w, base = width / 2, 0.62
    bend = [(-w, -0.3), (w, -0.3), (w, 0.25), (0.95 * w, 0.45 * length), (0.25 * w, 0.62 * length)]
    shape = np.array(
        [*bend, (-0.02 * w, 0.9 * length), (-0.4 * w, length), (-0.85 * w, 0.94 * length), (-w, 0.8 * length)]
    )
    outline = fillet(shape, (0.02, 0.02, 0.1, 0.25, 0.25, 0.2, 0.15, 0.15, 0.1), 4)
    piano.add(skin, extrude(outline, rim, bevel=0.012).translate(z=base + rim / 2))
    inner = np.array([0.0, 0.45 * length]) + (outline - (0.0, 0.45 * length)) * 0.92
    gold = make_plain_skin(draw_color(rng, (0xC9A24A, 0xB98F3E)), 0.55)
    piano.add(gold, extrude(inner, 0.04).translate(z=base + rim + 0.002))
    piano.add(
        make_plain_skin((0.3, 0.24, 0.14), 0.7),
        *(
            rod(
                (-0.8 * w + 0.17 * n, 0.1, base + rim + 0.03),
                (-0.75 * w + 0.1 * n, (0.85 - 0.05 * n) * length, base + rim + 0.03),
                0.008,
                4,
            )
            for n in range(8)
        ),
    )
    lid = (
        extrude(outline, 0.03, bevel=0.006)
        .translate(x=w)
        .rotate(y=-rng.uniform(32, 42))
        .translate(-w, 0, base + rim + 0.04)
    )
    piano.add(skin, lid)
    prop = rod((0.85 * w, 0.3, base + rim), (0.5 * w, 0.3, base + rim + 0.85), 0.015)
    piano.add(skin, prop)
    piano.add(
        skin, rounded_box(width - 0.02, 0.36, 0.14, 0.03).translate(0, -0.46, base + 0.07)
    ).add_mirrored(skin, rounded_box(0.1, 0.38, 0.26, 0.03).translate(w - 0.05, -0.46, base + 0.14))
    _add_keyboard(piano, -0.48, base + 0.15, width - 0.21)
    _add_music_stand(rng, piano, -0.24, base + rim, skin)
    for x, y in ((0.85 * w, -0.25), (-0.85 * w, -0.25), (-0.4 * w, 0.8 * length)):
        piano.add(skin, frustum(0.045, 0.075, base + 0.04, 16).translate(x, y, base / 2 + 0.02))
    brass = make_metal(rng)
    piano.add(skin, box(0.26, 0.06, base).translate(0, -0.1, base / 2 + 0.05))
    piano.add(
        brass, *(rounded_box(0.05, 0.16, 0.03, 0.01).translate(x, -0.2, 0.08) for x in (-0.08, 0.0, 0.08))
    )
    return -0.64
