"""The OpenGL backend under the contract, and what is its own."""

import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from backend_contract import BackendTests, corner_piece, label, scenes

from turntable.errors import InvalidInputError, MeshError
from turntable.renderer.backends import open_backend, quality
from turntable.renderer.meshes.mesh import Texture

pytestmark = pytest.mark.gl


class TestGLBackend(BackendTests):
    @pytest.fixture
    def backend(self, gl_backend):
        assert gl_backend.context.error == "GL_NO_ERROR"
        yield gl_backend
        assert gl_backend.context.error == "GL_NO_ERROR"

    def test_more_views_than_fit_a_batch(self, backend, monkeypatch):
        labels = [label((0.1 * k, 0, 0)) for k in range(7)]
        whole = backend.render(corner_piece(), scenes(*labels), 32, quality("fast"), ("mask",))
        monkeypatch.setattr("turntable.renderer.backends.gl.backend.MAX_BATCH_VIEWS", 3)
        parts = backend.render(corner_piece(), scenes(*labels), 32, quality("fast"), ("mask",))
        np.testing.assert_array_equal(whole.rgb, parts.rgb)
        np.testing.assert_array_equal(whole.mask, parts.mask)

    @pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory in use from /proc")
    def test_memory_does_not_grow_with_meshes(self, backend):
        """In software the device's memory is the process's own; each mesh here brings a texture of 4 MiB."""

        def draw() -> int:
            mesh = corner_piece()
            material = replace(mesh.materials[0], texture=Texture(np.zeros((1024, 1024, 4), np.uint8)))
            mesh = replace(mesh, materials=(material, *mesh.materials[1:]))
            backend.render(mesh, scenes(label()), 32, quality("fast"))
            return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

        used = [draw() for _ in range(40)]
        assert max(used[20:]) - max(used[:20]) < 20 * 2**20

    def test_a_mesh_beyond_the_device_is_that_meshs_error(self, backend):
        mesh = corner_piece()
        crowd = replace(mesh, materials=mesh.materials[:1] * 40_000)  # no texture has so many rows
        with pytest.raises(MeshError, match="has 40000 materials and the device takes"):
            backend.render(crowd, scenes(label()), 16, quality("fast"))
        backend.render(mesh, scenes(label()), 16, quality("fast"))


def test_unknown_backend():
    with pytest.raises(InvalidInputError, match="no backend is called 'vulcan'; known: moderngl"):
        open_backend("vulcan")


def test_unknown_quality():
    with pytest.raises(InvalidInputError, match="known: fast, standard, high"):
        quality("best")
