"""The OpenGL backend under the contract, and what is its own."""

import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.backends import OurBackendContract
from tests.support.meshes import sphere
from turntable.errors import InvalidInputError, MeshError
from turntable.renderer import open_backend
from turntable.renderer.backends import get_quality
from turntable.renderer.backends.gl import GLBackend
from turntable.renderer.backends.gl.device_mesh import build_material_table, build_mesh_geometry
from turntable.renderer.meshes import Material, Texture, join_meshes
from turntable.renderer.scene import compute_filter_weights, compute_paired_taps
from turntable.testing.backends import make_box, make_corner, make_label, make_scenes

pytestmark = pytest.mark.gl


class TestGLBackend(OurBackendContract):
    @pytest.fixture
    def backend(self, gl_backend):
        assert gl_backend.context.error == "GL_NO_ERROR"
        yield gl_backend
        assert gl_backend.context.error == "GL_NO_ERROR"

    def test_more_views_than_fit_a_batch(self, backend, monkeypatch):
        labels = [make_label((0.1 * k, 0, 0)) for k in range(7)]
        whole = backend.render(make_corner(), make_scenes(*labels), 32, get_quality("fast"), ("mask",))
        monkeypatch.setattr("turntable.renderer.backends.gl.backend.MAX_BATCH_VIEWS", 3)
        parts = backend.render(make_corner(), make_scenes(*labels), 32, get_quality("fast"), ("mask",))
        np.testing.assert_array_equal(whole.rgb, parts.rgb)
        np.testing.assert_array_equal(whole.mask, parts.mask)

    @pytest.mark.parametrize("outputs", [("rgb",), ("mask",), ("depth",)])
    def test_buffers_made_anew_in_the_middle_of_a_mesh(self, backend, monkeypatch, outputs):
        """Batches of 3, 3 and 1: OpenGL has nothing to object to, or ``render`` would raise it."""
        monkeypatch.setattr("turntable.renderer.backends.gl.backend.MAX_BATCH_VIEWS", 3)
        for setting in (get_quality("fast"), get_quality("standard")):
            views = make_scenes(*[make_label(phi=k) for k in range(7)])
            assert len(backend.render(make_corner(), views, 32, setting, outputs).rgb) == 7

    @pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory in use from /proc")
    def test_memory_does_not_grow_with_meshes(self, backend):
        """In software the device's memory is the process's own; each mesh here brings a texture of 4 MiB."""

        def draw() -> int:
            mesh = make_corner()
            material = replace(mesh.materials[0], texture=Texture(np.zeros((1024, 1024, 4), np.uint8)))
            mesh = replace(mesh, materials=(material, *mesh.materials[1:]))
            backend.render(mesh, make_scenes(make_label()), 32, get_quality("fast"))
            return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

        used = [draw() for _ in range(40)]
        assert max(used[20:]) - max(used[:20]) < 20 * 2**20

    def test_a_mesh_beyond_the_device_is_that_meshs_error(self, backend):
        mesh = make_corner()
        crowd = replace(mesh, materials=mesh.materials[:1] * 40_000)  # no texture has so many rows
        with pytest.raises(MeshError, match="has 40000 materials and the device takes"):
            backend.render(crowd, make_scenes(make_label()), 16, get_quality("fast"))
        backend.render(mesh, make_scenes(make_label()), 16, get_quality("fast"))


def test_fragments_light_as_compute_shaders_do(gl_backend):
    """The path of devices below OpenGL 4.3; transparency takes blending there and image loads here."""
    if not gl_backend.resources.programs.compute:
        pytest.skip("the device has no compute shaders")
    glass = make_box((0.5, 0.4, 0.6), (0, 0.1, 0), base_color=(0.2, 0.6, 0.3), alpha=0.5)
    views = make_scenes(make_label((0.4, 0.2, 0.1)), make_label((1.0, -0.5, 2.0), shift=(0.9, 0, 0)))
    with GLBackend(compute=False) as fragments:
        glow = make_box((0.5, 0.4, 0.6), alpha=0.5, emission=(1.0, 0.5, 0.0))
        pixels = np.full((2, 2, 3), 188, dtype=np.uint8)
        glow = replace(glow, materials=(replace(glow.materials[0], emission_texture=Texture(pixels)),))
        for mesh in (make_corner(), join_meshes([glass, make_corner()]), join_meshes([glow, make_corner()])):
            ours = gl_backend.render(mesh, views, 64, get_quality("standard"))
            theirs = fragments.render(mesh, views, 64, get_quality("standard"))
            assert np.abs(ours.rgb.astype(int) - theirs.rgb).max() <= 2


def test_an_object_beyond_the_border_is_filtered_as_one_inside(gl_backend):
    """What lies just outside the picture takes part in the pixel filter: no seam along the rim."""
    plate = make_box((4.0, 4.0, 0.01), base_color=(0.5, 0.5, 0.5))
    rgb = (
        gl_backend.render(plate, make_scenes(make_label(shift=(0, 0, 0.3))), 64, get_quality("standard"))
        .rgb[0]
        .astype(int)
    )
    assert np.abs(rgb[20:40, 0] - rgb[20:40, 1]).max() <= 3


