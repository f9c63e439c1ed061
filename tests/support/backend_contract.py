"""What every backend must do. A new backend inherits :class:`BackendTests` and gives a ``backend`` fixture.

The calculations here are independent of any renderer: vertices projected by numpy, hues read from pixels, the
light's direction from the shadow's place, the floor's radiance integrated directly.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion, center_of_mass
from scipy.spatial import ConvexHull

from tests.support.meshes import box, corner_piece, doubled
from turntable.renderer.backends import Backend, quality
from turntable.renderer.meshes import Mesh, Texture
from turntable.renderer.meshes.coincident import LIT, settled
from turntable.renderer.meshes.mesh import joined
from turntable.renderer.scene import (
    CAMERA,
    FLOOR_Z,
    NEAR,
    OPTIONAL,
    REQUIRED,
    WORLD_RADIANCE,
    lighting,
    scenes_from_labels,
    tone,
)
from turntable.renderer.scene.scene import Camera, direction

SIZE = 128
FAST, STANDARD = quality("fast"), quality("standard")
ALL = ("rgb", "mask", "depth", "normals", "coordinates")
USUAL = (CAMERA.distance, np.pi / 4)
"""Distance and elevation of the camera."""


def label(
    angles=(0.0, 0.0, 0.0),
    floor_hue=0.3,
    theta=0.4,
    phi=1.0,
    light_hue=0.6,
    shift=(0.0, 0.0, 0.0),
    camera=USUAL,
    power=500.0,
    sun=1.5,
):
    return [*angles, floor_hue, theta, phi, light_hue, *shift, *camera, power, sun]


def scenes(*labels):
    return scenes_from_labels((*REQUIRED, *OPTIONAL), np.array(labels))


def camera_at(distance, elevation):
    return Camera(distance, np.pi / 2 - elevation)


def pixel_rays(size, camera=CAMERA):
    """Directions [S, S, 3] in the world through the centre of every pixel."""
    grid = np.stack(np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5), axis=-1)
    homogeneous = np.concatenate([grid, np.ones((size, size, 1))], axis=-1)
    return homogeneous @ np.linalg.inv(camera.intrinsics(size)).T @ camera.world_to_camera[:3, :3]


def floor_points(size, camera=CAMERA):
    """Where those rays meet the floor [S, S, 3]; of rays that do not, far away on it."""
    rays = pixel_rays(size, camera)
    rays[..., 2] = np.minimum(rays[..., 2], -1e-4)
    return camera.position + rays * ((FLOOR_Z - camera.position[2]) / rays[..., 2:])


def horizon_row(size, elevation):
    """Rows from the top of the picture to the horizon, in pixels."""
    return size / 2 - size / 2 / np.tan(CAMERA.field_of_view_rad / 2) * np.tan(elevation)


def floor_radiance(points, view, camera, power, sun):
    """What the floor sends [S, S, 3] into a camera, integrated directly; the spot's irradiance [S, S]."""
    scene = scenes(view)
    towards = scene.light_position[0] - points
    spot = lighting.spot_intensity(points, scene.light_position[0], power_w=power)
    lit = spot * towards[..., 2] / np.linalg.norm(towards, axis=-1) / np.pi
    plain = lighting.sun_irradiance_table(3, strength=sun)[-1] / np.pi + WORLD_RADIANCE
    return scene.floor_albedo[0] * (lit[..., None] * scene.light_color[0] + plain), spot


LIGHTS_AND_CAMERAS = [
    (USUAL, 0.7, 500.0, 1.5),
    ((1.5, 1.5), 0.3, 1500.0, 0.5),
    ((2.0, 0.5), 0.5, 0.0, 8.0),
    ((6.0, 0.12), 0.6, 800.0, 3.0),
    ((8.0, 0.3), 1.25, 1500.0, 0.8),
]
"""Camera, the spot's angle from the vertical, its power, the sun's strength."""


def hue_of(rgb):
    red, green, blue = (float(x) for x in rgb)
    high, spread = max(red, green, blue), max(red, green, blue) - min(red, green, blue)
    sector = {
        red: (green - blue) / spread,
        green: 2 + (blue - red) / spread,
        blue: 4 + (red - green) / spread,
    }[high]
    return sector / 6 % 1


def psnr(a, b):
    return 10 * np.log10(255**2 / max(np.mean((np.asarray(a, float) - b) ** 2), 1e-9))


