"""How light falls: on the floor as it can be integrated, on objects, and where shadows lie."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from turntable.renderer.backends import Backend
from turntable.renderer.meshes import LIT, Mesh, settled
from turntable.renderer.scene import (
    CAMERA,
    FLOOR_Z,
    WORLD_RADIANCE,
    direction,
    display_from_linear,
    spot_intensity,
    sun_irradiance_table,
)
from turntable.testing.backends.drawing import DrawingTests, DrawnViews
from turntable.testing.backends.light import (
    LIGHTS_AND_CAMERAS,
    floor_radiance,
    hue_error,
    linear_of,
)
from turntable.testing.backends.regions import Region, inner, middle_of
from turntable.testing.backends.shapes import box, doubled
from turntable.testing.backends.views import (
    SIZE,
    Array,
    Place,
    camera_at,
    floor_points,
    horizon_row,
    label,
    scenes,
)

SPECK = (0.02, 0.02, 0.02)


def each(lamps: dict[str, ArrayLike]) -> list[dict[str, Any]]:
    """Return keyword arguments, one set a value."""
    longest = max(np.size(values) for values in lamps.values())
    rows = np.broadcast_arrays(*lamps.values(), np.empty(longest))[:-1]
    return [dict(zip(lamps, row, strict=True)) for row in zip(*rows, strict=True)]


def shadow_of(drawn: DrawnViews, points: Array, light: Array) -> Region:
    """Return the pixels [S, S] of the floor that the spot shines at and does not reach."""
    power = spot_intensity(points, light) * (light - points)[..., 2] / np.linalg.norm(light - points, axis=-1)
    unlit = (WORLD_RADIANCE + sun_irradiance_table(3)[-1] / np.pi) * 0.6
    visible = (linear_of(drawn.rgb[0, ..., 0].astype(float)) - unlit) / (0.6 * 0.8 * power / np.pi + 1e-9)
    return inner((power > 0.3 * power.max()) & ~drawn.mask[0] & (visible < 0.5))


class LightTests(DrawingTests):
    """Lamps, floor and shadows."""

    def floor_error(
        self, backend: Backend, camera: Place, theta: float, power: float, sun: float
    ) -> tuple[Array, Array]:
        """Return how far [N] pixels of the floor are off, in levels, and the spot's irradiance there [N]."""
        view = label(floor_hue=0.55, theta=theta, phi=2.0, light_hue=0.1, camera=camera, power=power, sun=sun)
        picture = self.draw(backend, box(SPECK), view)
        radiance, spot = floor_radiance(floor_points(SIZE, camera_at(*camera)), view, power, sun)
        error = np.abs(picture.rgb[0] - 255 * display_from_linear(radiance)).max(axis=-1)
        first = max(0, int(np.ceil(horizon_row(SIZE, camera[1]))) + 2)
        return error[first:], spot[first:]

    @pytest.mark.parametrize(("camera", "theta", "power", "sun"), LIGHTS_AND_CAMERAS)
    def test_floor_has_the_light_that_the_scene_says(
        self, backend: Backend, camera: Place, theta: float, power: float, sun: float
    ) -> None:
        """Away from the object and its shadows, each pixel is the integral over sun, world and spot."""
        error, _ = self.floor_error(backend, camera, theta, power, sun)
        # The speck and its shadows: a handful of pixels.
        wanted = "each pixel of the floor has the light of sun, world and spot, to about a level of 256"
        assert np.quantile(error, 0.98) < 1.2, wanted
        assert np.median(error) < 0.6, wanted

    def test_light_is_as_strong_as_its_lamps(self, backend: Backend) -> None:
        """The spot's share of the floor's light goes with its power, the sun's with its strength."""
        powers, suns = (0.0, 125.0, 500.0, 2000.0), (0.0, 0.75, 1.5, 6.0)
        below = (slice(70, 76), slice(40, 46))

        def floor(**lamps: ArrayLike) -> Array:
            views = [label(theta=0.0, floor_hue=0.0, light_hue=0.0, **lamp) for lamp in each(lamps)]
            drawn = self.draw(backend, box(SPECK), *views).rgb[(slice(None), *below, 0)]
            return linear_of(drawn.astype(float)).mean(axis=(1, 2))

        point = floor_points(SIZE)[below]
        light = np.array([0.0, 0.0, 4.0])
        cosine = (light - point)[..., 2] / np.linalg.norm(light - point, axis=-1)
        spot = 0.6 * 0.8 * (spot_intensity(point, light) * cosine).mean() / np.pi / 500
        sun = 0.6 * sun_irradiance_table(3, strength=1.0)[-1] / np.pi
        dark = 0.6 * WORLD_RADIANCE
        of_spot, of_sun = floor(power=powers, sun=0.0), floor(power=0.0, sun=suns)
        told = "the floor's light goes with the {}"
        np.testing.assert_allclose(
            of_spot, dark + spot * np.array(powers), rtol=0.04, err_msg=told.format("spot's power")
        )
        np.testing.assert_allclose(
            of_sun, dark + sun * np.array(suns), rtol=0.04, err_msg=told.format("sun's strength")
        )

    def test_the_object_has_the_light_of_the_lamps(self, backend: Backend) -> None:
        """Four times the light on a lit plate, but for the world's; without lamps it is all but dark."""
        plate = box((0.6, 0.6, 0.02), base_color=(0.5, 0.5, 0.5), specular=0.0, roughness=0.5)
        views = [label(theta=0.0, light_hue=0.0, power=500.0 * k, sun=1.5 * k) for k in (0, 1, 4)]
        drawn = self.draw(backend, plate, *views)
        seen = drawn.rgb[:, inner(drawn.mask[0], 4), 0]
        none, once, four = linear_of(seen.astype(float)).mean(axis=1)
        assert 0 < none < 0.05 * once, "without lamps an object has the little light of the world"
        ratio = (four - none) / (once - none)
        assert ratio == pytest.approx(4, rel=0.03), "four times the lamps are four times the light"

    @pytest.mark.parametrize("hue", [0.0, 0.2, 0.5, 0.8])
    def test_floor_hue_is_the_label(self, backend: Backend, hue: float) -> None:
        """On the unlit floor: red is red."""
        picture = self.draw(backend, box((0.1, 0.1, 0.1)), label(floor_hue=hue, theta=0.7, phi=4.7)).rgb[0]
        corner = linear_of(picture[2:6, 2:6].reshape(-1, 3).astype(float).mean(axis=0))
        assert hue_error(corner, hue) < 0.01, f"the floor's hue in the picture is the label's, {hue}"

    @pytest.mark.parametrize("hue", [0.05, 0.35, 0.62, 0.9])
    def test_light_hue_is_the_label(self, backend: Backend, hue: float) -> None:
        """What the spot adds to the floor, over the floor's own color."""
        view = label(floor_hue=0.4, theta=0.0, light_hue=hue)
        drawn = self.draw(backend, box(SPECK, (0, 0, 0)), view)
        picture = linear_of(drawn.rgb[0].astype(float))
        power = spot_intensity(floor_points(SIZE), np.array([0.0, 0, 4]))
        lit = picture[(power > 0.9 * power.max())].mean(axis=0)
        unlit = picture[power == 0].mean(axis=0)
        added = (lit - unlit) / scenes(view).floor_albedo[0]
        assert hue_error(added, hue) < 0.02, f"the hue of the spot's light on the floor is the label's, {hue}"

    @pytest.mark.parametrize(("theta", "phi"), [(0.35, 0.5), (0.6, 1.6), (0.5, 2.6)])
    def test_light_direction_from_the_shadow(self, backend: Backend, theta: float, phi: float) -> None:
        """A line from the shadow's middle through the object's points at the light."""
        points, light = floor_points(SIZE), 4 * direction(theta, phi)
        view = label(theta=theta, phi=phi, light_hue=0.0, floor_hue=0.0)
        drawn = self.draw(backend, box((0.16, 0.16, 0.16)), view)
        dark = shadow_of(drawn, points, light)
        assert dark.sum() > 10, "an object in the spot's light throws a shadow on the floor"
        row, column = middle_of(dark)
        shadow = points[round(row), round(column)]
        found = -shadow / np.linalg.norm(shadow)
        missed = np.degrees(np.arccos(found @ direction(theta, phi)))
        assert missed < 4, "the light's direction, as the shadow tells it, is the label's"

    def test_sun_softens_the_floor_below(self, backend: Backend) -> None:
        """A wide plate above the floor keeps off sun, not all of it, more below its middle than far away."""
        shaded, full = self.below_a_plate(backend)
        assert 0.6 * full < shaded < 0.99 * full, "below a plate the floor has less of the sun, and not none"

    def below_a_plate(self, backend: Backend) -> tuple[float, float]:
        """Return the floor's light below a wide plate, and without it."""
        view = label(theta=0.75, phi=4.7)
        column, row = CAMERA.project(np.array([0.0, 0.0, FLOOR_Z]), SIZE).round().astype(int)
        shaded, full = (
            linear_of(self.draw(backend, box(size), view).rgb[0].astype(float))[row, column, 0]
            for size in ((0.7, 0.7, 0.02), SPECK)
        )
        return shaded, full

    def test_faces_in_one_place_lose_half_of_the_light(self, backend: Backend) -> None:
        """As in the original, whose rays from one of them meet the other about half of the time."""
        plate, view = box((0.6, 0.6, 0.02), specular=0.0), label(theta=0.0)

        def inside(mesh: Mesh) -> Array:
            picture = self.draw(backend, mesh, view)
            return linear_of(picture.rgb[0][inner(picture.mask[0], 3)].astype(float))

        share = np.median(inside(settled(doubled(plate))) / inside(plate), axis=0)
        wanted = f"faces with others in their place have {LIT} of the light: Material.lit says so"
        np.testing.assert_allclose(share, LIT, atol=0.02, err_msg=wanted)
