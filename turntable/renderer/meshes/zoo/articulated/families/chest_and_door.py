"""Things that open: chest, door."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.articulated.articulation import Articulation, Hinge, Point
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import superellipse
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, extrude, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    PALE,
    VIVID,
    Skin,
    draw_bool,
    draw_color,
    draw_two_colors,
    make_dark_skin,
    make_glass,
    make_metal,
    make_paint,
    make_pale_skin,
    make_plain_skin,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import arc, sweep
from turntable.renderer.meshes.zoo.textured_skins import make_boards, make_timber

_WALL = 0.05
"""Thickness of the walls of a chest."""


def build_chest(rng: np.random.Generator) -> Articulation:
    """Build a treasure chest, a little open: a barrel lid with bands, a lock, a ring at each side."""
    width, depth, height = rng.uniform(1.1, 1.4), rng.uniform(0.66, 0.8), rng.uniform(0.42, 0.56)
    wood, metal = make_boards(rng, 0.45), make_metal(rng)
    iron = metal if draw_bool(rng, 0.6) else make_dark_skin(rng)
    body = _build_box(wood, iron, (width, depth, height))
    lock = rounded_box(0.17, 0.05, 0.2, 0.02).translate(0, -depth / 2 - 0.02, height - 0.13)
    body.add(metal, lock)
    body.add(make_dark_skin(rng), box(0.03, 0.02, 0.08).translate(0, -depth / 2 - 0.04, height - 0.14))
    handle = arc(0.09, 0.018, 180, 360, 12).rotate(x=90, z=90)
    body.add_mirrored(iron, handle.translate(width / 2 + 0.03, 0, 0.62 * height))
    _add_coins(rng, body, (width, depth, height))
    pin: Point = (0.0, depth / 2 + 0.01, height + 0.01)
    lid = _build_lid(wood, iron, metal, (width, depth, rng.uniform(0.25, 0.37) * depth))
    rest = rng.uniform(18, 32)
    lid = lid.move(lambda solid: solid.translate(y=-depth / 2 - 0.01).rotate(x=-rest).translate(*pin))
    hinge = Hinge("x", pin, rest - 105, rest - 1)
    return Articulation().add_part("box", body).add_part("lid", lid, parent="box", joint=hinge)


def _build_box(wood: Skin, iron: Skin, size: tuple[float, float, float]) -> Assembly:
    """Build the box, open above, with bands around it."""
    width, depth, height = size
    front = box(width, _WALL, height).translate(0, _WALL / 2 - depth / 2, height / 2)
    side = box(_WALL, depth - 2 * _WALL + 0.004, height - 0.004).translate(
        width / 2 - _WALL / 2 - 0.004, 0, height / 2
    )
    body = Assembly().add(wood, front, front.translate(y=depth - _WALL))
    body.add_mirrored(wood, side)
    body.add(wood, box(width - 0.02, depth - 0.02, 0.06).translate(z=0.035))
    for share in (-0.34, 0.34):
        band = box(0.1, 0.016, height + 0.006).translate(share * width, -depth / 2 - 0.004, height / 2 - 0.01)
        body.add(iron, band, band.translate(y=depth + 0.008))
    rim = box(width + 0.03, 0.02, 0.07).translate(0, -depth / 2 - 0.004, 0.04)
    return body.add(iron, rim, rim.translate(y=depth + 0.008))


def _add_coins(rng: np.random.Generator, body: Assembly, size: tuple[float, float, float]) -> None:
    """Add a heap of coins that lean in all directions."""
    width, depth, height = size
    gold = make_plain_skin(draw_color(rng, (0xF2B71B, 0xE0B030)), 0.5, 0.5)
    body.add(gold, ellipsoid(0.45 * width, 0.41 * depth, 0.1, 24, 9).translate(z=0.5 * height))
    coin = cylinder(0.075, 0.022, 18)
    places = rng.uniform((-0.34, -0.28), (0.34, 0.28), (26, 2))
    leans = rng.uniform((-35, -35), (35, 35), (26, 2))
    for (x, y), (pitch, roll) in zip(places.tolist(), leans.tolist(), strict=True):
        rise = 0.1 * float(np.sqrt(1 - (x / 0.45) ** 2 - 0.4 * (y / 0.41) ** 2))
        body.add(gold, coin.rotate(pitch, roll).translate(x * width, y * depth, 0.5 * height + rise))


def _build_lid(wood: Skin, iron: Skin, metal: Skin, size: tuple[float, float, float]) -> Assembly:
    """Build a hollow lid with a round top, shut, over the plane z = 0: its width, depth and height."""
    width, depth, high = size
    lid = Assembly().add(wood, _build_vault(width, depth, high, _WALL))
    for x in (-1, 1):
        lid.add(
            wood, _build_gable(0.04, depth - 0.03, high - 0.02).translate(z=0.006, x=x * (width / 2 - 0.025))
        )
    for share in (-0.34, 0.34):
        lid.add(
            iron, _build_vault(0.1, depth + 0.024, high + 0.012, 0.02).translate(x=share * width, z=0.003)
        )
    hasp = rounded_box(0.11, 0.03, 0.15, 0.01).translate(0, -depth / 2 - 0.055, -0.015)
    tongue = box(0.09, 0.05, 0.03).translate(0, -depth / 2 - 0.03, 0.042)
    return lid.add(metal, hasp, tongue)


def _build_vault(width: float, depth: float, high: float, wall: float) -> Solid:
    """Build half a tube along x with an elliptic section."""
    angle = np.linspace(0.0, np.pi, 17)
    outer = np.stack([-np.cos(angle) * depth / 2, np.sin(angle) * high], axis=1)
    inner = outer * ((depth - 2 * wall) / depth, (high - wall) / high)
    outline = np.concatenate([outer, inner[::-1]])
    return extrude(outline, width, "x")


def _build_gable(width: float, depth: float, high: float) -> Solid:
    """Build the board that closes an end of a vault."""
    angle = np.linspace(0.0, np.pi, 17)
    outline = np.stack([-np.cos(angle) * depth / 2, np.sin(angle) * high], axis=1)
    return extrude(outline, width, "x")


def build_door(rng: np.random.Generator) -> Articulation:
    """Build a door in its frame, shut: it opens to the back; a lever on a plate, a mat before it."""
    width, height = rng.uniform(0.8, 0.95), rng.uniform(1.7, 1.95)
    leaf_skin, brass = (make_paint(rng) if draw_bool(rng, 0.6) else make_timber(rng, 0.7)), make_metal(rng)
    side = -1 if draw_bool(rng, 0.5) else 1
    pin: Point = (side * (width / 2 - 0.008), 0.06, height / 2)
    leaf = _build_leaf(rng, leaf_skin, (width - 0.02, height - 0.03))
    edge, high = -side * (width / 2 - 0.1), 0.47 * height
    plates = [rounded_box(0.075, 0.02, 0.24, 0.008).translate(edge, y, high) for y in (0.002, 0.064)]
    leaf.add(brass, *plates)
    hub: Point = (edge, 0.033, high + 0.03)
    opened = (0, 100) if side < 0 else (-100, 0)
    pressed = (-38, 0) if side < 0 else (0, 38)
    return (
        Articulation()
        .add_part("frame", _build_frame(rng, width, height))
        .add_part("leaf", leaf, parent="frame", joint=Hinge("z", pin, *opened))
        .add_part("lever", _build_lever(brass, hub, side), parent="leaf", joint=Hinge("y", hub, *pressed))
    )


def _build_frame(rng: np.random.Generator, width: float, height: float) -> Assembly:
    """Build the frame with a cornice, a sill, a mat on one side and a house number."""
    beam, deep, trim = 0.1, 0.16, make_pale_skin(rng)
    post = box(beam, deep, height + beam).translate(width / 2 + beam / 2, 0, (height + beam) / 2)
    frame = Assembly().add_mirrored(trim, post)
    frame.add(trim, box(width + 0.01, deep - 0.004, beam - 0.004).translate(z=height + beam / 2))
    cornice = rounded_box(width + 2 * beam + 0.12, deep + 0.06, 0.05, 0.015)
    frame.add(trim, cornice.translate(z=height + beam + 0.02))
    sill = box(width + 2 * beam + 0.1, deep + 0.3, 0.04).translate(0, -0.1, -0.016)
    frame.add(make_dark_skin(rng), sill)
    mat = make_plain_skin(draw_color(rng, (0x8A5A33, 0x5A6B42, 0x7A3E2D)), 0.9)
    frame.add(mat, rounded_box(0.6 * width, 0.22, 0.03, 0.012).translate(0.05, -0.21, 0.006))
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    number = box(0.16, 0.02, 0.1).translate(-0.18 * width, -deep / 2 - 0.004, height + beam / 2)
    badge = make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.6)
    return frame.add(badge, number.stretch_texture("y"))


def _build_leaf(rng: np.random.Generator, skin: Skin, size: tuple[float, float]) -> Assembly:
    """Build the leaf with two sunk panels below, and a pane or two more panels above."""
    width, height = size
    leaf = Assembly().add(skin, box(width, 0.045, height).translate(y=0.033, z=height / 2 + 0.015))
    pane = make_glass(rng) if draw_bool(rng, 0.5) else None
    for row, (low, high) in enumerate(((0.08, 0.38), (0.54, 0.93))):
        for x in (-0.235, 0.235):
            panel = rounded_box(0.36 * width, 0.07, (high - low) * height, 0.015)
            at = (x * width, 0.033, (low + high) / 2 * height)
            leaf.add(pane if pane is not None and row else skin, panel.translate(*at))
    return leaf


def _build_lever(skin: Skin, hub: Point, side: int) -> Assembly:
    """Build the levers on both faces of a leaf, which point to the hinges at ``side``, and their axle."""
    lever = Assembly().add(skin, cylinder(0.016, 0.16, 12).rotate(x=90).translate(*hub))
    for y in (-0.075, 0.075):
        grip = sweep(
            superellipse(12, 2.6) * (0.022, 0.018), [(0, y, 0), (side * 0.1, y, 0.004), (side * 0.19, y, 0)]
        )
        lever.add(skin, grip.translate(*hub))
    return lever
