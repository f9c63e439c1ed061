"""Hand tools of two crossed halves: scissors, pliers.

They stand upright with their tips up. The halves lie one behind the other, and cross at a pin along y.
"""

import numpy as np

from turntable.renderer.meshes.zoo.articulated.articulation import Articulation, Hinge
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import fillet, rectangle, spline, superellipse
from turntable.renderer.meshes.zoo.primitives import box, cylinder, extrude
from turntable.renderer.meshes.zoo.skins import (
    METALS,
    PALE,
    Skin,
    draw_bool,
    draw_color,
    make_dark_skin,
    make_metal,
    make_paint,
    make_plain_skin,
)
from turntable.renderer.meshes.zoo.solid import Array, Solid
from turntable.renderer.meshes.zoo.sweeps import sweep, torus

_THICK = 0.06
"""Thickness of a half of scissors."""


def build_scissors(rng: np.random.Generator) -> Articulation:
    """Build scissors, open by about 30 degrees: blades up, a large and a small ring down."""
    steel = make_plain_skin(draw_color(rng, METALS[:2] + METALS[4:]), 0.5, 0.5)
    grip = make_paint(rng) if draw_bool(rng, 0.75) else make_dark_skin(rng)
    blade, width = rng.uniform(0.95, 1.45), rng.uniform(0.2, 0.27)
    rings, rest = (rng.uniform(0.24, 0.28), rng.uniform(0.3, 0.36)), rng.uniform(14, 19)
    shanks = rng.uniform(0.6, 0.75, 2)
    front, back = (
        _turn(_build_scissor_half((steel, grip), (blade, width), ring, shank, side), side * rest)
        for side, ring, shank in zip((-1, 1), rings, shanks.tolist(), strict=True)
    )
    pin = cylinder(0.075, 0.18, 20, bevel=0.02).rotate(x=90).translate(z=-0.02)
    slot = box(0.1, 0.03, 0.022).rotate(y=35).translate(y=-0.09, z=-0.02)
    front.add(make_metal(rng), pin).add(make_dark_skin(rng), slot)
    hinge = Hinge("y", (0.0, 0.0, -0.02), 2 - 2 * rest, rng.uniform(30, 42))
    return (
        Articulation()
        .add_part("front half", front, category="blade")
        .add_part("back half", back, category="blade", parent="front half", joint=hinge)
    )


def _build_scissor_half(
    skins: tuple[Skin, Skin], blade: tuple[float, float], ring: float, shank: float, side: int
) -> Assembly:
    """Build one half, closed: its blade on the middle line, its ring at one side.

    Args:
        skins: Skins of the blade and of the ring.
        blade: Length and width of the blade.
        ring: Radius of the ring.
        shank: Length from the pin to the ring.
        side: -1 for the half in front, whose ring is at the right (+x), 1 for the other.
    """
    (steel, grip), (length, width) = skins, blade
    edge, spine = 0.42 * width, -0.58 * width
    outline = [
        (spine, -0.12),
        (edge, -0.16),
        (edge, 0.35 * length),
        (0.2 * width, length),
        (-0.05 * width, length),
        (spine, 0.4 * length),
    ]
    flat = extrude(fillet(outline, 0.03, 2), _THICK, "y", bevel=0.012)
    x, z = ring + 0.06, -shank - ring
    neck = spline(
        [(0, 0, -0.08), (0.03, 0, -0.22), (0.13, 0, -0.55 * shank), (x - 0.35 * ring, 0, z + 0.9 * ring)], 12
    )
    shape = rectangle(0.17, 0.88 * _THICK, 0.02)
    half = Assembly().add(steel, flat, sweep(shape, neck[:11], up=(0.0, 1.0, 0.0)))
    loop = torus(ring, 0.065, 32, 10).rotate(x=90).scale(z=1.3).translate(x, 0.0, z)
    sleeve = sweep(superellipse(14, 3.0) * (0.115, 0.06), neck[7:], up=(0.0, 1.0, 0.0))
    half.add(grip, loop, sleeve)
    lift = side * 0.51 * _THICK
    return half.move(lambda solid: _mirror_back(solid, side).translate(y=lift))


