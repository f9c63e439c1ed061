"""The robot arm."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.articulated.articulation import Articulation, Hinge, Point
from turntable.renderer.meshes.zoo.articulated.families.beams import YELLOWS, build_beam, to_point
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.outlines import fillet
from turntable.renderer.meshes.zoo.primitives import box, cylinder, extrude, lathe, rounded_box
from turntable.renderer.meshes.zoo.skins import (
    PALE,
    VIVID,
    Skin,
    draw_color,
    draw_two_colors,
    make_dark_skin,
    make_metal,
    make_plain_skin,
    make_textured_skin,
)
from turntable.renderer.meshes.zoo.sweeps import bent_tube, rod


def build_robot_arm(rng: np.random.Generator) -> Articulation:
    """Build an industrial robot that bows to the front: a turret, two arms, and a gripper."""
    shell = make_plain_skin(draw_color(rng, (*YELLOWS[:4], 0xF5F5F2)), 0.5)
    black, steel = make_dark_skin(rng), make_metal(rng)
    lower, upper = rng.uniform(0.62, 0.76), rng.uniform(0.55, 0.68)
    back, rise = np.radians(rng.uniform(8, 20)), np.radians(rng.uniform(-5, 20))
    shoulder = np.array((0.0, 0.0, 0.42))
    elbow = shoulder + lower * np.array((0.0, np.sin(back), np.cos(back)))
    wrist = elbow + upper * np.array((0.0, -np.cos(rise), np.sin(rise)))
    low, mid, tip = (to_point(point) for point in (shoulder, elbow, wrist))
    gripper = _build_gripper(black, steel, rng.uniform(0.1, 0.13)).place(at=tip)
    return (
        Articulation()
        .add_part("base", _build_robot_base(rng, shell, black))
        .add_part(
            "turret", _build_turret(shell, black, low), parent="base", joint=Hinge("z", (0, 0, 0.2), -90, 90)
        )
        .add_part(
            "lower arm",
            _build_lower_arm(shell, black, (low, mid)),
            category="arm",
            parent="turret",
            joint=Hinge("x", low, -30, 22),
        )
        .add_part(
            "upper arm",
            _build_upper_arm(shell, black, (mid, tip)),
            category="arm",
            parent="lower arm",
            joint=Hinge("x", mid, -35, 22),
        )
        .add_part("gripper", gripper, parent="upper arm", joint=Hinge("x", tip, -85, 12))
    )


def _build_robot_base(rng: np.random.Generator, shell: Skin, black: Skin) -> Assembly:
    """Build the foot on its plate, with a badge at one side and a cable behind."""
    base = Assembly().add(black, rounded_box(0.66, 0.66, 0.06, 0.02).translate(z=0.03))
    base.add(shell, lathe([(0.29, 0.05), (0.25, 0.1), (0.2, 0.14), (0.2, 0.2)], 32))
    for x in (-0.27, 0.27):
        for y in (-0.27, 0.27):
            base.add(make_metal(rng), cylinder(0.03, 0.04, 6).translate(x, y, 0.07))
    ground, ink = draw_two_colors(rng, VIVID, PALE)
    badge = box(0.2, 0.03, 0.09).translate(0.05, -0.262, 0.1).stretch_texture("y")
    base.add(make_textured_skin(textures.make_badge(rng, ground, ink), 1.0, 0.6), badge)
    cable = [(0.1, 0.2, 0.1), (0.12, 0.34, 0.1), (0.12, 0.42, 0.03), (0.2, 0.5, 0.03)]
    return base.add(black, bent_tube(cable, 0.03, 12, 8))


def _build_turret(shell: Skin, black: Skin, shoulder: Point) -> Assembly:
    """Build the turning body with two cheeks that hold the lower arm."""
    turret = Assembly().add(shell, cylinder(0.24, 0.09, 32, bevel=0.02).translate(z=0.255))
    cheek = fillet(
        [(-0.15, 0.28), (0.15, 0.28), (0.11, shoulder[2] + 0.12), (-0.11, shoulder[2] + 0.12)], 0.09, 5
    )
    turret.add_mirrored(shell, extrude(cheek, 0.07, "x", bevel=0.015).translate(x=0.165))
    motor = cylinder(0.09, 0.16, 20, bevel=0.02).rotate(y=90).translate(0.27, 0, shoulder[2])
    turret.add(black, motor)
    return turret.add(black, cylinder(0.1, 0.04, 20).rotate(y=90).translate(-0.205, 0, shoulder[2]))


def _build_lower_arm(shell: Skin, black: Skin, ends: tuple[Point, Point]) -> Assembly:
    """Build an arm between two joints: a tapered beam with a round end at each."""
    radii = 0.13, 0.1
    arm = Assembly().add(shell, build_beam(np.array(ends[0]), np.array(ends[1]), radii, 0.2))
    for point, radius in zip(ends, radii, strict=True):
        drum = cylinder(radius + 0.008, 0.22, 26, bevel=0.02).rotate(y=90)
        arm.add(shell, drum.translate(*point))
        cap = cylinder(0.6 * radius, 0.24, 20).rotate(y=90)
        arm.add(black, cap.translate(*point))
    return arm


def _build_upper_arm(shell: Skin, black: Skin, ends: tuple[Point, Point]) -> Assembly:
    """Build the upper arm: two cheeks beside the elbow, a motor behind it, a slender arm to the wrist."""
    start, end = np.array(ends[0]), np.array(ends[1])
    along = (end - start) / np.linalg.norm(end - start)
    fork, rear = start + 0.2 * along, start - 0.17 * along
    arm = Assembly()
    for x in (-0.155, 0.155):
        side = np.array((x, 0.0, 0.0))
        arm.add(shell, build_beam(start - 0.12 * along + side, fork + side, (0.13, 0.13), 0.06))
    arm.add(shell, build_beam(fork - 0.045 * along, fork + 0.08 * along, (0.13, 0.11), 0.36))
    arm.add(shell, build_beam(fork + 0.06 * along, end, (0.1, 0.07), 0.15))
    arm.add(black, cylinder(0.085, 0.18, 22, bevel=0.015).rotate(y=90).translate(*end))
    for x in (-0.19, 0.19):
        arm.add(black, cylinder(0.09, 0.05, 22, bevel=0.01).rotate(y=90).translate(start[0] + x, *start[1:]))
    side = np.array((0.19, 0.0, 0.0))
    motor = rod(to_point(rear + side), to_point(fork + side - 0.03 * along), 0.06, 16)
    return arm.add(black, motor)


def _build_gripper(black: Skin, steel: Skin, spread: float) -> Assembly:
    """Build a wrist and two fingers that hang down from the origin."""
    gripper = Assembly()
    gripper.add_mirrored(black, box(0.03, 0.11, 0.2).translate(0.112, 0, -0.06))
    gripper.add(black, cylinder(0.12, 0.08, 24, bevel=0.015).translate(z=-0.18))
    gripper.add(steel, box(0.3, 0.1, 0.05).translate(z=-0.235))
    finger = [
        (spread, -0.24),
        (spread + 0.05, -0.24),
        (spread + 0.05, -0.36),
        (0.07, -0.47),
        (0.03, -0.47),
        (spread, -0.34),
    ]
    return gripper.add_mirrored(steel, extrude(finger, 0.07, "y", bevel=0.008))
