"""Meshes and requests that nobody should make, and that come all the same: at the renderer, and in a run."""

import warnings

import numpy as np
import pytest
from PIL import Image

from tests.support.meshes import CUBE_MTL, CUBE_OBJ, sphere, write_shapenet_object
from turntable.datasets import load_recipe, open_dataset, verify_dataset
from turntable.datasets.objects import QUARANTINE_NAME, WARNINGS_NAME, read_quarantine, read_warnings
from turntable.errors import DeviceError, DeviceLostError, MeshError
from turntable.renderer import generate, open_backend
from turntable.renderer.backends import get_quality
from turntable.renderer.backends.gl import failures
from turntable.renderer.backends.gl.mesh_renderer import MeshRenderer
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.testing.backends import compute_psnr, make_corner, make_label, make_scenes
from turntable.testing.backends.views import FAST


def draw(backend, mesh, views=1, size=32):
    return backend.render(
        mesh, make_scenes(*[make_label(phi=k) for k in range(views)]), size, FAST, ("mask",)
    )


@pytest.mark.slow
@pytest.mark.gl
@pytest.mark.parametrize("name", ["moderngl", "embree"])
def test_five_million_triangles(name):
    """As dense as a scan: drawn, and to the eye the same as one of a hundredth of them."""
    with open_backend(name) as backend:
        fine, coarse = draw(backend, sphere(1600, 1600)), draw(backend, sphere(160, 160))
    assert compute_psnr(fine.rgb, coarse.rgb) > 35
    assert (fine.mask != coarse.mask).mean() < 0.002


# The device's own limits.


class _Short:
    """A patch that makes the device run out of memory with more than ``most`` views at once."""

    def __init__(self, monkeypatch, most):
        self.asked = []
        draw_all = MeshRenderer.begin

        def draw_some(drawing, of_scenes, outputs):
            self.asked.append(len(of_scenes))
            begun = draw_all(drawing, of_scenes, outputs)
            if len(of_scenes) > most:  # as OpenGL notes it: when much has been begun
                raise failures.OutOfMemoryError("GL_OUT_OF_MEMORY")
            return begun

        monkeypatch.setattr(MeshRenderer, "begin", draw_some)


@pytest.mark.gl
class TestMemoryOfTheDevice:
    def test_where_it_is_short_fewer_views_are_drawn_at_once(self, gl_backend, monkeypatch):
        whole = draw(gl_backend, make_corner(), views=7)
        short = _Short(monkeypatch, most=2)
        parts = draw(gl_backend, make_corner(), views=7)
        assert short.asked == [7, 4, 2, 2, 2, 1]
        assert compute_psnr(whole.rgb, parts.rgb) > 45

    def test_pictures_that_are_awaited_survive_and_no_buffer_is_lost(self, gl_backend, monkeypatch):
        views = make_scenes(*[make_label(phi=k) for k in range(4)])
        whole = draw(gl_backend, make_corner(), views=4)
        before = gl_backend.resources.readback.list_awaited()
        pending = gl_backend.begin(make_corner(), views, 32, FAST)
        held = gl_backend.resources.readback.list_awaited()
        _Short(monkeypatch, most=0)
        with pytest.raises(DeviceError):
            draw(gl_backend, make_corner(), views=4)
        assert gl_backend.resources.readback.list_awaited() == held
        np.testing.assert_array_equal(pending().rgb, whole.rgb)
        assert gl_backend.resources.readback.list_awaited() == before

    def test_memory_that_ends_while_drawing_costs_the_worker(self, gl_backend):
        def short():
            raise failures.OutOfMemoryError("GL_OUT_OF_MEMORY")

        with pytest.raises(DeviceLostError, match="ran out of memory while it was drawing"):
            gl_backend._join_batches([short])

    def test_without_any_the_user_is_told_what_to_do(self, gl_backend, monkeypatch):
        _Short(monkeypatch, most=0)
        with pytest.raises(DeviceError, match=r"no memory for one view of 32 px .*use fewer --workers"):
            draw(gl_backend, make_corner(), views=3)

    def test_a_mesh_that_is_too_large_is_left_out_itself(self, gl_backend, monkeypatch):
        _Short(monkeypatch, most=0)
        monkeypatch.setattr(failures, "LARGE_MESH_BYTES", 1000)
        with pytest.raises(MeshError, match=r"no memory for a mesh of 36 triangles .*decimate it"):
            draw(gl_backend, make_corner())

    def test_a_picture_beyond_the_devices_textures(self, gl_backend):
        """For real: no device has textures of 67,000 texels along a side."""
        with pytest.raises(DeviceError, match=r"needs 67232 samples .* a smaller --image-size"):
            gl_backend.render(
                make_corner(), make_scenes(make_label()), 8400, get_quality("fast", supersampling=8)
            )
        assert draw(gl_backend, make_corner()).mask.any()  # and the backend goes on

    def test_what_opengl_notes_in_passing_is_not_overlooked(self, gl_backend):
        context = gl_backend.context
        with (
            context,
            pytest.raises(DeviceLostError, match="GL_INVALID_ENUM"),
            failures.raise_gl_errors(context),
        ):
            context.enable_direct(0xFFFF)
        assert draw(gl_backend, make_corner()).mask.any()


