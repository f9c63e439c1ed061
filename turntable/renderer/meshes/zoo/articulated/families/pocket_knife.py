"""The pocket knife."""

import numpy as np

from turntable.renderer.meshes.zoo.articulated.articulation import Articulation, Hinge, Point
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import Points, fillet, superellipse
from turntable.renderer.meshes.zoo.primitives import box, cylinder, extrude
from turntable.renderer.meshes.zoo.skins import (
    METALS,
    Skin,
    draw_bool,
    draw_color,
    make_dark_skin,
    make_metal,
    make_paint,
    make_pale_skin,
    make_plain_skin,
)
from turntable.renderer.meshes.zoo.sweeps import torus
from turntable.renderer.meshes.zoo.textured_skins import make_timber

_LAYER = 0.075
"""Thickness of the slot for one tool."""


def build_pocket_knife(rng: np.random.Generator) -> Articulation:
    """Build a pocket knife on its long edge: a large blade and one or two other tools half open."""
    length, height = rng.uniform(1.25, 1.5), rng.uniform(0.26, 0.32)
    steel = make_plain_skin(draw_color(rng, METALS[:1] + METALS[4:]), 0.5, 0.5)
    num_tools = 3 if draw_bool(rng, 0.5) else 2
    knife = Articulation().add_part("handle", _build_handle(rng, (length, height), num_tools))
    left, right = (-0.5 * length + 0.55 * height, 0.0, 0.0), (0.5 * length - 0.55 * height, 0.0, 0.0)
    slots = [(number - (num_tools - 1) / 2) * _LAYER for number in range(num_tools)]
    long, rest = length - 1.3 * height, rng.uniform((95, 60, 40), (115, 80, 60))
    blade = _place_tool(steel, _trace_blade(long, 0.2), left, slots[0], -rest[0])
    knife.add_part("blade", blade, parent="handle", joint=_make_hinge(left, rest[0], 1))
    opener = [(-x, z) for x, z in _trace_opener(0.55 * long)]
    tool = _place_tool(steel, opener, right, slots[1], rest[1])
    knife.add_part("opener", tool, parent="handle", joint=_make_hinge(right, rest[1], -1))
    if num_tools == 3:
        small = _place_tool(steel, _trace_blade(0.62 * long, 0.16), left, slots[2], -rest[2])
        joint = _make_hinge(left, rest[2], 1)
        knife.add_part("small blade", small, category="blade", parent="handle", joint=joint)
    return knife


def _build_handle(rng: np.random.Generator, size: tuple[float, float], num_tools: int) -> Assembly:
    """Build the handle: liners between the slots, a scale on either side with an emblem, a key ring."""
    length, height = size
    scale = make_timber(rng, 0.6) if draw_bool(rng, 0.3) else make_paint(rng)
    brass, oval = make_metal(rng), superellipse(36, 3.2) * (length / 2, height / 2)
    half = num_tools * _LAYER / 2
    handle = Assembly()
    liner = extrude(oval * 0.985, 0.014, "y")
    for number in range(num_tools + 1):
        handle.add(brass, liner.translate(y=number * _LAYER - half))
    cover = extrude(oval, 0.1, "y", bevel=0.03)
    handle.add(scale, *(cover.translate(y=sign * (half + 0.055)) for sign in (-1, 1)))
    # The back spring closes the slots from below.
    spring = box(0.8 * length, num_tools * _LAYER, 0.05).translate(z=-0.5 * height + 0.03)
    handle.add(brass, spring)
    for x in (-0.5 * length + 0.55 * height, 0.5 * length - 0.55 * height):
        handle.add(brass, cylinder(0.035, 2 * half + 0.23, 14).rotate(x=90).translate(x=x))
    _add_emblem(rng, handle, (0.16 * length, -half - 0.105, 0.0), 0.3 * height)
    ring = torus(0.09, 0.014, 20, 8).rotate(x=90).translate(0.5 * length + 0.06, 0.0, -0.3 * height)
    return handle.add(brass, ring)


def _add_emblem(
    rng: np.random.Generator, handle: Assembly, at: tuple[float, float, float], size: float
) -> None:
    """Add a disc with a cross to the front."""
    disc = cylinder(size, 0.016, 26).rotate(x=90).translate(*at)
    handle.add(make_dark_skin(rng), disc)
    arm, front = (1.2 * size, 0.02, 0.36 * size), (at[0], at[1] - 0.006, at[2])
    handle.add(
        make_pale_skin(rng),
        box(*arm).translate(*front),
        box(arm[2], arm[1] + 0.004, arm[0]).translate(*front),
    )


def _make_hinge(pin: Point, rest: float, side: int) -> Hinge:
    """Return the hinge of a tool that is open by ``rest`` degrees: from nearly shut to nearly straight.

    Args:
        pin: Point of the pin.
        rest: Angle from the closed tool to the one at rest.
        side: 1 for a tool that closes by a positive turn, -1 for one that closes by a negative one.
    """
    shut, straight = side * (rest - 12), side * (rest - 165)
    return Hinge("y", pin, min(shut, straight), max(shut, straight))


def _place_tool(skin: Skin, outline: Points, pin: Point, slot: float, degrees: float) -> Assembly:
    """Place a tool, opened by an angle.

    Args:
        skin: Skin of the tool.
        outline: Outline (x, z) of the closed tool, with its pin at the origin.
        pin: Point of the pin.
        slot: Depth (y) of its slot.
        degrees: Angle about y by which it is opened: negative lifts a tip at +x.
    """
    flat = extrude(outline, 0.6 * _LAYER, "y", bevel=0.004).rotate(y=degrees)
    return Assembly().add(skin, flat.translate(pin[0], slot, pin[2]))


def _trace_blade(length: float, width: float) -> Points:
    """Trace a blade with a drop point, its edge down."""
    low, high = -0.5 * width, 0.5 * width
    outline = [
        (-0.08, low),
        (0.14, low),
        (0.2, low - 0.02),
        (0.72 * length, low - 0.01),
        (0.93 * length, 0.1 * width),
        (length, 0.36 * width),
        (0.97 * length, high),
        (-0.08, high),
    ]
    return fillet(outline, (0.06, 0.02, 0.02, 0.12, 0.04, 0.01, 0.01, 0.06), 3)


def _trace_opener(length: float) -> Points:
    """Trace a bottle opener with its hook and the tip of a screwdriver."""
    outline = [
        (-0.08, -0.09),
        (0.45 * length, -0.09),
        (0.5 * length, 0.0),
        (0.66 * length, 0.01),
        (0.7 * length, -0.1),
        (0.84 * length, -0.07),
        (length, -0.035),
        (length, 0.06),
        (0.8 * length, 0.09),
        (-0.08, 0.09),
    ]
    return fillet(outline, 0.025, 3)
