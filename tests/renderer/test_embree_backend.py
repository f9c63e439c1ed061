"""The embree backend under the contract, what is its own, and its agreement with OpenGL's pixels."""

import itertools
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.support.backends import OurBackendContract
from tests.support.meshes import sphere
from turntable.errors import MeshError, MissingExtraError
from turntable.installation import format_install_command
from turntable.renderer import open_backend
from turntable.renderer.backends import get_quality
from turntable.renderer.backends.embree import EmbreeBackend, library
from turntable.renderer.backends.embree.light_samples import BLOCK, LightSamples
from turntable.renderer.backends.embree.textures import LINEAR_FROM_SRGB, TexturePyramid
from turntable.renderer.backends.embree.traced_mesh import TracedMesh
from turntable.renderer.backends.embree.traced_triangles import TracedTriangles
from turntable.renderer.meshes import Texture, join_meshes, mark_coincident_faces
from turntable.renderer.meshes.sources import ZooSource
from turntable.testing.backends import (
    compute_psnr,
    linear_from_display,
    make_box,
    make_corner,
    make_label,
    make_scenes,
    with_doubled_faces,
)

OUTPUTS = ("rgb", "mask", "depth", "normals", "coordinates")


@pytest.fixture(scope="module")
def embree():
    with EmbreeBackend() as backend:
        yield backend


class TestEmbree(OurBackendContract):
    @pytest.fixture
    def backend(self, embree):
        return embree


def textured_glass():
    """A box seen through a pane with a hole in its texture."""
    pixels = np.full((64, 64, 4), (200, 60, 30, 90), dtype=np.uint8)
    pixels[:, :32, 3] = 0
    pixels[::8, :, :3] = 250
    pane = make_box((0.8, 0.02, 0.8), (0, 0.3, 0.1))
    pane = replace(
        pane,
        materials=(replace(pane.materials[0], texture=Texture(pixels)),),
        texcoords=(pane.positions[:, [0, 2]] * 1.3).astype(np.float32),
    )
    return join_meshes(
        [pane, make_box((0.3, 0.3, 0.3), (0, -0.2, 0), base_color=(0.7, 0.6, 0.1), specular=0.8)]
    )


def colored():
    """A box whose vertices have all colors, and become clear towards the top."""
    box = make_box((0.5, 0.4, 0.6))
    places = box.positions / [0.5, 0.4, 0.6] + 0.5
    colors = np.concatenate([places, 1.25 - places[:, 2:]], axis=1).clip(0, 1)
    inner = make_box((0.2, 0.2, 0.2), (0, 0, 0.15), base_color=(0.8, 0.1, 0.1))
    return join_meshes([replace(box, colors=colors.astype(np.float32)), inner])


def make_painted_box(**material):
    """A box whose six sides each show a texture three times and more, with these fields of its material."""
    box = make_box((0.6, 0.6, 0.6))
    axis = np.abs(box.normals).argmax(axis=1)
    across = np.take_along_axis(box.positions, np.array([[1, 2], [0, 2], [0, 1]])[axis], axis=1)
    return replace(
        box,
        texcoords=(across * 5 + 0.2).astype(np.float32),
        materials=(replace(box.materials[0], **material),),
    )


def disks():
    """A texture [64, 64, 4] of a disk whose alpha falls slowly from its middle."""
    y, x = np.indices((64, 64)) - 31.5
    alpha = np.clip(255 - (x**2 + y**2) / 5, 0, 255)
    return np.stack([np.full_like(alpha, 60), 100 + x, 100 + y, alpha], axis=-1).astype(np.uint8)


def glowing():
    """A box of glowing and dark squares, behind a pane of the same kind that one can see through."""
    texture = Texture(
        np.kron([[0, 255], [200, 30]], np.ones((8, 8)))[..., None].repeat(3, 2).astype(np.uint8)
    )
    glow = {"emission": (2.0, 0.6, 0.1), "emission_texture": texture, "base_color": (0.1, 0.1, 0.1)}
    pane = make_painted_box(alpha=0.4, **glow)
    pane = replace(pane, positions=pane.positions * np.float32([1.3, 0.03, 1]) - np.float32([0, 0.5, 0]))
    return join_meshes([make_painted_box(**glow), pane, make_box((0.9, 0.2, 0.1), (0, 0, -0.5))])


def zoo_mesh(category):
    source = ZooSource(1, (category,))
    return source.load(source.list_objects()[0].id)


