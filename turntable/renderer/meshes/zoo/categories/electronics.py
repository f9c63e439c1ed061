"""Small electric devices: laptop, camera, hair dryer."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import spline, superellipse
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, frustum, lathe, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    DARK,
    METALS,
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
    make_plain_skin,
    make_plastic,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import arc, bent_tube, sweep
from turntable.renderer.meshes.zoo.textured_skins import make_leather


def build_laptop(rng: np.random.Generator) -> Assembly:
    """Build a laptop, opened toward the front, with a sticker and a USB stick at the right."""
    width, depth, thick = rng.uniform(1.2, 1.5), rng.uniform(0.82, 1.0), rng.uniform(0.05, 0.09)
    base = draw_color(rng, METALS, DARK, VIVID)
    shell, key_color = make_plain_skin(base, 0.55), draw_color(rng, DARK, PALE)
    laptop = Assembly().add(shell, rounded_box(width, depth, thick, 0.025, 2))
    board = box(0.86 * width, 0.4 * depth, 0.02).translate(y=0.14 * depth, z=thick / 2).stretch_texture("z")
    laptop.add(make_textured_skin(textures.make_keyboard(key_color), 1.0, 0.75), board)
    pad = rounded_box(0.3 * width, 0.26 * depth, 0.02, 0.008).translate(y=-0.27 * depth, z=thick / 2 - 0.003)
    laptop.add(make_plain_skin(draw_color(rng, DARK, METALS), 0.6), pad)
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    sticker = (
        box(0.16, 0.12, 0.02).translate(0.33 * width, -0.3 * depth, thick / 2 - 0.003).stretch_texture("z")
    )
    laptop.add(make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.7), sticker)
    laptop.add(make_paint(rng), rounded_box(0.16, 0.07, 0.035, 0.01).translate(width / 2 + 0.05, 0.2 * depth))
    hinge = cylinder(0.035, 0.7 * width, 12).rotate(y=90).translate(y=depth / 2 - 0.01, z=thick / 2 + 0.01)
    laptop.add(make_dark_skin(rng), hinge)
    return laptop.add_assembly(
        _build_lid(rng, shell, width, depth, lean=rng.uniform(8, 32), hinge=thick / 2 + 0.01)
    )


def _build_lid(
    rng: np.random.Generator, shell: Skin, width: float, depth: float, *, lean: float, hinge: float
) -> Assembly:
    """Build the screen half with a sign on its back.

    Args:
        rng: Generator of the object.
        shell: Skin of the case.
        width: Width of the laptop.
        depth: Depth of the laptop.
        lean: Angle in degrees by which the screen leans back.
        hinge: Height of the hinge.
    """
    high = rng.uniform(0.88, 0.96) * depth

    def tilt(solid: Solid) -> Solid:
        return solid.translate(z=high / 2 + 0.02).rotate(x=-lean).translate(y=depth / 2 - 0.01, z=hinge)

    lid = Assembly().add(shell, tilt(rounded_box(width, 0.045, high, 0.02, 2)))
    lid.add(
        make_plain_skin(draw_color(rng, DARK), 0.6),
        tilt(box(0.96 * width, 0.03, 0.92 * high).translate(y=-0.016)),
    )
    picture = box(0.9 * width, 0.03, 0.8 * high).stretch_texture("y").translate(y=-0.022, z=0.02)
    lid.add(make_textured_skin(textures.make_screen(rng), 1.0, 0.5), tilt(picture))
    sign = (
        cylinder(rng.uniform(0.07, 0.1), 0.03, 20)
        .rotate(x=90)
        .scale(z=rng.uniform(0.7, 1.4))
        .translate(y=0.016)
    )
    return lid.add(make_plain_skin(draw_color(rng, PALE, VIVID), 0.5), tilt(sign))


def build_camera(rng: np.random.Generator) -> Assembly:
    """Build a camera with its lens to the front: viewfinder hump, grip, dials, a strap at one side."""
    width, height, depth = rng.uniform(1.1, 1.35), rng.uniform(0.68, 0.82), rng.uniform(0.38, 0.48)
    body, top = (
        make_plain_skin(draw_color(rng, DARK, METALS), 0.65),
        make_plain_skin(draw_color(rng, METALS, DARK, PALE), 0.55),
    )
    cover = make_leather(rng, 0.4) if draw_bool(rng, 0.45) else make_paint(rng)
    camera = Assembly().add(body, rounded_box(width, depth, height, 0.09, 2))
    camera.add(
        cover, rounded_box(width + 0.02, depth + 0.02, 0.56 * height, 0.09, 2).translate(z=-0.05 * height)
    )
    camera.add(top, rounded_box(0.99 * width, 0.96 * depth, 0.14, 0.06, 2).translate(z=height / 2 - 0.02))
    camera.add(
        body,
        rounded_box(0.2, 0.22, 0.84 * height, 0.08, 2).translate(0.1 - width / 2, -depth / 2 - 0.03, -0.02),
    )
    hump = frustum(0.33, 0.2, 0.24, 4).scale(y=0.85)
    lens_x = rng.uniform(0.02, 0.14)
    camera.add(top, hump.translate(lens_x, -0.04, height / 2 + 0.11))
    camera.add(
        make_dark_skin(rng),
        rounded_box(0.24, 0.1, 0.13, 0.03).translate(lens_x, depth / 2 - 0.06, height / 2 + 0.12),
    )
    camera.add_assembly(_build_lens(rng, height).place(at=(lens_x, -depth / 2, -0.05 * height)))
    _add_camera_controls(rng, camera, width, depth, height)
    strap = [
        (0, -0.02, 0.1),
        (0.16, 0.05, 0.0),
        (0.2, 0.15, -0.4),
        (0.1, 0.1, -0.75 * height),
        (0.3, -0.1, -height),
    ]
    path = spline(strap, 14) + np.array((width / 2 - 0.02, 0.0, height / 2 - 0.16))
    return camera.add(make_paint(rng), sweep(superellipse(8, 4.0) * (0.02, 0.07), path, up=(0.0, 1.0, 0.0)))


def _build_lens(rng: np.random.Generator, height: float) -> Assembly:
    """Build a lens that points to -y from the origin: barrel, rubber ring, colored ring, glass."""
    # With an odd number of facets, none of them coincides with the flat top of the body.
    radius, length = rng.uniform(0.4, 0.46) * height, rng.uniform(0.35, 0.8)
    barrel = [
        (radius, -0.08),
        (radius, 0.45 * length),
        (0.92 * radius, 0.5 * length),
        (0.92 * radius, length),
    ]
    mouth = [(0.78 * radius, length + 0.01), (0.7 * radius, 0.88 * length), (0.0, 0.88 * length)]
    lens = Assembly().add(make_dark_skin(rng), lathe([*barrel, *mouth], 31).rotate(x=90))
    grip = make_textured_skin(textures.make_stripes((0.2, 0.2, 0.21), (0.07, 0.07, 0.08), 8), 0.3, 0.85)
    lens.add(
        grip, cylinder(1.04 * radius, 0.28 * length, 31, bevel=0.015).rotate(x=90).translate(y=-0.25 * length)
    )
    lens.add(
        make_paint(rng), cylinder(0.95 * radius, 0.08 * length, 31).rotate(x=90).translate(y=-0.8 * length)
    )
    front = (
        ellipsoid(0.68 * radius, 0.68 * radius, 0.1 * length, 20, 9).rotate(x=90).translate(y=-0.86 * length)
    )
    return lens.add(make_plain_skin((0.25, 0.2, 0.5), 0.5, 0.5), front)


def _add_camera_controls(
    rng: np.random.Generator, camera: Assembly, width: float, depth: float, height: float
) -> None:
    """Add dials and release on top, a screen behind, and a badge in front."""
    steel, high = make_metal(rng), height / 2 + 0.06
    dial = cylinder(0.11, 0.12, 20, bevel=0.015)
    camera.add(steel, dial.translate(0.36 * width, 0.02, high - 0.013))
    camera.add(steel, cylinder(0.06, 0.1, 16, bevel=0.01).translate(0.13 - width / 2, -0.1, high))
    camera.add(make_paint(rng), cylinder(0.04, 0.14, 14, bevel=0.008).translate(0.13 - width / 2, -0.1, high))
    camera.add(
        make_glass(rng), box(0.55 * width, 0.04, 0.5 * height).translate(-0.05, depth / 2 + 0.005, -0.06)
    )
    ground, ink = draw_two_colors(rng, PALE, DARK)
    badge = (
        box(0.22, 0.04, 0.09)
        .translate(0.36 * width, -depth / 2 - 0.01, height / 2 - 0.1)
        .stretch_texture("y")
    )
    camera.add(make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.6), badge)


def build_hair_dryer(rng: np.random.Generator) -> Assembly:
    """Build a hair dryer: nozzle to the front, grip down, switch on the grip, cord at its end."""
    shell = make_plastic(rng)
    radius, length = rng.uniform(0.26, 0.34), rng.uniform(0.75, 0.95)
    mouth = rng.uniform(0.16, 0.2)
    profile = [
        (0.6 * radius, -0.42),
        (0.92 * radius, -0.36),
        (radius, -0.1),
        (0.94 * radius, 0.15),
        (mouth, length),
    ]
    dryer = Assembly().add(shell, lathe(spline(profile, 16), 28).rotate(x=90))
    black, accent = make_dark_skin(rng), make_paint(rng)
    nozzle = lathe(
        [(mouth + 0.02, 0.0), (mouth + 0.02, 0.1), (mouth, 0.3), (mouth - 0.02, 0.3), (0.0, 0.2)], 24
    )
    flat = nozzle.scale(x=1.0 if draw_bool(rng, 0.4) else 0.7).rotate(x=90).translate(y=0.06 - length)
    dryer.add(black, flat)
    dryer.add(accent, cylinder(1.01 * radius, 0.06, 28, bevel=0.01).rotate(x=90).translate(y=0.06))
    vent = make_textured_skin(textures.make_grille(draw_color(rng, DARK, METALS), 5), 0.3, 0.75)
    dryer.add(vent, cylinder(0.55 * radius, 0.12, 24, bevel=0.02).rotate(x=90).translate(y=0.4))
    low, lean = -rng.uniform(0.75, 0.95), rng.uniform(-0.05, 0.2)
    path = spline([(0, 0.12, -0.1), (0, 0.14 + 0.4 * lean, 0.5 * low), (0, 0.14 + lean, low)], 8)
    sizes = np.array([1.15, 1.05, 0.95, 0.9, 0.92, 0.96, 0.98, 0.85])
    grip = sweep(superellipse(16, 2.6) * (0.105, 0.14), path, sizes, up=(0.0, -1.0, 0.0))
    dryer.add(shell if draw_bool(rng, 0.5) else black, grip)
    switch = rounded_box(0.07, 0.06, 0.2, 0.02).translate(0, 0.0 + 0.2 * lean, 0.42 * low)
    dryer.add(accent, switch)
    cord = [
        (0, 0.14 + lean, low + 0.02),
        (0, 0.16 + lean, low - 0.14),
        (0.12, 0.3 + lean, low - 0.3),
        (0.3, 0.5, low - 0.32),
    ]
    dryer.add(black, bent_tube(cord, 0.026, 14, 8))
    hanger = arc(0.07, 0.016, -200, 20, 10, 6).rotate(y=90).translate(0, 0.14 + lean, low - 0.04)
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    sign = box(0.08, 0.26, 0.14).translate(radius - 0.04, 0.12, 0.05).stretch_texture("x")
    return dryer.add(black, hanger).add(
        make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.6), sign
    )