def _mirror_back(solid: Solid, side: int) -> Solid:
    """Mirror a solid left to right for the half behind."""
    return solid.mirror() if side > 0 else solid


def _turn(half: Assembly, degrees: float) -> Assembly:
    """Turn a half about the pin."""
    return half.move(lambda solid: solid.rotate(y=degrees))


def build_pliers(rng: np.random.Generator) -> Articulation:
    """Build combination pliers, a little open: toothed jaws up, curved grips in soft sleeves down."""
    steel, rest = make_plain_skin(draw_color(rng, METALS[:2]), 0.5, 0.5), rng.uniform(6, 8)
    sleeve = make_paint(rng)
    jaw, reach = rng.uniform(0.5, 0.85), rng.uniform(1.15, 1.45)
    tip = rng.uniform(0.06, 0.14)
    front, back = (
        _turn(_build_plier_half((steel, sleeve), (jaw, tip), reach, side), side * rest) for side in (-1, 1)
    )
    bolt = cylinder(0.12, 0.32, 20, bevel=0.03).rotate(x=90)
    front.add(make_metal(rng), bolt)
    front.add(make_dark_skin(rng), box(0.16, 0.03, 0.035).rotate(y=-30).translate(y=-0.155))
    mark = make_plain_skin(draw_color(rng, PALE), 0.6)
    front.add(mark, box(0.06, 0.025, 0.4).rotate(y=-rest - 8).translate(0.36, -0.1, -0.72))
    hinge = Hinge("y", (0.0, 0.0, 0.0), 1 - 2 * rest, rng.uniform(16, 24))
    return (
        Articulation()
        .add_part("front half", front, category="jaw")
        .add_part("back half", back, category="jaw", parent="front half", joint=hinge)
    )


def _build_plier_half(
    skins: tuple[Skin, Skin], jaw: tuple[float, float], reach: float, side: int
) -> Assembly:
    """Build one half, closed: its jaw at one side of the middle line, its grip at the other.

    Args:
        skins: Skins of the head and of the grip.
        jaw: Length of the jaw above the bolt, and its width at the tip.
        reach: Length of the grip below the bolt.
        side: -1 for the half in front, whose jaw is at the left (-x), 1 for the other.
    """
    (steel, sleeve), (length, tip) = skins, jaw
    outline = [(-0.006, 0.16), (-0.006, length), (-tip, length), (-0.27, 0.3), (-0.27, 0.16)]
    cheek = extrude(fillet(outline, 0.02, 2), 0.2, "y", bevel=0.02)
    disc = cylinder(0.27, 0.106, 28, bevel=0.015).rotate(x=90).translate(y=side * 0.055)
    shoulder = box(0.24, 0.098, 0.22).translate(-0.145, side * 0.055, 0.12)
    teeth = [box(0.03, 0.16, 0.018).translate(-0.012, 0.0, z) for z in np.arange(0.34, length - 0.05, 0.045)]
    half = Assembly().add(steel, cheek, disc, shoulder, *teeth)
    path = spline(_trace_grip(reach), 18)
    half.add(
        steel,
        sweep(rectangle(0.17, 0.1, 0.03), path[:8] + np.array((0.0, side * 0.055, 0.0)), up=(0.0, 1.0, 0.0)),
    )
    sizes = np.concatenate([[0.95], np.linspace(1.12, 0.95, 11)])
    lift = np.linspace(side * 0.055, 0.0, 12)[:, None] * np.array((0.0, 1.0, 0.0))
    half.add(sleeve, sweep(superellipse(16, 3.0) * (0.115, 0.1), path[6:] + lift, sizes, up=(0.0, 1.0, 0.0)))
    return half.move(lambda solid: _mirror_back(solid, side))


def _trace_grip(reach: float) -> Array:
    return np.array(
        [
            (0.1, 0.0, -0.1),
            (0.27, 0.0, -0.32),
            (0.34, 0.0, -0.55 * reach),
            (0.3, 0.0, -0.85 * reach),
            (0.22, 0.0, -reach),
        ]
    )