def test_a_mesh_pays_only_for_what_it_has():
    """No layers, no colors and no fourth texel for a mesh that is plain, or whose cutoff cuts nothing."""
    plain, clear = make_corner(), Texture(np.zeros((2, 2, 4), dtype=np.uint8))

    def build(colors=None, **material):
        materials = tuple(replace(item, **material) for item in plain.materials)
        return build_mesh_geometry(replace(plain, materials=materials, colors=colors))

    def has(geometry):
        return geometry.is_transparent, geometry.is_cut, geometry.colors is not None

    faded = np.ones((len(plain.positions), 4), dtype=np.float32)
    faded[3, 3] = 0.9
    assert has(build()) == has(build(alpha_cutoff=0.5)) == (False, False, False)
    assert has(build(alpha_cutoff=0.5, texture=clear)) == (False, True, False)
    assert has(build(alpha_cutoff=0.5, alpha=0.7)) == (False, True, False)
    assert has(build(alpha_cutoff=1.5)) == (False, True, False)
    assert has(build(texture=clear)) == has(build(alpha=0.7)) == (True, False, False)
    assert has(build(colors=np.ones_like(faded))) == (False, False, True)
    assert has(build(colors=faded)) == (True, False, True)
    assert has(build(colors=faded, alpha_cutoff=0.5)) == (False, True, True)
    assert build_material_table(plain.materials).shape == (3, 3, 4)
    table = build_material_table((*plain.materials, Material(alpha_cutoff=0.25)), is_cut=True)
    np.testing.assert_array_equal(table[:, 3, 0], [-1, -1, -1, 0.25])


def test_triangles_are_grouped_by_both_textures():
    """One draw call for each pair of textures, also where one texture stands in both places."""
    one, other = (Texture(np.zeros((2, 2, 3), dtype=np.uint8)) for _ in range(2))
    light = (1.0, 1.0, 1.0)
    materials = (
        Material(texture=one, emission=light, emission_texture=other),
        Material(texture=one),
        Material(emission=light, emission_texture=one),
        Material(),
        Material(texture=one, emission_texture=other),  # emits nothing: as without the second texture
    )
    index = np.arange(12, dtype=np.int32) % 5
    mesh = replace(make_box(), materials=materials, material_index=index)
    geometry = build_mesh_geometry(mesh)
    material = geometry.vertices["material"][geometry.indices].reshape(-1, 3)[:, 0]
    found = {}
    for group in geometry.groups:
        inside = material[group.first // 3 : (group.first + group.num_corners) // 3]
        found[tuple(group.textures)] = sorted(inside)
    assert found == {
        (None, None): [3, 3],
        (one, other): [0, 0, 0],
        (one, None): [1, 1, 1, 4, 4],
        (None, one): [2, 2],
    }


def test_shadows_of_a_dense_mesh_are_those_of_its_proxy():
    """A sphere of 80k triangles casts shadows with far fewer, in the same places to a cell of the grid."""
    mesh = sphere(200, 201)
    geometry = build_mesh_geometry(mesh)
    assert len(mesh.triangles) > 50_000
    assert len(geometry.caster.indices) < 0.75 * len(geometry.indices)
    places = geometry.caster.vertices[geometry.caster.indices]
    assert np.abs(np.linalg.norm(places, axis=1) - 0.5).max() < 2 * geometry.extent.radius / 96
    small = build_mesh_geometry(make_corner())
    assert len(small.caster.indices) <= len(small.indices)
    assert len(small.caster.vertices) < len(small.vertices)


@pytest.mark.parametrize("supersampling", [1, 2, 3])
def test_paired_taps_filter_as_single_ones_do(supersampling):
    """Read between two samples in the right ratio: the sum of both, for any picture."""
    places, weights = compute_filter_weights(supersampling)
    row = np.random.default_rng(0).random(41)
    middle = 20.0 if supersampling % 2 else 20.5  # a pixel's centre, among samples at whole numbers
    single = weights @ row[np.round(middle + places).astype(int)]
    between, shares = compute_paired_taps(supersampling).T
    assert weights.sum() == pytest.approx(1)
    assert shares @ np.interp(middle + between, np.arange(41), row) == pytest.approx(single, abs=1e-12)


def test_unknown_backend():
    with pytest.raises(
        InvalidInputError, match="unknown backend 'vulcan'; choose one of: moderngl, embree, pyrender"
    ):
        open_backend("vulcan")


@pytest.mark.parametrize("samples", [0, 9])
def test_samples_that_cannot_be(samples):
    message = f"{samples} samples per pixel and axis: give a number from 1 to 8"
    with pytest.raises(InvalidInputError, match=message):
        get_quality("fast", samples)


def test_unknown_quality():
    with pytest.raises(InvalidInputError, match="one of: fast, standard, high"):
        get_quality("best")
