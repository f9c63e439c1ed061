"""Tests of the light: its strength and hue on the floor and on objects, and the position of shadows."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from turntable.renderer.backends import Backend
from turntable.renderer.meshes import COINCIDENT_LIGHT_SHARE, Mesh, mark_coincident_faces
from turntable.renderer.scene import (
    DEFAULT_CAMERA,
    FLOOR_Z,
    WORLD_RADIANCE,
    build_sun_irradiance_table,
    compute_spot_intensity,
    direction_from_angles,
    display_from_linear,
)
from turntable.testing.backends.base import BackendTests, MaskedViews
from turntable.testing.backends.masks import MaskArray, compute_center, erode
from turntable.testing.backends.meshes import make_box, with_doubled_faces
from turntable.testing.backends.photometry import (
    LIGHTS_AND_CAMERAS,
    compute_floor_radiance,
    compute_hue_error,
    linear_from_display,
)
from turntable.testing.backends.views import (
    SIZE,
    Array,
    CameraPosition,
    compute_floor_points,
    compute_horizon_row,
    make_camera,
    make_label,
    make_scenes,
)

SPECK = (0.02, 0.02, 0.02)
"""Size of a box that hardly disturbs the light on the floor."""


def expand_parameters(lamps: dict[str, ArrayLike]) -> list[dict[str, Any]]:
    """Return one dictionary of keyword arguments for each value; single values are repeated."""
    longest = max(np.size(values) for values in lamps.values())
    rows = np.broadcast_arrays(*lamps.values(), np.empty(longest))[:-1]
    return [dict(zip(lamps, row, strict=True)) for row in zip(*rows, strict=True)]


def find_shadow(rendered: MaskedViews, points: Array, light: Array) -> MaskArray:
    """Return the mask [S, S] of the spot's shadow on the floor.

    Args:
        rendered: The rendered view.
        points: Points [S, S, 3] of the floor that the pixels show.
        light: Position [3] of the spot.
    """
    power = (
        compute_spot_intensity(points, light)
        * (light - points)[..., 2]
        / np.linalg.norm(light - points, axis=-1)
    )
    unlit = (WORLD_RADIANCE + build_sun_irradiance_table(3)[-1] / np.pi) * 0.6
    # The red channel with red light on a red floor (hue 0), whose largest channels are 0.8 and 0.6.
    visible = (linear_from_display(rendered.rgb[0, ..., 0].astype(float)) - unlit) / (
        0.6 * 0.8 * power / np.pi + 1e-9
    )
    return erode((power > 0.3 * power.max()) & ~rendered.mask[0] & (visible < 0.5))


class LightTests(BackendTests):
    """Tests of the lamps, the floor and shadows."""

    def measure_floor_error(
        self, backend: Backend, camera: CameraPosition, theta: float, power: float, sun: float
    ) -> tuple[Array, Array]:
        """Measure the error of the floor's pixels.

        Returns:
            The largest error of a channel [N] in levels of 255, and the spot's irradiance [N], of the rows
            below the horizon.
        """
        view = make_label(
            floor_hue=0.55, theta=theta, phi=2.0, light_hue=0.1, camera=camera, power=power, sun=sun
        )
        picture = self.render(backend, make_box(SPECK), view)
        radiance, spot = compute_floor_radiance(
            compute_floor_points(SIZE, make_camera(*camera)), view, power, sun
        )
        error = np.abs(picture.rgb[0] - 255 * display_from_linear(radiance)).max(axis=-1)
        first = max(0, int(np.ceil(compute_horizon_row(SIZE, camera[1]))) + 2)
        return error[first:], spot[first:]

    @pytest.mark.parametrize(("camera", "theta", "power", "sun"), LIGHTS_AND_CAMERAS)
    def test_floor_has_the_light_that_the_scene_says(
        self, backend: Backend, camera: CameraPosition, theta: float, power: float, sun: float
    ) -> None:
        """Away from the object and its shadows, each pixel has the light of sun, world and spot together."""
        error, _ = self.measure_floor_error(backend, camera, theta, power, sun)
        # The other 2 % are the speck and its shadows.
        rule = "each pixel of the floor has the light of sun, world and spot, to about a level of 256"
        assert np.quantile(error, 0.98) < 1.2, rule
        assert np.median(error) < 0.6, rule

    def test_light_is_as_strong_as_its_lamps(self, backend: Backend) -> None:
        """The floor's light from the spot is proportional to its power, that from the sun to its strength."""
        powers, suns = (0.0, 125.0, 500.0, 2000.0), (0.0, 0.75, 1.5, 6.0)
        below = (slice(70, 76), slice(40, 46))

        def floor(**lamps: ArrayLike) -> Array:
            views = [
                make_label(theta=0.0, floor_hue=0.0, light_hue=0.0, **lamp)
                for lamp in expand_parameters(lamps)
            ]
            pixels = self.render(backend, make_box(SPECK), *views).rgb[(slice(None), *below, 0)]
            return linear_from_display(pixels.astype(float)).mean(axis=(1, 2))

        point = compute_floor_points(SIZE)[below]
        light = np.array([0.0, 0.0, 4.0])
        cosine = (light - point)[..., 2] / np.linalg.norm(light - point, axis=-1)
        spot = 0.6 * 0.8 * (compute_spot_intensity(point, light) * cosine).mean() / np.pi / 500
        sun = 0.6 * build_sun_irradiance_table(3, strength=1.0)[-1] / np.pi
        dark = 0.6 * WORLD_RADIANCE
        of_spot, of_sun = floor(power=powers, sun=0.0), floor(power=0.0, sun=suns)
        rule = "the floor's light is proportional to the {}"
        np.testing.assert_allclose(
            of_spot, dark + spot * np.array(powers), rtol=0.04, err_msg=rule.format("spot's power")
        )
        np.testing.assert_allclose(
            of_sun, dark + sun * np.array(suns), rtol=0.04, err_msg=rule.format("sun's strength")
        )

    def test_the_object_has_the_light_of_the_lamps(self, backend: Backend) -> None:
        """Lamps of four times the power give four times the light; without lamps a plate is almost dark."""
        plate = make_box((0.6, 0.6, 0.02), base_color=(0.5, 0.5, 0.5), specular=0.0, roughness=0.5)
        views = [make_label(theta=0.0, light_hue=0.0, power=500.0 * k, sun=1.5 * k) for k in (0, 1, 4)]
        rendered = self.render(backend, plate, *views)
        pixels = rendered.rgb[:, erode(rendered.mask[0], 4), 0]
        none, once, four = linear_from_display(pixels.astype(float)).mean(axis=1)
        assert 0 < none < 0.05 * once, "without lamps an object has only the faint light of the world"
        ratio = (four - none) / (once - none)
        assert ratio == pytest.approx(4, rel=0.03), "lamps of four times the power give four times the light"

    @pytest.mark.parametrize("hue", [0.0, 0.2, 0.5, 0.8])
    def test_floor_hue_is_the_label(self, backend: Backend, hue: float) -> None:
        """The hue of the floor outside of the spot's cone is the label's."""
        picture = self.render(
            backend, make_box((0.1, 0.1, 0.1)), make_label(floor_hue=hue, theta=0.7, phi=4.7)
        ).rgb[0]
        corner = linear_from_display(picture[2:6, 2:6].reshape(-1, 3).astype(float).mean(axis=0))
        assert compute_hue_error(corner, hue) < 0.01, f"the hue of the floor is the label's, {hue}"

    @pytest.mark.parametrize("hue", [0.05, 0.35, 0.62, 0.9])
    def test_light_hue_is_the_label(self, backend: Backend, hue: float) -> None:
        """The light that the spot adds to the floor, divided by the floor's color, has the label's hue."""
        view = make_label(floor_hue=0.4, theta=0.0, light_hue=hue)
        rendered = self.render(backend, make_box(SPECK, (0, 0, 0)), view)
        picture = linear_from_display(rendered.rgb[0].astype(float))
        power = compute_spot_intensity(compute_floor_points(SIZE), np.array([0.0, 0, 4]))
        lit = picture[(power > 0.9 * power.max())].mean(axis=0)
        unlit = picture[power == 0].mean(axis=0)
        added = (lit - unlit) / make_scenes(view).floor_albedo[0]
        assert compute_hue_error(added, hue) < 0.02, f"the hue of the spot's light is the label's, {hue}"

    @pytest.mark.parametrize(("theta", "phi"), [(0.35, 0.5), (0.6, 1.6), (0.5, 2.6)])
    def test_light_direction_from_the_shadow(self, backend: Backend, theta: float, phi: float) -> None:
        """The line from the center of the shadow through the object points to the light."""
        points, light = compute_floor_points(SIZE), 4 * direction_from_angles(theta, phi)
        view = make_label(theta=theta, phi=phi, light_hue=0.0, floor_hue=0.0)
        rendered = self.render(backend, make_box((0.16, 0.16, 0.16)), view)
        dark = find_shadow(rendered, points, light)
        assert dark.sum() > 10, "an object in the spot's light casts a shadow on the floor"
        row, column = compute_center(dark)
        shadow = points[round(row), round(column)]
        direction = -shadow / np.linalg.norm(shadow)
        error_deg = np.degrees(np.arccos(direction @ direction_from_angles(theta, phi)))
        assert error_deg < 4, "the light's direction, measured from the shadow, is the label's"

    def test_sun_softens_the_floor_below(self, backend: Backend) -> None:
        """A wide plate above the floor takes some of the sun's light, but not all, as the sun is soft."""
        shaded, full = self.measure_below_plate(backend)
        assert 0.6 * full < shaded < 0.99 * full, "below a plate the floor has less of the sun, but some"

    def measure_below_plate(self, backend: Backend) -> tuple[float, float]:
        """Return the floor's linear light below a wide plate, and without the plate."""
        view = make_label(theta=0.75, phi=4.7)
        column, row = DEFAULT_CAMERA.project(np.array([0.0, 0.0, FLOOR_Z]), SIZE).round().astype(int)
        shaded, full = (
            linear_from_display(self.render(backend, make_box(size), view).rgb[0].astype(float))[
                row, column, 0
            ]
            for size in ((0.7, 0.7, 0.02), SPECK)
        )
        return shaded, full

    def test_faces_in_one_place_lose_half_of_the_light(self, backend: Backend) -> None:
        """Coincident faces have half of the light, as in Blender: rays from one often hit the other."""
        plate, view = make_box((0.6, 0.6, 0.02), specular=0.0), make_label(theta=0.0)

        def inside(mesh: Mesh) -> Array:
            picture = self.render(backend, mesh, view)
            return linear_from_display(picture.rgb[0][erode(picture.mask[0], 3)].astype(float))

        share = np.median(inside(mark_coincident_faces(with_doubled_faces(plate))) / inside(plate), axis=0)
        rule = f"coincident faces have {COINCIDENT_LIGHT_SHARE} of the light, as Material.lit says"
        np.testing.assert_allclose(share, COINCIDENT_LIGHT_SHARE, atol=0.02, err_msg=rule)