MESHES = {
    "bars": make_corner,
    "sphere": lambda: sphere(24, 48, base_color=(0.2, 0.5, 0.7), roughness=0.3),
    "glass": textured_glass,
    "doubled": lambda: mark_coincident_faces(with_doubled_faces(make_corner(), base_color=(0.9, 0.9, 0.1))),
    "colored": colored,
    "cut": lambda: make_painted_box(texture=Texture(disks()), alpha_cutoff=0.4),
    "doubled and cut": lambda: mark_coincident_faces(
        with_doubled_faces(make_painted_box(texture=Texture(disks(), ("mirror", "clamp")), alpha_cutoff=0.4))
    ),
    "glowing": glowing,
    "mirrored": lambda: make_painted_box(texture=Texture(disks()[..., :3], ("clamp", "mirror"))),
    "blocky": lambda: make_painted_box(texture=Texture(disks()[::8, ::8, :3], magnified="nearest")),
    **{name: lambda name=name: zoo_mesh(name) for name in ("bicycle", "bus", "mug", "sofa")},
}


@pytest.mark.gl
@pytest.mark.parametrize("name", MESHES)
def test_two_renderers_draw_the_same(embree, gl_backend, name):
    """Depth maps and rays, shaders and numpy: docs/backends.md states these tolerances."""
    mesh = MESHES[name]()
    views = make_scenes(
        make_label((0.4, -0.2, 0.9), theta=0.3, phi=1.0),
        make_label((-0.9, 0.6, 2.0), floor_hue=0.8, light_hue=0.1, phi=3.0, shift=(0.1, -0.05, 0.1)),
    )
    agree(mesh, views, embree, gl_backend)


@pytest.mark.gl
@pytest.mark.parametrize("name", ["bars", "glass", "bus", "mug"])
def test_two_renderers_draw_the_same_before_any_camera(embree, gl_backend, name):
    """Near and far, from just above the horizontal to straight above, under weak and strong lamps."""
    angles = (0.4, -0.2, 0.9)
    views = make_scenes(
        make_label(angles, camera=(1.5, 0.03), power=1000.0),
        make_label(angles, camera=(1.7, 0.2), phi=3.0, sun=4.0),
        make_label(angles, camera=(3.0, 1.5), floor_hue=0.8, power=100.0, sun=0.5),
        make_label(angles, camera=(2.2, 0.9), light_hue=0.1, power=2500.0, sun=2.0),
    )
    agree(MESHES[name](), views, embree, gl_backend)


def agree(mesh, views, embree, gl_backend):
    """Within what docs/backends.md states."""
    ours, theirs = (
        b.render(mesh, views, 128, get_quality("standard"), OUTPUTS) for b in (embree, gl_backend)
    )
    both, either = (ours.mask & theirs.mask) > 0, (ours.mask | theirs.mask) > 0
    assert both.sum() / either.sum() >= 0.99
    assert compute_psnr(ours.rgb, theirs.rgb) >= 40
    assert compute_psnr(ours.rgb[both], theirs.rgb[both]) >= 30
    for output, tolerance in (("depth", 1e-3), ("normals", 2e-2), ("coordinates", 1e-3)):
        error = np.abs(getattr(ours, output)[both] - getattr(theirs, output)[both])
        assert (error > tolerance).mean() < 0.01, output


def test_light_passes_clear_things_once_a_face(embree):
    """Through a pane, which is two faces of alpha 0.5, a quarter of the spot and sun reaches the floor."""

    def floor_below(alpha):
        pane = make_box((0.5, 0.5, 0.01), alpha=alpha)
        view = make_scenes(make_label(theta=0.0, light_hue=0.0, floor_hue=0.0, shift=(0, 0, 1.5)))
        drawn = embree.render(pane, view, 96, get_quality("standard"))
        return linear_from_display(drawn.rgb[0, 60:70, 44:52, 0].astype(float)).mean()

    clear, half, solid = floor_below(0.0), floor_below(0.5), floor_below(1.0)
    assert (half - solid) / (clear - solid) == pytest.approx(0.25, abs=0.03)