def linear_of(pixels):
    """Scene-linear light of display values."""
    linear = 2.0 ** np.linspace(-12, 4, 4000)
    return np.interp(pixels / 255, tone.display_from_linear(linear), linear)


def _each(lamps):
    """Keyword arguments, one set a value."""
    longest = max(np.size(values) for values in lamps.values())
    rows = np.broadcast_arrays(*lamps.values(), np.empty(longest))[:-1]
    return [dict(zip(lamps, row, strict=True)) for row in zip(*rows, strict=True)]


def _centre(hull):
    """The centre of a plane hull's area."""
    x, y = hull.points[hull.vertices].T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    return np.array([((v + np.roll(v, -1)) * cross).sum() for v in (x, y)]) / (3 * cross.sum())


class BackendTests:
    """The contract."""

    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError

    def draw(self, backend: Backend, mesh: Mesh, *labels, size=SIZE, setting=STANDARD):
        return backend.render(mesh, scenes(*labels), size, setting, ("mask",))

    @pytest.mark.parametrize("shift", [(0, 0, 0), (0.2, -0.15, 0.1)])
    @pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.7, -0.5, 1.2), (-1.4, 0.9, -0.3)])
    def test_vertices_project_onto_the_silhouette(self, backend, angles, shift):
        """The outline's extent is that of the projected vertices, to less than a pixel on each side."""
        mesh = corner_piece()
        low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
        view = scenes(label(angles, shift=shift))
        mask = self.draw(backend, mesh, label(angles, shift=shift)).mask[0] > 0
        points = (mesh.positions - (low + high) / 2) @ view.object_to_world[
            0, :3, :3
        ].T + view.object_to_world[0, :3, 3]
        pixels = CAMERA.project(points.astype(np.float64), SIZE)
        rows, columns = np.nonzero(mask)
        extent = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        np.testing.assert_allclose(extent, [*pixels.min(axis=0), *pixels.max(axis=0)], atol=1.0)

    def test_mask_is_the_projected_hull_of_a_box(self, backend):
        """Every pixel centre well inside the projected corners' hull is object, every one outside is not."""
        mask = self.draw(backend, box((0.5, 0.3, 0.6)), label((0.4, 0.3, 0.8))).mask[0] > 0
        corners = np.array([[x, y, z] for x in (-0.25, 0.25) for y in (-0.15, 0.15) for z in (-0.3, 0.3)])
        view = scenes(label((0.4, 0.3, 0.8)))
        hull = ConvexHull(CAMERA.project(corners @ view.object_to_world[0, :3, :3].T, SIZE))
        grid = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), axis=-1)
        outside = (grid @ hull.equations[:, :2].T + hull.equations[:, 2]).max(axis=-1)
        assert mask[outside < -0.05].all()
        assert not mask[outside > 0.05].any()

    def floor_error(self, backend, camera, theta, power, sun):
        """How far [N] pixels of the floor are off, in levels; the spot's irradiance there [N]."""
        view = label(floor_hue=0.55, theta=theta, phi=2.0, light_hue=0.1, camera=camera, power=power, sun=sun)
        picture = self.draw(backend, box((0.02, 0.02, 0.02)), view)
        standing = camera_at(*camera)
        radiance, spot = floor_radiance(floor_points(SIZE, standing), view, standing, power, sun)
        error = np.abs(picture.rgb[0] - 255 * tone.display_from_linear(radiance)).max(axis=-1)
        first = max(0, int(np.ceil(horizon_row(SIZE, camera[1]))) + 2)
        return error[first:], spot[first:]

    @pytest.mark.parametrize(("camera", "theta", "power", "sun"), LIGHTS_AND_CAMERAS)
    def test_floor_has_the_light_that_the_scene_says(self, backend, camera, theta, power, sun):
        """Away from the object and its shadows, each pixel is the integral over sun, world and spot."""
        error, _ = self.floor_error(backend, camera, theta, power, sun)
        # The speck and its shadows: a handful of pixels.
        assert np.quantile(error, 0.98) < 1.2
        assert np.median(error) < 0.6

    def test_light_is_as_strong_as_its_lamps(self, backend):
        """The spot's share of the floor's light goes with its power, the sun's with its strength."""
        powers, suns = (0.0, 125.0, 500.0, 2000.0), (0.0, 0.75, 1.5, 6.0)
        mesh, below = box((0.02, 0.02, 0.02)), (slice(70, 76), slice(40, 46))

        def floor(**lamps):
            views = [label(theta=0.0, floor_hue=0.0, light_hue=0.0, **lamp) for lamp in _each(lamps)]
            drawn = self.draw(backend, mesh, *views).rgb[(slice(None), *below, 0)]
            return linear_of(drawn.astype(float)).mean(axis=(1, 2))

        point = floor_points(SIZE)[below]
        light = np.array([0.0, 0.0, 4.0])
        cosine = (light - point)[..., 2] / np.linalg.norm(light - point, axis=-1)
        spot = 0.6 * 0.8 * (lighting.spot_intensity(point, light) * cosine).mean() / np.pi / 500
        sun = 0.6 * lighting.sun_irradiance_table(3, strength=1.0)[-1] / np.pi
        dark = 0.6 * WORLD_RADIANCE
        np.testing.assert_allclose(floor(power=powers, sun=0.0), dark + spot * np.array(powers), rtol=0.04)
        np.testing.assert_allclose(floor(power=0.0, sun=suns), dark + sun * np.array(suns), rtol=0.04)

    def test_the_object_has_the_light_of_the_lamps(self, backend):
        """Four times the light on a lit plate, but for the world's; without lamps it is all but dark."""
        plate = box((0.6, 0.6, 0.02), base_color=(0.5, 0.5, 0.5), specular=0.0, roughness=0.5)
        views = [label(theta=0.0, light_hue=0.0, power=500.0 * k, sun=1.5 * k) for k in (0, 1, 4)]
        drawn = self.draw(backend, plate, *views)
        inside = binary_erosion(drawn.mask[0] > 0, iterations=4)
        none, once, four = linear_of(drawn.rgb[:, inside, 0].astype(float)).mean(axis=1)
        assert 0 < none < 0.05 * once
        assert (four - none) / (once - none) == pytest.approx(4, rel=0.03)

    def test_any_camera_sees_things_where_they_project(self, backend):
        """A glowing bar at random places before random cameras, all in one batch: its outline, its light."""
        rng = np.random.default_rng(5)
        mesh = box((0.3, 0.2, 0.12), base_color=(0, 0, 0), specular=0.0, emission=(4.0, 4.0, 4.0))
        cameras = np.stack([rng.uniform(1.5, 8, 10), rng.uniform(0.02, np.pi / 2 - 0.02, 10)], axis=-1)
        labels = [
            label(rng.uniform(-1.5, 1.5, 3), shift=rng.uniform(-0.12, 0.12, 3), camera=camera, power=0, sun=0)
            for camera in cameras
        ]
        drawn, views = self.draw(backend, mesh, *labels), scenes(*labels)
        brightness = linear_of(drawn.rgb[..., 0].astype(float))
        for view, camera in enumerate(cameras):
            pose = views.object_to_world[view]
            points = mesh.positions.astype(np.float64) @ pose[:3, :3].T + pose[:3, 3]
            corners = camera_at(*camera).project(points, SIZE)
            rows, columns = np.nonzero(drawn.mask[view])
            extent = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            np.testing.assert_allclose(extent, [*corners.min(axis=0), *corners.max(axis=0)], atol=1.0)
            glow = center_of_mass(np.maximum(brightness[view] - 0.5, 0))
            outline = _centre(ConvexHull(corners))
            np.testing.assert_allclose([glow[1] + 0.5, glow[0] + 0.5], outline, atol=0.25)

    def test_cameras_of_one_batch_do_not_mix(self, backend):
        """Each view of many cameras and lights is as if drawn alone."""
        mesh = corner_piece()
        labels = [
            label((0.3, 0.2, 0.9), camera=USUAL),
            label((0.3, 0.2, 0.9), camera=(1.5, 0.05), power=3000.0),
            label((0.3, 0.2, 0.9), camera=(5.0, 1.4), sun=0.2),
            label((0.3, 0.2, 0.9), camera=(1.6, 0.9), power=50.0, sun=5.0),
        ]
        crowd = backend.render(mesh, scenes(*labels), 64, STANDARD, ALL)
        for view, one in enumerate(labels):
            alone = backend.render(mesh, scenes(one), 64, STANDARD, ALL)
            assert psnr(crowd.rgb[view], alone.rgb[0]) > 45
            same = crowd.mask[view] == alone.mask[0]
            assert (~same).sum() <= 2
            np.testing.assert_allclose(crowd.depth[view][same], alone.depth[0][same], atol=1e-3)
            assert (np.abs(crowd.normals[view] - alone.normals[0])[same] > 1e-2).mean() < 0.01
            np.testing.assert_allclose(crowd.coordinates[view][same], alone.coordinates[0][same], atol=1e-3)

    @pytest.mark.parametrize("elevation", [0.02, 0.1, 0.25])
    def test_beyond_the_horizon_is_the_world(self, backend, elevation):
        """Its grey, no depth, no normal; the floor up to there, and things before both."""
        camera = (2.0, elevation)
        view = label(theta=0.3, floor_hue=0.1, power=0.0, camera=camera)
        drawn = backend.render(box((0.1, 0.1, 1.2)), scenes(view), SIZE, STANDARD, ALL)
        row, away = horizon_row(SIZE, elevation), drawn.mask[0] == 0
        rows = np.broadcast_to(np.arange(SIZE)[:, None], (SIZE, SIZE)) + 0.5
        sky, floor = away & (rows < row), away & (rows > row)
        grey = 255 * tone.display_from_linear(np.array(WORLD_RADIANCE))
        far = away & (rows < row - 2)
        assert np.abs(drawn.rgb[0][binary_erosion(far, iterations=2, border_value=1)] - grey).max() <= 1
        assert np.isposinf(drawn.depth[0][sky]).all()
        assert not drawn.normals[0][sky].any()
        depth = -(camera_at(*camera).position[2] - FLOOR_Z) / pixel_rays(SIZE, camera_at(*camera))[..., 2]
        np.testing.assert_allclose(drawn.depth[0][floor], depth[floor], rtol=1e-4)
        np.testing.assert_array_equal(drawn.normals[0][floor], np.broadcast_to([0, 0, 1], (floor.sum(), 3)))
        assert not drawn.coordinates[0][away].any()
        assert (drawn.mask[0] > 0)[rows < row].sum() > 20  # the box stands before the sky as well
        # The share of floor in a column away from the object: the horizon to a fraction of a pixel.
        column = linear_of(drawn.rgb[0, :, :8, 0].astype(float)).mean(axis=1)
        edge = slice(int(row) - 4, int(row) + 5)
        share = (column[edge] - column[edge][0]) / (column[edge][-1] - column[edge][0])
        assert int(row) + 5 - share.sum() == pytest.approx(row, abs=0.3)

    def test_what_reaches_behind_the_camera_is_drawn_whole(self, backend):
        """A glowing bar from afar on the right, past the right border, to behind the camera on its left."""
        bar = box((0.1, 6.0, 0.1), base_color=(0, 0, 0), specular=0.0, emission=(4.0, 4.0, 4.0))
        turn, centre = -0.22, np.array([-0.35, 0.3])
        back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        view = label((0.0, 0.0, turn), shift=(*(back @ centre), 0.3), camera=(1.5, 0.3), power=0.0, sun=0.0)
        drawn = self.draw(backend, bar, view)
        mask = drawn.mask[0] > 0
        inside = binary_erosion(mask, iterations=2, border_value=1)
        assert inside[:, -1].any()
        assert not mask[:, 0].any()
        assert drawn.rgb[0][inside].min() > 225
        assert drawn.rgb[0][~binary_dilation(mask, iterations=2)].max() < 100

    def test_what_is_too_near_is_not_seen(self, backend):
        """A pane just before the lens, nearer than the camera's near plane; its twin far behind is."""
        camera = camera_at(1.5, 0.5)
        near = camera.position * (1 - 0.6 * NEAR / camera.distance)
        size = (0.1, 0.02, 0.02)
        mesh = joined([box(size, tuple(sign * near)) for sign in (1, -1)])
        drawn = backend.render(mesh, scenes(label(camera=(1.5, 0.5))), SIZE, STANDARD, ("mask", "depth"))
        seen = drawn.mask[0] > 0
        assert 4 < seen.sum() < 100
        assert drawn.depth[0][seen].min() == pytest.approx(1.5 + 1.5 * (1 - 0.6 * NEAR / 1.5), abs=0.1)
        unlit = drawn.rgb[0].reshape(-1, 3).astype(int)
        assert np.abs(unlit - np.median(unlit, axis=0)).max() < 120

    @pytest.mark.parametrize("hue", [0.0, 0.2, 0.5, 0.8])
    def test_floor_hue_is_the_label(self, backend, hue):
        """On the unlit floor: red is red."""
        picture = self.draw(backend, box((0.1, 0.1, 0.1)), label(floor_hue=hue, theta=0.7, phi=4.7)).rgb[0]
        corner = linear_of(picture[2:6, 2:6].reshape(-1, 3).astype(float).mean(axis=0))
        assert abs((hue_of(corner) - hue + 0.5) % 1 - 0.5) < 0.01

    @pytest.mark.parametrize("hue", [0.05, 0.35, 0.62, 0.9])
    def test_light_hue_is_the_label(self, backend, hue):
        """What the spot adds to the floor, over the floor's own colour."""
        view = label(floor_hue=0.4, theta=0.0, light_hue=hue)
        picture = linear_of(self.draw(backend, box((0.02, 0.02, 0.02), (0, 0, 0)), view).rgb[0].astype(float))
        power = lighting.spot_intensity(floor_points(SIZE), np.array([0.0, 0, 4]))
        lit = picture[(power > 0.9 * power.max())].mean(axis=0)
        unlit = picture[power == 0].mean(axis=0)
        added = (lit - unlit) / scenes(view).floor_albedo[0]
        assert abs((hue_of(added) - hue + 0.5) % 1 - 0.5) < 0.02

    @pytest.mark.parametrize(("theta", "phi"), [(0.35, 0.5), (0.6, 1.6), (0.5, 2.6)])
    def test_light_direction_from_the_shadow(self, backend, theta, phi):
        """A line from the shadow's middle through the object's points at the light."""
        small = box((0.16, 0.16, 0.16))
        view = label(theta=theta, phi=phi, light_hue=0.0, floor_hue=0.0)
        points = floor_points(SIZE)
        light = 4 * direction(theta, phi)
        power = lighting.spot_intensity(points, light) * (light - points)[..., 2]
        power /= np.linalg.norm(light - points, axis=-1)
        with_box = self.draw(backend, small, view)
        red = linear_of(with_box.rgb[0, ..., 0].astype(float))
        unlit = (WORLD_RADIANCE + lighting.sun_irradiance_table(3)[-1] / np.pi) * 0.6
        visible = (red - unlit) / (0.6 * 0.8 * power / np.pi + 1e-9)
        dark = (power > 0.3 * power.max()) & ~(with_box.mask[0] > 0) & (visible < 0.5)
        dark = binary_erosion(dark)
        assert dark.sum() > 10
        row, column = center_of_mass(dark)
        shadow = points[round(row), round(column)]
        found = -shadow / np.linalg.norm(shadow)
        assert np.degrees(np.arccos(found @ direction(theta, phi))) < 4

    def test_sun_softens_the_floor_below(self, backend):
        """A wide plate above the floor keeps off sun, not all of it, more below its middle than far away."""
        view = label(theta=0.75, phi=4.7)
        picture = self.draw(backend, box((0.7, 0.7, 0.02)), view)
        under = CAMERA.project(np.array([0.0, 0.0, FLOOR_Z]), SIZE).round().astype(int)
        bare = self.draw(backend, box((0.02, 0.02, 0.02)), view).rgb[0].astype(float)
        full = linear_of(bare)[under[1], under[0], 0]
        shaded = linear_of(picture.rgb[0].astype(float))[under[1], under[0], 0]
        assert 0.6 * full < shaded < 0.99 * full

    def test_emission_textures_and_repeat(self, backend):
        """A texture replaces the colour and repeats; what is lit from inside is bright."""
        red, blue = [255, 0, 0], [0, 0, 255]
        stripes = Texture(np.array([[red, red, red, red, blue, blue, blue, blue]], dtype=np.uint8))
        mesh = box((0.8, 0.8, 0.02))
        uv = (mesh.positions[:, :2] * 4).astype(np.float32)
        material = replace(mesh.materials[0], texture=stripes, base_color=(0.0, 1.0, 0.0), specular=0.0)
        away = label(theta=0.75, phi=4.7, floor_hue=0.3)
        picture = self.draw(backend, replace(mesh, texcoords=uv, materials=(material,)), away)
        seen = picture.rgb[0][binary_erosion(picture.mask[0] > 0, iterations=3)].astype(int)
        assert (seen[:, 0] > seen[:, 2] + 50).mean() > 0.3
        assert (seen[:, 2] > seen[:, 0] + 50).mean() > 0.3
        assert (seen[:, 1] < 90).all()
        glowing = self.draw(
            backend, box((0.3, 0.3, 0.3), base_color=(0, 0, 0), emission=(3.0, 3.0, 3.0)), label()
        )
        assert glowing.rgb[0][glowing.mask[0] > 0].mean() > 225

    def test_transparent_things_let_through_what_is_behind(self, backend):
        """Through a dark pane of alpha 0.4 one sees the box; the mask stops at the box alone."""
        pane = box((0.7, 0.02, 1.0), (0, 0.3, 0.15), base_color=(0.0, 0.0, 0.0), alpha=0.4, specular=0.0)
        solid = box((0.2, 0.2, 0.2), (0, -0.2, 0), base_color=(0.9, 0.9, 0.9))
        view = label(theta=0.0)
        both = self.draw(backend, joined([pane, solid]), view)
        opaque = self.draw(
            backend, joined([replace(pane, materials=(replace(pane.materials[0], alpha=1.0),)), solid]), view
        )
        assert 0 < (both.mask[0] > 0).sum() < 0.5 * (opaque.mask[0] > 0).sum()
        through = both.rgb[0].astype(float)[both.mask[0] > 0].mean()
        assert opaque.rgb[0].astype(float)[both.mask[0] > 0].mean() + 20 < through

    def test_two_sided(self, backend):
        """Without normals of its own, a mesh turned inside out looks the same."""
        mesh = box((0.4, 0.5, 0.3))
        turned = replace(mesh, triangles=mesh.triangles[:, ::-1].copy(), normals=-mesh.normals)
        views = label((0.5, 0.4, 0.3))
        a, b = self.draw(backend, mesh, views), self.draw(backend, turned, views)
        assert np.abs(a.rgb.astype(int) - b.rgb).max() <= 2

    def test_faces_in_one_place_lose_half_of_the_light(self, backend):
        """As in the original, whose rays from one of them meet the other about half of the time."""
        plate, view = box((0.6, 0.6, 0.02), specular=0.0), label(theta=0.0)
        once, twice = (
            linear_of(picture.rgb[0][binary_erosion(picture.mask[0] > 0, iterations=3)].astype(float))
            for picture in (self.draw(backend, mesh, view) for mesh in (plate, settled(doubled(plate))))
        )
        np.testing.assert_allclose(np.median(twice / once, axis=0), LIT, atol=0.02)

    def test_objects_hide_behind_the_floor_and_leave_the_picture(self, backend):
        """Half below the floor; far beyond the border: nothing of either is seen where it is not."""
        low = self.draw(backend, box((0.5, 0.5, 0.5)), label(shift=(0, 0, -1.0)))
        whole = self.draw(backend, box((0.5, 0.5, 0.5)), label(shift=(0, 0, -0.7)))
        assert 0 < (low.mask > 0).sum() < 0.8 * (whole.mask > 0).sum()
        gone = self.draw(backend, box((0.5, 0.5, 0.5)), label(shift=(1.6, 0, 0)))
        assert not gone.mask.any()

    def test_a_view_does_not_depend_on_its_neighbours(self, backend):
        """Drawn alone, in a crowd, or in another order: the same picture, but for the rounding of edges."""
        mesh = corner_piece()
        labels = [label((0.2 * k, 0.1 * k, -0.3 * k), shift=(0.1 * k, 0, 0), phi=k) for k in range(5)]
        crowd = self.draw(backend, mesh, *labels, size=48)
        backwards = self.draw(backend, mesh, *labels[::-1], size=48)
        again = self.draw(backend, mesh, *labels, size=48)
        np.testing.assert_array_equal(crowd.rgb, again.rgb)
        alone = self.draw(backend, mesh, labels[3], size=48)
        for one, other in [(crowd.rgb, backwards.rgb[::-1]), (crowd.rgb[3], alone.rgb[0])]:
            assert psnr(one, other) > 45
        assert (crowd.mask[3] != alone.mask[0]).sum() <= 2

    @pytest.mark.parametrize(("name", "least"), [("fast", 30.0), ("standard", 36.0)])
    def test_qualities_agree(self, backend, name, least):
        """The cheap ways of light are near the dear one."""
        mesh, views = corner_piece(), [label((0.4, -0.2, 0.9)), label((-0.6, 0.8, 0.1), phi=4.0)]
        best = self.draw(backend, mesh, *views, setting=quality("high")).rgb.astype(float)
        ours = self.draw(backend, mesh, *views, setting=quality(name)).rgb.astype(float)
        assert psnr(best, ours) > least

    def test_more_samples_come_nearer_to_the_truth(self, backend):
        """A quality keeps its lights and gets other samples a pixel."""
        mesh, view = corner_piece(), label((0.4, -0.2, 0.9))
        truth = self.draw(backend, mesh, view, setting=quality("high", 4)).rgb.astype(float)
        one, two, three = (
            psnr(truth, self.draw(backend, mesh, view, setting=quality("standard", samples)).rgb)
            for samples in (1, 2, 3)
        )
        assert one + 1 < two < three

    @pytest.mark.parametrize("size", [16, 33, 64, pytest.param(1024, marks=pytest.mark.slow)])
    def test_sizes(self, backend, size):
        picture = self.draw(backend, corner_piece(), label(), label(phi=3.0), size=size, setting=FAST)
        assert picture.rgb.shape == (2, size, size, 3)
        assert picture.mask.shape == (2, size, size)

    def test_device_says_what_it_is(self, backend):
        assert all(backend.device.as_dict()[key] for key in ("backend", "vendor", "renderer", "version"))

    @pytest.mark.parametrize(
        ("half", "angles", "camera"),
        [
            ((0.25, 0.15, 0.3), (0.4, 0.3, 0.8), USUAL),
            ((0.25, 0.15, 0.3), (0.4, 0.3, 0.8), (1.5, 0.2)),
            ((0.25, 0.15, 0.3), (0.4, 0.3, 0.8), (3.0, 1.5)),
            (
                (0.4, 1.7, 0.05),
                (0.0, 0.0, 0.1),
                (1.5, 0.35),
            ),  # a plank that goes on below the camera and behind
        ],
    )
    def test_depth_normals_and_coordinates_are_those_of_the_box(self, backend, half, angles, camera):
        """Rays cast at the box by numpy: the same depth, normal and place in the object's own frame."""
        half, standing = np.array(half), camera_at(*camera)
        view = scenes(label(angles, shift=(0.05, -0.1, 0.1), camera=camera))
        drawn = backend.render(box(tuple(2 * half)), view, SIZE, FAST, ALL)
        matrix = view.object_to_world[0]
        origin = (standing.position - matrix[:3, 3]) @ matrix[:3, :3]
        rays = pixel_rays(SIZE, standing) @ matrix[:3, :3]  # of unit depth
        with np.errstate(divide="ignore"):
            near, far = ((sign * half - origin) / rays for sign in (-1, 1))
        enter, leave = np.minimum(near, far), np.maximum(near, far)
        depth = enter.max(axis=-1)
        inside = binary_erosion(depth < leave.min(axis=-1), iterations=2)
        assert inside.sum() > 500
        point = origin + rays * depth[..., None]
        side = np.eye(3)[enter.argmax(axis=-1)] * -np.sign(rays)
        np.testing.assert_allclose(drawn.depth[0][inside], depth[inside], atol=1e-4)
        np.testing.assert_allclose(drawn.coordinates[0][inside], point[inside], atol=1e-4)
        # An edge between two faces may go to either.
        wrong = np.abs(drawn.normals[0] - side @ matrix[:3, :3].T).max(axis=-1)[inside] > 2e-3
        assert wrong.mean() < 0.01
        away = drawn.mask[0] == 0
        floor = (floor_points(SIZE, standing) - standing.position) @ standing.world_to_camera[2, :3]
        away &= pixel_rays(SIZE, standing)[..., 2] < 0
        np.testing.assert_allclose(drawn.depth[0][away], floor[away], atol=1e-4)
        np.testing.assert_array_equal(drawn.normals[0][away], np.broadcast_to([0, 0, 1], (away.sum(), 3)))
        assert not drawn.coordinates[0][away].any()