# In a run: what is wrong with one object costs no other.

WITHOUT_NORMALS = CUBE_OBJ
NO_FACES = "\n".join(line for line in CUBE_OBJ.splitlines() if not line.startswith("f "))
NEEDLES = f"{NO_FACES}\nf 1/1 1/1 2/2\nf 3/3 3/3 3/3\n"
NOT_A_NUMBER = CUBE_OBJ.replace("v ", "v nan ")
HUGE = "\n".join(
    line if not line.startswith("v ") else "v " + " ".join(str(float(x) * 1e6) for x in line.split()[1:])
    for line in CUBE_OBJ.splitlines()
)
REASONS = {
    "100/empty": "no faces",
    "100/needles": "no faces",
    "100/nan": "not finite",
    "100/huge": "not to scale",
    "100/cut": "cut off",
}


@pytest.fixture(scope="module")
def meshes(tmp_path_factory):
    root = tmp_path_factory.mktemp("meshes")
    texts = {"empty": NO_FACES, "needles": NEEDLES, "nan": NOT_A_NUMBER, "huge": HUGE, "cut": CUBE_OBJ[:-9]}
    for name, text in texts.items():
        write_shapenet_object(root, f"100/{name}", obj=text)
    write_shapenet_object(root, "100/good", obj=WITHOUT_NORMALS)
    torn = write_shapenet_object(root, "100/torn").parent.parent / "images/texture0.png"
    torn.write_bytes(torn.read_bytes()[:40])
    vast = write_shapenet_object(root, "100/vast", mtl=CUBE_MTL).parent.parent / "images/texture0.png"
    Image.new("1", (16384, 16384)).save(vast)  # 35 kB of file, 800 MB of colours
    return root


@pytest.mark.slow
def test_one_object_of_every_kind(meshes, tmp_path):
    recipe = load_recipe("3diebench").replace(
        views=2, image_size_px=32, quality="fast", val_fraction=0, objects_per_shard=100
    )
    generate(recipe, ShapeNetSource(meshes), tmp_path / "set", backend="embree")
    report = verify_dataset(tmp_path / "set")
    assert report.problems == ()
    left_out = read_quarantine(tmp_path / "set" / QUARANTINE_NAME)
    assert {item.object: item.reason for item in left_out} == REASONS
    with open_dataset(tmp_path / "set").open_split("train") as train:
        assert [record.id for record in train.objects] == ["100/good", "100/torn", "100/vast"]
    notes = {item.object: str(item) for item in read_warnings(tmp_path / "set" / WARNINGS_NAME)}
    assert set(notes) == {"100/torn", "100/vast"}
    for text in notes.values():
        assert "texture0.png" in text
        assert "the material's own color is used" in text


def test_a_size_that_is_not_shapenets_is_said_with_what_to_do(meshes):
    with pytest.raises(MeshError, match=r"diagonal of 1.04e\+06, where ShapeNet.s is 1; .*--source folder"):
        load_mesh(ShapeNetSource(meshes), "100/huge")


def test_large_textures_do_not_warn_from_within_a_library(meshes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mesh = load_mesh(ShapeNetSource(meshes), "100/vast")
    assert all(material.texture is None for material in mesh.materials)
