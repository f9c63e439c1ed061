"""The excavator."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.articulated.articulation import Articulation, Hinge
from turntable.renderer.meshes.zoo.articulated.families.beams import YELLOWS, build_beam, to_point
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import fillet
from turntable.renderer.meshes.zoo.primitives import box, cylinder, extrude, frustum, lathe, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    PALE,
    VIVID,
    Skin,
    draw_bool,
    draw_color,
    draw_item,
    draw_two_colors,
    make_dark_skin,
    make_glass,
    make_metal,
    make_plain_skin,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Array
from turntable.renderer.meshes.zoo.sweeps import rod


def build_excavator(rng: np.random.Generator) -> Articulation:
    """Build an excavator that digs to the front: tracks, a house that turns, boom, stick and bucket."""
    paint = make_plain_skin(draw_color(rng, draw_item(rng, (YELLOWS[:2], YELLOWS))), 0.5)
    black, steel = make_dark_skin(rng), make_metal(rng)
    long = rng.uniform(0.95, 1.15)
    foot = np.array((0.07, -0.3, 0.62))
    rise = np.radians(rng.uniform(40, 50))
    boom, stick = rng.uniform(0.85, 1.0), rng.uniform(0.52, 0.62)
    knee = foot + boom * np.array((0.0, -np.cos(rise), np.sin(rise)))
    hang = np.radians(rng.uniform(8, 22))
    tip = knee + stick * np.array((0.0, -np.sin(hang), -np.cos(hang)))
    root, mid, end = (to_point(point) for point in (foot, knee, tip))
    bucket = _build_bucket(steel, black).place(at=end)
    return (
        Articulation()
        .add_part("tracks", _build_tracks(paint, black, steel, long))
        .add_part(
            "house", _build_house(rng, paint, black), parent="tracks", joint=Hinge("z", (0, 0, 0.36), -60, 60)
        )
        .add_part(
            "boom",
            _build_boom(paint, steel, foot, knee),
            category="arm",
            parent="house",
            joint=Hinge("x", root, -22, 12),
        )
        .add_part(
            "stick",
            _build_stick(paint, steel, knee, tip),
            category="arm",
            parent="boom",
            joint=Hinge("x", mid, -45, 12),
        )
        .add_part("bucket", bucket, parent="stick", joint=Hinge("x", end, -60, 35))
    )


def _build_tracks(paint: Skin, black: Skin, steel: Skin, long: float) -> Assembly:
    """Build two crawler tracks with cleats, and the ring between them on which the house turns."""
    oval = fillet([(-long / 2, 0.0), (long / 2, 0.0), (long / 2, 0.3), (-long / 2, 0.3)], 0.14, 6)
    tracks = Assembly().add_mirrored(black, extrude(oval, 0.2, "x", bevel=0.01).translate(x=0.36))
    for y in np.arange(-0.42, 0.43, 0.12) * long:
        cleat = box(0.22, 0.05, 0.03).translate(0.36, y)
        tracks.add_mirrored(black, cleat.translate(z=0.302), cleat.translate(z=-0.004))
    for y in (-0.36, 0.0, 0.36):
        wheel = cylinder(0.1, 0.03, 18, bevel=0.008).rotate(y=90).translate(0.462, y * long, 0.15)
        tracks.add_mirrored(steel, wheel)
    tracks.add(paint, box(0.56, 0.5, 0.14).translate(z=0.2))
    return tracks.add(black, cylinder(0.26, 0.1, 30).translate(z=0.296))


def _build_house(rng: np.random.Generator, paint: Skin, black: Skin) -> Assembly:
    """Build the turning house: a deck, the cab at the left, the engine and a counterweight behind."""
    house = Assembly().add(paint, rounded_box(0.86, 0.86, 0.1, 0.03, 2).translate(y=0.07, z=0.4))
    house.add(black, rounded_box(0.9, 0.22, 0.3, 0.07, 3).translate(y=0.45, z=0.56))
    house.add(paint, rounded_box(0.82, 0.46, 0.27, 0.04, 2).translate(y=0.2, z=0.565))
    side = [(-0.36, 0.42), (0.1, 0.42), (0.1, 0.98), (-0.22, 0.98), (-0.38, 0.7)]
    cab = extrude(fillet(side, 0.03, 2), 0.34, "x", bevel=0.02).translate(x=-0.25)
    house.add(paint, cab)
    pane = make_glass(rng)
    window = extrude(fillet([(-0.28, 0.66), (0.05, 0.66), (0.05, 0.92), (-0.2, 0.92)], 0.02, 2), 0.36, "x")
    house.add(pane, window.translate(x=-0.25))
    slope = np.degrees(np.arctan2(0.16, 0.28))
    house.add(pane, box(0.26, 0.03, 0.24).rotate(x=-slope).translate(-0.25, -0.297, 0.85))
    ear = box(0.035, 0.22, 0.22).translate(y=-0.3, z=0.554)
    house.add(black, ear.translate(x=-0.015), ear.translate(x=0.155))
    pipe = cylinder(0.035, 0.2, 14).translate(0.26, 0.28, 0.78)
    house.add(black, pipe, frustum(0.045, 0.03, 0.05, 14).translate(0.26, 0.28, 0.87))
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    label = box(0.03, 0.28, 0.13).translate(0.402, 0.18, 0.59).stretch_texture("x")
    house.add(make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.6), label)
    if draw_bool(rng, 0.5):
        beacon = lathe([(0.04, 0.0), (0.035, 0.06), (0.0, 0.08)], 14).translate(-0.25, 0.02, 0.974)
        house.add(make_plain_skin((0.95, 0.5, 0.06), 0.5), beacon)
    return house


def _build_boom(paint: Skin, steel: Skin, foot: Array, knee: Array) -> Assembly:
    """Build the boom, bent like a banana, with its ram below."""
    along = (knee - foot) / np.linalg.norm(knee - foot)
    across = np.array((0.0, along[2], -along[1]))
    across *= np.sign(across[2])
    reach = float(np.linalg.norm(knee - foot))
    center = [foot, foot + 0.5 * reach * along + 0.13 * across, knee]
    lower = [p - h * across for p, h in zip(center, (0.06, 0.1, 0.045), strict=True)]
    upper = [p + h * across for p, h in zip(center, (0.06, 0.09, 0.045), strict=True)]
    outline = np.array([point[1:] for point in (*lower, *upper[::-1])])
    boom = Assembly().add(
        paint,
        extrude(fillet(outline, (0.03, 0.2, 0.03, 0.03, 0.2, 0.03), 5), 0.12, "x", bevel=0.012).translate(
            x=foot[0]
        ),
    )
    pin = cylinder(0.04, 0.2, 16).rotate(y=90)
    boom.add(steel, pin.translate(*foot), pin.translate(*knee))
    ram = [center[1] + 0.12 * across - 0.1 * along, knee + 0.12 * across - 0.04 * along]
    boom.add(steel, rod(to_point(ram[0]), to_point(ram[1]), 0.025, 12))
    return boom.add(
        make_plain_skin((0.1, 0.1, 0.11), 0.7),
        rod(to_point(ram[0] - 0.12 * along), to_point((ram[0] + ram[1]) / 2), 0.038, 12),
    )


def _build_stick(paint: Skin, steel: Skin, knee: Array, tip: Array) -> Assembly:
    """Build the stick as a fork beside the boom's end, which narrows to the bucket."""
    along = (tip - knee) / np.linalg.norm(tip - knee)
    stick = Assembly()
    for x in (-0.085, 0.085):
        side = np.array((x, 0.0, 0.0))
        stick.add(paint, build_beam(knee - 0.14 * along + side, knee + 0.2 * along + side, (0.06, 0.1), 0.04))
    stick.add(paint, build_beam(knee + 0.13 * along, tip, (0.11, 0.05), 0.136))
    stick.add(
        steel,
        rod(
            to_point(knee - 0.11 * along - (0.1, 0, 0)),
            to_point(knee - 0.11 * along + (0.1, 0, 0)),
            0.025,
            12,
        ),
    )
    return stick.add(steel, cylinder(0.035, 0.2, 14).rotate(y=90).translate(*tip))


