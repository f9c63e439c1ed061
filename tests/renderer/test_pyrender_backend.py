from dataclasses import replace

import numpy as np
import pytest

from tests.support.backends import OurBackendContract
from tests.support.optional import needs_pyrender
from turntable.errors import DeviceError, MeshError
from turntable.renderer.backends import get_quality
from turntable.renderer.backends.pyrender import PyrenderBackend
from turntable.renderer.backends.pyrender.mesh_parts import MAX_TRIANGLES, make_double_sided
from turntable.renderer.meshes import Mesh, Texture
from turntable.testing.backends import make_box, make_corner, make_label, make_scenes
from turntable.testing.backends.photometry import LIGHTS_AND_CAMERAS
from turntable.testing.backends.views import SIZE, STANDARD, USUAL_CAMERA


@pytest.fixture(scope="module")
def pyrender_backend():
    needs_pyrender()
    try:
        backend = PyrenderBackend()
    except DeviceError as error:  # PyOpenGL needs a library of the system more than moderngl does
        pytest.skip(str(error))
    with backend:
        yield backend


class TestPyrender(OurBackendContract):
    @pytest.fixture
    def backend(self, pyrender_backend):
        return pyrender_backend

    @pytest.mark.parametrize(("camera", "theta", "power", "sun"), LIGHTS_AND_CAMERAS)
    def test_floor_has_the_light_that_the_scene_says(self, backend, camera, theta, power, sun):
        """Beside the pool and in its middle; its rim is glTF's cone, not that of an emitter with a size."""
        error, spot = self.measure_floor_error(backend, camera, theta, power, sun)
        usual = camera == USUAL_CAMERA
        beside = error[spot == 0]
        assert np.quantile(beside, 0.98) < (1.0 if usual else 3.5)
        # Its gloss is greater at low angles, and its pictures have fewer levels where lamps are strong.
        assert np.median(error[spot >= 0.95 * spot.max()]) < (1.0 if usual else 3.0)
        assert np.quantile(error, 0.98) < (2.5 if usual else 4.0)

    def test_more_samples_come_nearer_to_the_truth(self, backend):
        """It has four samples a pixel, whatever is asked for."""
        few, many = (
            self.render(backend, make_corner(), make_label(), quality=get_quality("standard", samples)).rgb
            for samples in (1, 4)
        )
        np.testing.assert_array_equal(few, many)

    def test_sun_softens_the_floor_below(self, backend):
        """It does not: pyrender's lamps have no size; its sun goes without shadows rather than hard ones."""
        shaded, full = self.measure_below_plate(backend)
        assert shaded == pytest.approx(full, rel=0.01)

    def test_surfaces_are_those_of_the_main_renderer(self, backend, gl_backend):
        """Both contexts live in this process, and neither disturbs the other."""
        mesh, views = (
            make_corner(),
            make_scenes(
                make_label((0.4, -0.2, 0.9)),
                make_label((-0.6, 0.8, 0.1), shift=(0.2, 0, 0)),
                make_label((-0.6, 0.8, 0.1), camera=(1.6, 0.1)),
            ),
        )
        outputs = ("rgb", "mask", "depth", "normals", "coordinates")
        first, ours, again = (
            drawer.render(mesh, views, SIZE, STANDARD, outputs)
            for drawer in (gl_backend, backend, gl_backend)
        )
        np.testing.assert_array_equal(first.rgb, again.rgb)
        assert (ours.mask != first.mask).sum() <= 4
        same = (ours.mask > 0) & (first.mask > 0)
        for name, tolerance in (("depth", 1e-3), ("normals", 1e-2), ("coordinates", 1e-3)):
            error = np.abs(getattr(ours, name)[same] - getattr(first, name)[same])
            assert (error > tolerance).mean() < 0.01, name

    def test_rays_go_through_the_holes_of_textures(self, backend):
        """Half of a plate's texture is clear: half of its mask is gone."""
        plate = make_box((0.8, 0.8, 0.02))
        whole = self.render(backend, plate, make_label((0.5, 0, 0))).mask
        pixels = np.full((8, 8, 4), 255, dtype=np.uint8)
        pixels[:, :4, 3] = 0
        material = replace(plate.materials[0], texture=Texture(pixels))
        holed = replace(plate, materials=(material,), texcoords=plate.positions[:, :2] / 0.8 + 0.5)
        seen = self.render(backend, holed, make_label((0.5, 0, 0))).mask
        assert 0.4 < (seen > 0).sum() / (whole > 0).sum() < 0.6

    def test_quality_changes_nothing(self, backend):
        mesh, view = make_corner(), make_scenes(make_label())
        fast, high = (backend.render(mesh, view, 32, get_quality(name)).rgb for name in ("fast", "high"))
        np.testing.assert_array_equal(fast, high)


def test_more_triangles_than_can_be_numbered_are_that_meshs_error():
    one = make_box((1.0, 1.0, 1.0))
    crowd = Mesh(
        positions=one.positions,
        triangles=np.broadcast_to(one.triangles[:1], (MAX_TRIANGLES // 2 + 1, 3)),
        normals=one.normals,
        texcoords=one.texcoords,
        material_index=one.material_index,
        materials=one.materials,
    )
    with pytest.raises(MeshError, match="8388608 triangles and this backend takes 8388607"):
        make_double_sided(crowd)
