"""Things of a desk: laptop, desk lamp, stapler."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.articulated.articulation import Articulation, Hinge, Point
from turntable.renderer.meshes.zoo.articulated.families.beams import to_point
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import fillet
from turntable.renderer.meshes.zoo.primitives import (
    box,
    cylinder,
    ellipsoid,
    extrude,
    lathe,
    rounded_box,
)
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
    make_metal,
    make_paint,
    make_plain_skin,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod


def build_laptop(rng: np.random.Generator) -> Articulation:
    """Build a laptop, opened toward the front, with a sticker beside its touch pad."""
    width, depth, thick = rng.uniform(1.2, 1.5), rng.uniform(0.82, 1.0), rng.uniform(0.05, 0.08)
    shell = make_plain_skin(draw_color(rng, METALS, DARK, VIVID), 0.55)
    base = Assembly().add(shell, rounded_box(width, depth, thick, 0.025, 2))
    key_color = draw_color(rng, DARK, PALE)
    board = box(0.86 * width, 0.4 * depth, 0.02).translate(y=0.12 * depth, z=thick / 2).stretch_texture("z")
    base.add(make_textured_skin(textures.make_keyboard(key_color), 1.0, 0.75), board)
    pad = rounded_box(0.3 * width, 0.26 * depth, 0.02, 0.008).translate(y=-0.29 * depth, z=thick / 2 - 0.003)
    base.add(make_plain_skin(draw_color(rng, DARK, METALS), 0.6), pad)
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    sticker = box(0.16, 0.12, 0.02).translate(0.33 * width, -0.3 * depth, thick / 2 - 0.003)
    base.add(
        make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.7), sticker.stretch_texture("z")
    )
    hinge: Point = (0.0, depth / 2 - 0.015, thick / 2 + 0.035)
    barrel = cylinder(0.035, 0.62 * width, 12).rotate(y=90).translate(*hinge)
    base.add(make_dark_skin(rng), barrel)
    lean = rng.uniform(8, 28)
    lid = _build_screen(rng, shell, (width, rng.uniform(0.92, 0.97) * depth), hinge, lean)
    joint = Hinge("x", hinge, lean - 60, lean + 85)
    return Articulation().add_part("base", base).add_part("lid", lid, parent="base", joint=joint)


def _build_screen(
    rng: np.random.Generator, shell: Skin, size: tuple[float, float], hinge: Point, lean: float
) -> Assembly:
    """Build the screen half with a sign on its back, leaning back by an angle in degrees."""
    width, high = size
    middle = high / 2 + 0.02
    lid = Assembly().add(shell, rounded_box(width, 0.045, high, 0.02, 2).translate(z=middle))
    bezel = box(0.96 * width, 0.03, 0.92 * high).translate(y=-0.014, z=middle)
    lid.add(make_plain_skin(draw_color(rng, DARK), 0.6), bezel)
    picture = box(0.9 * width, 0.03, 0.8 * high).stretch_texture("y").translate(y=-0.018, z=middle + 0.02)
    lid.add(make_textured_skin(textures.make_screen(rng), 1.0, 0.5), picture)
    sign = cylinder(rng.uniform(0.07, 0.1), 0.03, 20).rotate(x=90).scale(z=rng.uniform(0.7, 1.4))
    lid.add(make_plain_skin(draw_color(rng, PALE, VIVID), 0.5), sign.translate(y=0.018, z=middle))
    return lid.move(lambda solid: solid.rotate(x=-lean).translate(*hinge))


def build_desk_lamp(rng: np.random.Generator) -> Articulation:
    """Build a desk lamp: a heavy base, a foot that turns, two arms of paired rods, and a shade."""
    lacquer = make_paint(rng) if draw_bool(rng, 0.8) else make_dark_skin(rng)
    arms, black = (lacquer if draw_bool(rng, 0.4) else make_metal(rng)), make_dark_skin(rng)
    size, lower, upper = rng.uniform(0.28, 0.34), rng.uniform(0.66, 0.84), rng.uniform(0.6, 0.76)
    back, rise = np.radians(rng.uniform(16, 28)), np.radians(rng.uniform(0, 25))
    shoulder = np.array((0.0, 0.0, 0.2))
    elbow = shoulder + lower * np.array((0.0, np.sin(back), np.cos(back)))
    wrist = elbow + upper * np.array((0.0, -np.cos(rise), np.sin(rise)))
    low, mid, tip = (to_point(point) for point in (shoulder, elbow, wrist))
    foot = Assembly().add(lacquer, cylinder(0.09, 0.06, 24, bevel=0.015).translate(z=0.125))
    foot.add_mirrored(black, rounded_box(0.03, 0.1, 0.16, 0.012).translate(0.085, 0.0, 0.19))
    foot.add(black, cylinder(0.03, 0.21, 14).rotate(y=90).translate(*low))
    return (
        Articulation()
        .add_part("base", _build_lamp_base(rng, lacquer, black, size))
        .add_part("foot", foot, parent="base", joint=Hinge("z", (0.0, 0.0, 0.1), -75, 75))
        .add_part(
            "lower arm",
            _build_lamp_arm(arms, black, low, mid, 0.04),
            category="arm",
            parent="foot",
            joint=Hinge("x", low, -18, 24),
        )
        .add_part(
            "upper arm",
            _build_lamp_arm(arms, black, mid, tip, 0.07),
            category="arm",
            parent="lower arm",
            joint=Hinge("x", mid, -38, 18),
        )
        .add_part(
            "shade", _build_shade(rng, lacquer, tip), parent="upper arm", joint=Hinge("x", tip, -40, 40)
        )
    )


def _build_lamp_base(rng: np.random.Generator, lacquer: Skin, black: Skin, size: float) -> Assembly:
    """Build the base with its switch and cord."""
    profile = [(size, 0.0), (size, 0.04), (0.8 * size, 0.075), (0.12, 0.09)]
    switch = cylinder(0.04, 0.05, 14, bevel=0.01).translate(0.17, -0.1, 0.085)
    base = Assembly().add(lacquer, lathe(profile, 36)).add(make_metal(rng), switch)
    cord = [
        (0, size - 0.05, 0.025),
        (0.05, size + 0.1, 0.02),
        (0.25, size + 0.12, 0.02),
        (0.3, size + 0.3, 0.02),
    ]
    return base.add(black, bent_tube(cord, 0.018, 12, 6))


def _build_lamp_arm(skin: Skin, black: Skin, start: Point, end: Point, spread: float) -> Assembly:
    """Build two parallel rods with a bush at the end of each."""
    arm = Assembly()
    for x in (-spread, spread):
        arm.add(skin, rod((x, *start[1:]), (x, *end[1:]), 0.02, 10))
        for point in (start, end):
            bush = cylinder(0.04, 0.026, 16, bevel=0.006).rotate(y=90)
            arm.add(black, bush.translate(x, *point[1:]))
    return arm.add(black, cylinder(0.022, 2 * spread + 0.05, 12).rotate(y=90).translate(*end))


def _build_shade(rng: np.random.Generator, skin: Skin, at: Point) -> Assembly:
    """Build a shade that opens down and to the front, with its bulb."""
    mouth, length, tilt = rng.uniform(0.2, 0.26), rng.uniform(0.3, 0.38), -rng.uniform(20, 40)
    outside = [
        (0.06, 0.06),
        (0.1, 0.0),
        (0.13, -0.25 * length),
        (0.8 * mouth, -0.6 * length),
        (mouth, -length),
    ]
    inside = [
        (mouth - 0.025, -length),
        (0.8 * mouth - 0.03, -0.6 * length),
        (0.1, -0.25 * length),
        (0.0, -0.2 * length),
    ]
    bell = lathe([(0.0, 0.06), *outside, *inside], 30)
    bulb = ellipsoid(0.085, 0.085, 0.11, 18, 10).translate(z=-0.55 * length)
    shade = Assembly().add(skin, bell).add(make_plain_skin((0.98, 0.93, 0.72), 0.5), bulb)
    shade.add(make_dark_skin(rng), cylinder(0.035, 0.16, 14).translate(z=0.1))
    return shade.move(lambda solid: solid.translate(z=-0.16).rotate(x=tilt).translate(*at))


def build_stapler(rng: np.random.Generator) -> Articulation:
    """Build a stapler, half open, with its mouth to the front: a base, the magazine and the cover."""
    length, width = rng.uniform(1.3, 1.6), rng.uniform(0.22, 0.28)
    skin, black = make_paint(rng), make_dark_skin(rng)
    steel = make_plain_skin(draw_color(rng, METALS[:2] + METALS[4:]), 0.5, 0.5)
    pin: Point = (0.0, 0.42 * length, 0.17)
    base = Assembly().add(black, rounded_box(width + 0.06, length, 0.07, 0.03, 2).translate(z=0.035))
    base.add(skin, rounded_box(width, 0.93 * length, 0.05, 0.02, 2).translate(y=0.01, z=0.085))
    base.add(steel, rounded_box(0.6 * width, 0.14, 0.03, 0.008).translate(y=-0.43 * length, z=0.11))
    cheek = fillet(
        [(pin[1] - 0.14, 0.06), (pin[1] + 0.1, 0.06), (pin[1] + 0.08, 0.26), (pin[1] - 0.08, 0.26)], 0.06
    )
    base.add_mirrored(skin, extrude(cheek, 0.035, "x").translate(x=0.5 * width + 0.025))
    base.add(steel, cylinder(0.03, width + 0.1, 14).rotate(y=90).translate(*pin))
    reach = 0.9 * length
    magazine = Assembly().add(
        steel, box(0.62 * width, reach, 0.1).translate(y=pin[1] - reach / 2 + 0.04, z=0.185)
    )
    cover = _build_stapler_cover(rng, (skin, steel), (reach, width), pin)
    lifted, raised = _lift(magazine, pin, 14), _lift(cover, pin, 26)
    return (
        Articulation()
        .add_part("base", base)
        .add_part("magazine", lifted, parent="base", joint=Hinge("x", pin, -18, 10))
        .add_part("cover", raised, parent="magazine", joint=Hinge("x", pin, -45, 10))
    )


def _build_stapler_cover(
    rng: np.random.Generator, skins: tuple[Skin, Skin], size: tuple[float, float], pin: Point
) -> Assembly:
    """Build the cover, shut: a long back that is highest in the middle, with a steel nose and a label."""
    (skin, steel), (reach, width) = skins, size
    front, rear = pin[1] - reach + 0.02, pin[1] + 0.06
    back = [
        (rear, pin[2] + 0.08),
        (front, pin[2] + 0.08),
        (front - 0.02, pin[2] + 0.16),
        (front + 0.25 * reach, pin[2] + 0.24),
        (front + 0.6 * reach, pin[2] + 0.25),
        (rear - 0.02, pin[2] + 0.15),
    ]
    body = extrude(fillet(back, (0.06, 0.05, 0.05, 0.3, 0.3, 0.06), 3), width, "x", bevel=0.015)
    cover = Assembly().add(skin, body)
    nose = rounded_box(0.8 * width, 0.05, 0.11, 0.015).translate(y=front - 0.015, z=pin[2] + 0.11)
    cover.add(steel, nose)
    ear = box(0.03, 0.12, 0.2).translate(0.4 * width, pin[1], pin[2] + 0.03)
    cover.add_mirrored(skin, ear)
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    label = box(0.03, 0.3 * reach, 0.075).translate(0.5 * width - 0.004, front + 0.45 * reach, pin[2] + 0.16)
    badge = make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.7)
    return cover.add(badge, label.stretch_texture("x"))


def _lift(part: Assembly, pin: Point, degrees: float) -> Assembly:
    """Lift the front of a part about the pin."""
    x, y, z = pin
    return part.move(lambda solid: solid.translate(-x, -y, -z).rotate(x=-degrees).translate(x, y, z))