def test_a_texture_of_fine_stripes_is_grey_from_afar(embree):
    """Finer than samples: their mean, not whichever stripe a ray meets."""
    stripes = np.zeros((1024, 1024, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    plate = make_box((0.8, 0.8, 0.02))
    plate = replace(
        plate,
        materials=(replace(plate.materials[0], texture=Texture(stripes), specular=0.0),),
        texcoords=(plate.positions[:, :2] * 3).astype(np.float32),
    )
    drawn = embree.render(
        plate, make_scenes(make_label(theta=0.75, phi=4.7)), 64, get_quality("fast"), ("mask",)
    )
    inside = drawn.rgb[0, 28:36, 28:36].astype(float)
    assert inside.std(axis=(0, 1)).max() < 3


def test_pyramids_average_light_not_numbers():
    chess = (np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pyramid = TexturePyramid(Texture(np.repeat(chess[..., None], 4, axis=2)))
    far = pyramid.sample_color(np.array([[0.3, 0.7]], dtype=np.float32), np.array([64.0]))
    assert far[0] == pytest.approx([0.5] * 3, abs=0.01)
    near = pyramid.sample_color(np.array([[1.5 / 8, 1 - 0.5 / 8]], dtype=np.float32), np.array([1.0]))
    assert near[0] == pytest.approx([1.0] * 3)
    assert LINEAR_FROM_SRGB[188] == pytest.approx(0.5, abs=0.005)


def test_textures_are_continued_at_every_place():
    """At the middles of texels, each continuation is that of np.pad; so are nearest texels."""
    pixels = np.random.default_rng(1).integers(0, 256, (3, 5, 4), dtype=np.uint8)
    modes = {"repeat": "wrap", "mirror": "symmetric", "clamp": "edge"}
    v, u = np.meshgrid(2 - (np.arange(9) + 0.5) / 3, (np.arange(15) + 0.5) / 5 - 1, indexing="ij")
    places = np.stack([u, v], axis=-1).reshape(-1, 2).astype(np.float32)
    for along_u, along_v in itertools.product(modes, modes):
        wide = np.pad(pixels, ((0, 0), (5, 5), (0, 0)), mode=modes[along_u])
        wide = np.pad(wide, ((3, 3), (0, 0), (0, 0)), mode=modes[along_v]).reshape(-1, 4)
        for magnified in ("linear", "nearest"):
            pyramid = TexturePyramid(Texture(pixels, (along_u, along_v), magnified))
            colors = pyramid.sample_color(places, np.full(len(places), 0.5))
            np.testing.assert_allclose(colors, LINEAR_FROM_SRGB[wide[:, :3]], atol=1e-5)
            np.testing.assert_allclose(pyramid.sample_alpha(places), wide[:, 3] / 255, atol=1e-5)


def test_every_kind_of_sample_has_its_own_part_of_the_lights():
    samples = LightSamples.from_quality(get_quality("standard"))
    for points in (samples.sun, samples.spot):
        assert len(points) == BLOCK * BLOCK
        assert len(np.unique(points.reshape(-1, points.shape[-1]).round(6), axis=0)) == points[..., 0].size
    middle = samples.sun.mean(axis=1)
    assert np.linalg.norm(middle[:, :2], axis=1).max() < 0.3  # none looks to one side alone


def test_of_faces_in_one_place_one_is_traced_and_another_seen_in_turn():
    mesh = mark_coincident_faces(with_doubled_faces(make_corner()))
    faces = TracedTriangles.from_mesh(mesh, mesh.positions)
    count = len(mesh.triangles) // 2
    np.testing.assert_array_equal(faces.indices[:count], np.arange(count))
    np.testing.assert_array_equal(faces.indices[faces.alternates], count + np.arange(count))
    places = mesh.positions[faces.triangles]
    np.testing.assert_array_equal(places[:count], places[faces.alternates])


def test_a_point_is_no_mesh():
    with pytest.raises(MeshError, match="no extent"):
        TracedMesh(make_box((0, 0, 0)))


@pytest.mark.slow
def test_the_same_call_gives_the_same_bytes_in_another_process(embree):
    code = (
        "import sys, hashlib; sys.path[:0] = sys.argv[1:];"
        "from turntable.testing.backends import make_label, make_scenes, make_corner;"
        "from turntable.renderer.backends import get_quality;"
        "from turntable.renderer.backends.embree import EmbreeBackend;"
        "scenes = make_scenes(make_label((0.3, 0, 0)));"
        "rgb = EmbreeBackend().render(make_corner(), scenes, 48, get_quality('fast')).rgb;"
        "print(hashlib.sha256(rgb.tobytes()).hexdigest())"
    )
    run = [sys.executable, "-c", code, *sys.path]
    digests = {subprocess.run(run, check=True, capture_output=True, text=True).stdout for _ in range(2)}
    assert len(digests) == 1


def test_without_its_wheel_the_error_names_the_extra(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "embreex"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "embreex", None)
    with pytest.raises(MissingExtraError, match=re.escape(format_install_command("render"))):
        open_backend("embree")


def test_the_processor_is_named_where_linux_says_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(library, "CPUINFO", tmp_path / "absent")
    assert EmbreeBackend().device.renderer
