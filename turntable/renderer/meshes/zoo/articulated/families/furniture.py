"""Furniture that opens and folds: cabinet, folding chair."""

import numpy as np

from turntable.renderer.meshes.zoo.articulated.articulation import Articulation, Hinge, Slide
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, frustum, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    Skin,
    draw_bool,
    make_dark_skin,
    make_metal,
    make_paint,
    make_pale_skin,
    make_plastic,
)
from turntable.renderer.meshes.zoo.sweeps import rod, tube
from turntable.renderer.meshes.zoo.textured_skins import make_boards, make_cloth, make_timber

_BOARD = 0.05
"""Thickness of the boards of a cabinet."""
_GAP = 0.012
"""Gap between a front and the boards around it."""


def build_cabinet(rng: np.random.Generator) -> Articulation:
    """Build a cabinet: a drawer above one door or two, a shelf within, on four feet."""
    width, depth, height = rng.uniform(0.85, 1.1), rng.uniform(0.5, 0.62), rng.uniform(1.05, 1.35)
    wood = make_timber(rng, 0.6)
    front = make_paint(rng) if draw_bool(rng, 0.4) else make_boards(rng, 0.5)
    knob, split = make_metal(rng), height - rng.uniform(0.28, 0.36)
    cabinet = Articulation().add_part("body", _build_carcass(rng, wood, (width, depth, height), split))
    high = height - split - 1.5 * _BOARD - 2 * _GAP
    drawer = _build_drawer(front, make_pale_skin(rng), knob, (width - 2 * _BOARD - 2 * _GAP, depth, high))
    middle = (split + height) / 2 - 0.25 * _BOARD
    slide = Slide("y", (0.0, 0.0, middle), -0.62 * depth, 0.0)
    cabinet.add_part("drawer", drawer.place(at=(0, 0, middle)), parent="body", joint=slide)
    bottom, top = _BOARD + _GAP, split - _BOARD / 2 - _GAP
    inner = width - 2 * _BOARD - 2 * _GAP
    sides = (-1, 1) if draw_bool(rng, 0.5) else (-1,)
    wide = (inner - _GAP) / 2 if len(sides) == 2 else inner
    for side in sides:
        door = _build_door(front, knob, (wide, top - bottom), side)
        pin = (side * inner / 2, -depth / 2 + 0.02, (bottom + top) / 2)
        hinge = Hinge("z", pin, *((-105, 0) if side < 0 else (0, 105)))
        name = "left door" if side < 0 else "right door"
        cabinet.add_part(name, door.place(at=pin), category="door", parent="body", joint=hinge)
    return cabinet


def _build_carcass(
    rng: np.random.Generator, wood: Skin, size: tuple[float, float, float], split: float
) -> Assembly:
    """Build the boards around the drawer and the doors, open to the front."""
    width, depth, height = size
    inner = width - 2 * _BOARD
    body = Assembly().add_mirrored(
        wood, box(_BOARD, depth, height).translate(width / 2 - _BOARD / 2, 0, height / 2)
    )
    body.add(wood, rounded_box(width + 0.06, depth + 0.06, _BOARD, 0.015, 1).translate(z=height + 0.01))
    for z, deep in ((_BOARD / 2 + 0.004, 1.0), (split, 1.0), (0.5 * split, 0.8)):
        body.add(
            wood,
            box(inner + 0.01, deep * depth - 0.03, _BOARD).translate(0, (1 - deep) * depth / 2 - 0.017, z),
        )
    body.add(
        make_boards(rng, 0.5),
        box(inner + 0.02, 0.03, height - 0.02).translate(0, depth / 2 - 0.02, height / 2),
    )
    foot = frustum(0.03, 0.045, 0.16, 14).translate(width / 2 - 0.07, depth / 2 - 0.07, -0.078)
    black = make_dark_skin(rng)
    body.add_mirrored(black, foot, foot.translate(y=0.14 - depth))
    # A vase on one side of the top, so that left and right can be told apart.
    return body.add(make_plastic(rng), ellipsoid(0.08, 0.08, 0.11).translate(0.3 * width, 0.1, height + 0.12))


def _build_drawer(front: Skin, inside: Skin, knob: Skin, size: tuple[float, float, float]) -> Assembly:
    """Build a drawer about the middle of its front, flush with the front of a cabinet at y = -depth / 2."""
    width, depth, high = size
    face = -depth / 2 + 0.02
    drawer = Assembly().add(front, rounded_box(width, 0.04, high, 0.01).translate(y=face))
    long, deep = 0.82 * depth, 0.62 * high
    floor = box(width - 0.07, long - 0.015, 0.02).translate(0, face + long / 2, -deep / 2)
    back = box(width - 0.066, 0.02, deep - 0.01).translate(0, face + long, 0)
    drawer.add(inside, floor, back)
    drawer.add_mirrored(inside, box(0.02, long, deep).translate(width / 2 - 0.04, face + long / 2, 0))
    grip = rod((-0.11, face - 0.07, 0), (0.11, face - 0.07, 0), 0.016, 10)
    posts = [rod((x, face - 0.07, 0), (x, face, 0), 0.012, 8) for x in (-0.09, 0.09)]
    return drawer.add(knob, grip, *posts)


