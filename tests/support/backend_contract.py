"""What every backend must do. A new backend inherits :class:`BackendTests` and gives a ``backend`` fixture.

The calculations here are independent of any renderer: vertices projected by numpy, hues read from pixels, the
light's direction from the shadow's place, the floor's radiance integrated directly.
"""

from dataclasses import replace

import numpy as np
import pytest
from meshes import box, corner_piece, doubled
from scipy.ndimage import binary_erosion, center_of_mass
from scipy.spatial import ConvexHull

from turntable.renderer import lighting, tone
from turntable.renderer.backends import Backend, quality
from turntable.renderer.meshes.coincident import LIT, settled
from turntable.renderer.meshes.mesh import Mesh, Texture, joined
from turntable.renderer.scene import CAMERA, FLOOR_Z, REQUIRED, WORLD_RADIANCE, direction, scenes_from_labels

SIZE = 128
FAST, STANDARD = quality("fast"), quality("standard")


def label(angles=(0.0, 0.0, 0.0), floor_hue=0.3, theta=0.4, phi=1.0, light_hue=0.6, shift=(0.0, 0.0, 0.0)):
    return [*angles, floor_hue, theta, phi, light_hue, *shift]


def scenes(*labels):
    return scenes_from_labels(
        (*REQUIRED, "translation_x", "translation_y", "translation_z"), np.array(labels)
    )


def pixel_rays(size):
    """Directions [S, S, 3] in the world through the centre of every pixel."""
    grid = np.stack(np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5), axis=-1)
    homogeneous = np.concatenate([grid, np.ones((size, size, 1))], axis=-1)
    return homogeneous @ np.linalg.inv(CAMERA.intrinsics(size)).T @ CAMERA.world_to_camera[:3, :3]


def floor_points(size):
    """Where those rays meet the floor [S, S, 3]."""
    rays = pixel_rays(size)
    return CAMERA.position + rays * ((FLOOR_Z - CAMERA.position[2]) / rays[..., 2:])


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

    def test_floor_has_the_light_that_the_scene_says(self, backend):
        """Away from the object and its shadows, each pixel is the integral over sun, world and spot."""
        view = label(floor_hue=0.55, theta=0.7, phi=2.0, light_hue=0.1)
        picture = self.draw(backend, box((0.02, 0.02, 0.02)), view)
        points, scene = floor_points(SIZE), scenes(view)
        towards = scene.light_position[0] - points
        cosine = towards[..., 2] / np.linalg.norm(towards, axis=-1)
        spot = lighting.spot_intensity(points, scene.light_position[0]) * cosine / np.pi
        sun = lighting.sun_irradiance_table(3)[-1] / np.pi
        radiance = scene.floor_albedo[0] * (spot[..., None] * scene.light_color[0] + sun + WORLD_RADIANCE)
        expected = 255 * tone.display_from_linear(radiance)
        error = np.abs(picture.rgb[0] - expected).max(axis=-1)
        # The speck and its shadows: a handful of pixels.
        assert np.quantile(error, 0.98) < 1.2
        assert np.median(error) < 0.6

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

    @pytest.mark.parametrize("size", [16, 33, 64, 1024])
    def test_sizes(self, backend, size):
        picture = self.draw(backend, corner_piece(), label(), label(phi=3.0), size=size, setting=FAST)
        assert picture.rgb.shape == (2, size, size, 3)
        assert picture.mask.shape == (2, size, size)

    def test_device_says_what_it_is(self, backend):
        assert all(backend.device.as_dict()[key] for key in ("backend", "vendor", "renderer", "version"))

    def test_depth_normals_and_coordinates_are_those_of_the_box(self, backend):
        """Rays cast at the box by numpy: the same depth, normal and place in the object's own frame."""
        half = np.array([0.25, 0.15, 0.3])
        view = scenes(label((0.4, 0.3, 0.8), shift=(0.05, -0.1, 0.1)))
        drawn = backend.render(
            box(tuple(2 * half)), view, SIZE, FAST, ("rgb", "mask", "depth", "normals", "coordinates")
        )
        matrix = view.object_to_world[0]
        origin = (CAMERA.position - matrix[:3, 3]) @ matrix[:3, :3]
        rays = pixel_rays(SIZE) @ matrix[:3, :3]  # of unit depth
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
        floor = (floor_points(SIZE) - CAMERA.position) @ CAMERA.world_to_camera[2, :3]
        np.testing.assert_allclose(drawn.depth[0][away], floor[away], atol=1e-4)
        np.testing.assert_array_equal(drawn.normals[0][away], np.broadcast_to([0, 0, 1], (away.sum(), 3)))
        assert not drawn.coordinates[0][away].any()
