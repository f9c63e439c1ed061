"""Wheels, lamps and plates: what vehicles share."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.palette import Skin, color, plain, printed
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, lathe
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import rod


def wheel(radius: float, width: float, tyre: Skin, rim: Skin, spokes: int) -> Assembly:
    """A wheel about the x axis, on the origin, its outer face towards +x.

    Args:
        radius: of the tyre.
        width: of the tyre.
        tyre: the tyre's skin.
        rim: of rim, spokes and hub.
        spokes: their number; 0 is a plain disc.
    """
    half, inner = width / 2, 0.64 * radius
    section = [(inner, -0.8 * half), (0.9 * radius, -half), (radius, -0.6 * half)]
    section += [(radius, 0.6 * half), (0.9 * radius, half), (inner, 0.8 * half)]
    wheel = Assembly().add(tyre, _facing_right(lathe(section, 22, loop=True, crease=35.0)))
    disc = lathe(
        [(0.68 * radius, -0.5 * half), (0.68 * radius, 0.62 * half), (0.6 * radius, 0.45 * half)], 21
    )
    wheel.add(
        rim, _facing_right(disc), _facing_right(cylinder(0.17 * radius, 1.7 * half, 14, bevel=0.1 * half))
    )
    for number in range(spokes):
        # No two equally thick: where they cross, their faces must not coincide.
        spoke = box(0.17 * radius, 0.6 * radius, (0.6 + 0.013 * number) * half).at(
            y=0.33 * radius, z=0.5 * half
        )
        wheel.add(rim, _facing_right(spoke.turn(z=360.0 * number / spokes)))
    return wheel


def _facing_right(solid: Solid) -> Solid:
    """From the z axis to the x axis."""
    return solid.turn(y=90)


def mount(vehicle: Assembly, one: Assembly, x: float, y: float, z: float) -> None:
    """Put a wheel on the right side at (x, y, z) and its like on the left."""
    vehicle.include(one.placed(at=(x, y, z))).include(one.placed(turn_z=180.0, at=(-x, y, z)))


def lamps(
    rng: np.random.Generator, vehicle: Assembly, x: float, front: float, back: float, z: float, size: float
) -> None:
    """Round headlights in front, red ones behind, an orange flasher beside each headlight."""
    head = ellipsoid(size, 0.5 * size, size, 14, 7)
    vehicle.pair(plain((0.97, 0.95, 0.82), 0.5), head.at(x, front, z))
    tail = box(1.1 * size, 0.5 * size, 1.5 * size)
    vehicle.pair(plain(color(rng, (0xB3161B,)), 0.5), tail.at(x, back, z))


def plate(rng: np.random.Generator, vehicle: Assembly, x: float, y: float, z: float, width: float) -> None:
    """A number plate in front."""
    pixels = textures.label(rng, (0.95, 0.93, 0.85), (0.1, 0.1, 0.15))
    vehicle.add(printed(pixels, 1.0, 0.6), box(width, 0.03, 0.32 * width).at(x, y, z).decal("y"))


def driving_wheel(skin: Skin, radius: float) -> Assembly:
    """A steering wheel on its column, tilted to a driver who sits behind it (at +y)."""
    hoop = lathe(
        [(radius + 0.02, 0.0), (radius, 0.025), (radius - 0.02, 0.0), (radius, -0.025)], 18, loop=True
    )
    bars = [rod((-radius, 0, 0), (radius, 0, 0), 0.014), rod((0, 0, 0), (0, 0, -0.3), 0.022)]
    return Assembly().add(skin, *(solid.turn(x=-60) for solid in (hoop, *bars)))