def _build_bucket(steel: Skin, black: Skin) -> Assembly:
    """Build an open bucket with teeth that hangs from the origin and scoops backward."""
    shell = [
        (0.06, 0.05),
        (-0.1, 0.02),
        (-0.16, -0.12),
        (-0.1, -0.27),
        (0.05, -0.32),
        (0.2, -0.28),
        (0.19, -0.25),
        (0.05, -0.28),
        (-0.07, -0.24),
        (-0.12, -0.12),
        (-0.075, -0.02),
        (0.05, 0.0),
    ]
    side = [
        (0.06, 0.05),
        (-0.1, 0.02),
        (-0.16, -0.12),
        (-0.1, -0.27),
        (0.05, -0.32),
        (0.2, -0.28),
        (0.12, -0.1),
    ]
    bucket = Assembly().add(steel, extrude(shell, 0.34, "x").translate(z=-0.1))
    bucket.add_mirrored(steel, extrude(np.array(side) * 0.96, 0.02, "x").translate(x=0.172, z=-0.1))
    for x in np.linspace(-0.14, 0.14, 4):
        bucket.add(black, box(0.04, 0.09, 0.03).rotate(x=15).translate(x, 0.225, -0.362))
    ears = box(0.03, 0.1, 0.19).translate(0.1, -0.02, -0.045)
    return bucket.add_mirrored(black, ears)
