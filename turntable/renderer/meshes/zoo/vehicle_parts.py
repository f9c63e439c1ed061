"""Parts that vehicles share: wheels, lamps, license plates, steering wheels."""

import numpy as np

from turntable.renderer.meshes.zoo import textures
from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.primitives import box, cylinder, ellipsoid, lathe
from turntable.renderer.meshes.zoo.skins import Skin, draw_color, make_plain_skin, make_textured_skin
from turntable.renderer.meshes.zoo.solid import Solid
from turntable.renderer.meshes.zoo.sweeps import rod


def build_wheel(radius: float, width: float, tire: Skin, rim: Skin, num_spokes: int) -> Assembly:
    """Build a wheel about the x axis, centered on the origin, with its outer face toward +x.

    Args:
        radius: Radius of the tire.
        width: Width of the tire.
        tire: Skin of the tire.
        rim: Skin of the rim, spokes and hub.
        num_spokes: Number of spokes; 0 gives a plain disk.
    """
    half, inner = width / 2, 0.64 * radius
    section = [(inner, -0.8 * half), (0.9 * radius, -half), (radius, -0.6 * half)]
    section += [(radius, 0.6 * half), (0.9 * radius, half), (inner, 0.8 * half)]
    wheel = Assembly().add(tire, _turn_to_x(lathe(section, 22, loop=True, crease=35.0)))
    disk = lathe(
        [(0.68 * radius, -0.5 * half), (0.68 * radius, 0.62 * half), (0.6 * radius, 0.45 * half)], 21
    )
    wheel.add(rim, _turn_to_x(disk), _turn_to_x(cylinder(0.17 * radius, 1.7 * half, 14, bevel=0.1 * half)))
    for number in range(num_spokes):
        # Each spoke has a different thickness: where spokes cross, their faces must not coincide.

        spoke = box(0.17 * radius, 0.6 * radius, (0.6 + 0.013 * number) * half).translate(
            y=0.33 * radius, z=0.5 * half
        )
        wheel.add(rim, _turn_to_x(spoke.rotate(z=360.0 * number / num_spokes)))
    return wheel


def _turn_to_x(solid: Solid) -> Solid:
    """Turn a solid from the z axis to the x axis."""
    return solid.rotate(y=90)


def add_wheel_pair(vehicle: Assembly, wheel: Assembly, x: float, y: float, z: float) -> None:
    """Add a wheel on the right side at (x, y, z) and the same wheel on the left."""
    vehicle.add_assembly(wheel.place(at=(x, y, z))).add_assembly(wheel.place(turn_z=180.0, at=(-x, y, z)))


def add_lamps(
    rng: np.random.Generator, vehicle: Assembly, x: float, front: float, back: float, z: float, size: float
) -> None:
    """Add round headlights in front and red taillights behind."""
    head = ellipsoid(size, 0.5 * size, size, 14, 7)
    vehicle.add_mirrored(make_plain_skin((0.97, 0.95, 0.82), 0.5), head.translate(x, front, z))
    tail = box(1.1 * size, 0.5 * size, 1.5 * size)
    vehicle.add_mirrored(make_plain_skin(draw_color(rng, (0xB3161B,)), 0.5), tail.translate(x, back, z))


def add_license_plate(
    rng: np.random.Generator, vehicle: Assembly, x: float, y: float, z: float, width: float
) -> None:
    """Add a license plate in front."""
    pixels = textures.make_badge(rng, (0.95, 0.93, 0.85), (0.1, 0.1, 0.15))
    vehicle.add(
        make_textured_skin(pixels, 1.0, 0.6),
        box(width, 0.03, 0.32 * width).translate(x, y, z).stretch_texture("y"),
    )


def build_steering_wheel(skin: Skin, radius: float) -> Assembly:
    """Build a steering wheel on its column, tilted toward a driver who sits behind it (at +y)."""
    hoop = lathe(
        [(radius + 0.02, 0.0), (radius, 0.025), (radius - 0.02, 0.0), (radius, -0.025)], 18, loop=True
    )
    bars = [rod((-radius, 0, 0), (radius, 0, 0), 0.014), rod((0, 0, 0), (0, 0, -0.3), 0.022)]
    return Assembly().add(skin, *(solid.rotate(x=-60) for solid in (hoop, *bars)))