def _build_door(front: Skin, knob: Skin, size: tuple[float, float], side: int) -> Assembly:
    """Build a door about the middle of its hinge, which is at its left (side -1) or right (side 1) edge."""
    wide, high = size
    middle = -side * wide / 2
    door = Assembly().add(front, rounded_box(wide, 0.04, high, 0.01).translate(x=middle))
    panel = rounded_box(0.7 * wide, 0.03, 0.74 * high, 0.012, 1)
    door.add(front, panel.rotate(y=180).translate(x=middle, y=-0.016))
    stem = rod((0, -0.06, 0), (0, 0, 0), 0.014, 10)
    ball = ellipsoid(0.034, 0.03, 0.034, 16, 9).translate(y=-0.065)
    return door.add(
        knob, *(solid.translate(x=-side * (wide - 0.06), z=0.12 * high) for solid in (stem, ball))
    )


def build_folding_chair(rng: np.random.Generator) -> Articulation:
    """Build a folding chair: a frame from the front feet to the back, rear legs, and a seat that tips up."""
    width, seat, top = rng.uniform(0.72, 0.86), rng.uniform(0.74, 0.84), rng.uniform(1.5, 1.7)
    skin = make_metal(rng) if draw_bool(rng, 0.5) else make_paint(rng)
    slope = rng.uniform(0.44, 0.54)
    cover = make_cloth(rng, 0.25) if draw_bool(rng, 0.5) else make_plastic(rng)
    black = make_dark_skin(rng)
    high = seat + 0.02
    frame = _build_chair_frame(skin, cover, black, (width, slope, top), high)
    legs, pin = _build_rear_legs(skin, black, width, seat)
    pad = Assembly().add(cover, rounded_box(width - 0.14, 0.62, 0.06, 0.025, 2).translate(0, -0.34, 0.0))
    pad.add_mirrored(skin, box(0.02, 0.4, 0.035).translate(width / 2 - 0.055, -0.22, -0.01))
    pad.add(black, cylinder(0.022, width - 0.02, 12).rotate(y=90))
    knee = (0.0, 0.0, high)
    return (
        Articulation()
        .add_part("frame", frame)
        .add_part("rear legs", legs, category="legs", parent="frame", joint=Hinge("x", pin, -46, 8))
        .add_part("seat", pad.place(at=knee), parent="frame", joint=Hinge("x", knee, -90, 6))
    )


def _build_chair_frame(
    skin: Skin, cover: Skin, black: Skin, size: tuple[float, float, float], seat: float
) -> Assembly:
    """Build the frame through the seat's hinge at y = 0: two bars that lean back, a rung and a backrest.

    Args:
        skin: Skin of the tubes.
        cover: Skin of the backrest.
        black: Skin of the feet.
        size: Width, shift of y for each unit of height, height of the top.
        seat: Height of the hinge of the seat.
    """
    width, slope, top = size
    x = width / 2

    def lean(z: float) -> float:
        return slope * (z - seat) * (1.0 if z < seat else 0.55)

    path = [(x, lean(0.0), 0.02), (x, 0.0, seat), (x, lean(top), top)]
    arch = [*path, (x - 0.06, lean(top), top + 0.06), (0.06 - x, lean(top), top + 0.06)]
    bend = [*arch, *[(-px, y, z) for px, y, z in reversed(path)]]
    frame = Assembly().add(skin, tube(bend, 0.032, 12))
    frame.add(skin, rod((-x, lean(0.26), 0.26), (x, lean(0.26), 0.26), 0.022, 10))
    foot = cylinder(0.045, 0.08, 14, bevel=0.01).translate(x, lean(0.0), 0.03)
    frame.add_mirrored(black, foot)
    middle, turn = top - 0.16, np.degrees(np.arctan(0.55 * slope))
    back = rounded_box(width - 0.05, 0.05, 0.34, 0.022, 2).rotate(x=-turn)
    return frame.add(cover, back.translate(0, lean(middle), middle))


def _build_rear_legs(
    skin: Skin, black: Skin, width: float, seat: float
) -> tuple[Assembly, tuple[float, float, float]]:
    """Build the rear legs, and return them with a point of their hinge, which is below that of the seat."""
    x, pin = width / 2 - 0.075, (0.0, -0.05, seat - 0.12)
    reach = 0.48
    legs = Assembly().add_mirrored(skin, rod((x, pin[1] - 0.01, pin[2] + 0.02), (x, reach, 0.02), 0.028, 12))
    legs.add(skin, rod((-x, 0.66 * reach, 0.27), (x, 0.66 * reach, 0.27), 0.02, 10))
    legs.add_mirrored(black, cylinder(0.04, 0.08, 14, bevel=0.01).translate(x, reach, 0.03))
    return legs.add(black, cylinder(0.02, width, 12).rotate(y=90).translate(*pin)), pin
