"""The contract tests of backends fail for a wrong backend, and name the rule that it breaks."""

import re

CODE = """
from dataclasses import fields, replace

import numpy as np
import pytest

from turntable.renderer.backends import Backend
from turntable.renderer.backends.embree import EmbreeBackend
from turntable.testing.backends import BackendContract


RIGHT = EmbreeBackend()


class Wrong(Backend):
    right = RIGHT

    device = property(lambda self: self.right.device)

    def close(self):
        pass

    def begin(self, *arguments):
        pixels = self.right.begin(*arguments)()
        arrays = {item.name: getattr(pixels, item.name) for item in fields(pixels)}
        return lambda: replace(pixels, **{n: self.wrong(n, a) for n, a in arrays.items() if a is not None})


class Shifted(Wrong):
    def wrong(self, name, array):
        return np.roll(array, 2, axis=2)


class Mirrored(Wrong):
    def wrong(self, name, array):
        return array[:, :, ::-1]


class Dim(Wrong):
    def wrong(self, name, array):
        return (array * 0.9).astype(np.uint8) if name == "rgb" else array


class Noisy(Wrong):
    seed = 0

    def wrong(self, name, array):
        self.seed += 1
        noise = np.random.default_rng(self.seed).integers(0, 2, array.shape, np.uint8)
        return array ^ noise if name == "rgb" else array


class ZeroDepth(Wrong):
    def wrong(self, name, array):
        return np.where(np.isinf(array), 0, array) if name == "depth" else array


def make_test_class(backend_class):
    class Tested(BackendContract):
        @pytest.fixture
        def backend(self):
            with backend_class() as opened:
                yield opened

    return Tested


TestShifted = make_test_class(Shifted)
TestMirrored = make_test_class(Mirrored)
TestDim = make_test_class(Dim)
TestNoisy = make_test_class(Noisy)
TestZeroDepth = make_test_class(ZeroDepth)
"""
HULL, VERTICES = "test_mask_is_the_projected_hull_of_a_box", "test_vertices_project_onto_the_silhouette"
FLOOR, AGAIN = (
    "test_floor_has_the_light_that_the_scene_says",
    "test_a_view_does_not_depend_on_its_neighbors",
)
HORIZON = "test_beyond_the_horizon_is_the_world"
SELECTED = {
    "TestShifted": (HULL, VERTICES),
    "TestMirrored": (HULL, VERTICES),
    "TestDim": (HULL, FLOOR),
    "TestNoisy": (HULL, AGAIN),
    "TestZeroDepth": (HULL, HORIZON),
}
"""Names of the tests to run for each class, of some fifty tests in the contract."""


def test_a_wrong_backend_fails_by_name(failures):
    found = failures(CODE, *(f"{name}.{test}" for name in SELECTED for test in SELECTED[name]))

    def join_messages(name):
        return " ".join(re.sub(r"\s+", " ", text) for key, text in found.items() if key.startswith(name))

    for name in ("TestShifted.", "TestMirrored."):
        assert "vertices projected by K and world_to_camera lie on the silhouette" in join_messages(name)
        assert "a pixel whose center lies within the box's outline is in the mask" in join_messages(name)
    assert "each pixel of the floor has the light of sun, world and spot" in join_messages("TestDim.")
    assert "the same call gives the same bytes" in join_messages("TestNoisy.")
    assert "beyond the horizon the depth is infinite" in join_messages("TestZeroDepth.")
    for name in ("TestDim", "TestNoisy", "TestZeroDepth"):
        assert f"{name}.{HULL}" not in found
