"""The contract tests of backends fail for a wrong backend, and name the rule that it breaks."""

import re

CODE = """
from dataclasses import fields, replace

import numpy as np
import pytest

from turntable.geometry import look_at_origin
from turntable.renderer.backends import Backend
from turntable.renderer.backends.embree import EmbreeBackend
from turntable.renderer.meshes import with_flat_normals
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


class Blind(Wrong):
    def begin(self, mesh, scenes, *arguments):
        return self.right.begin(mesh, self.simplify(scenes), *arguments)


class Level(Blind):
    def simplify(self, scenes):
        return replace(scenes, world_to_camera=look_at_origin(scenes.camera_position))


class Centered(Blind):
    def simplify(self, scenes):
        return replace(scenes, principal_shift_px=0 * scenes.principal_shift_px)


class Forgetful(Wrong):
    def begin(self, mesh, *arguments):
        return self.right.begin(self.forget(mesh), *arguments)

    def forget(self, mesh):
        return replace(mesh, materials=tuple(self.forget_part(m) for m in mesh.materials))


class WithoutColors(Forgetful):
    def forget(self, mesh):
        return replace(mesh, colors=None)


class WithoutVertexAlpha(Forgetful):
    def forget(self, mesh):
        if mesh.colors is None:
            return mesh
        return replace(mesh, colors=np.concatenate([mesh.colors[:, :3], np.ones((4, 1), np.float32)], axis=1))


class WithBands(Forgetful):
    def forget(self, mesh):
        flat = with_flat_normals(mesh)
        if flat.colors is None:
            return mesh
        return replace(flat, colors=flat.colors.reshape(-1, 3, 4).mean(axis=1).repeat(3, axis=0))


class WithoutWrap(Forgetful):
    def forget_part(self, material):
        texture, emission = material.texture, material.emission_texture
        return replace(
            material,
            texture=texture and replace(texture, wrap=("repeat", "repeat")),
            emission_texture=emission and replace(emission, wrap=("repeat", "repeat")),
        )


class WithoutNearest(Forgetful):
    def forget_part(self, material):
        texture = material.texture
        return replace(material, texture=texture and replace(texture, magnified="linear"))


class WithoutEmissionTexture(Forgetful):
    def forget_part(self, material):
        return replace(material, emission_texture=None)


class WithoutCutoff(Forgetful):
    def forget_part(self, material):
        return replace(material, alpha_cutoff=None)


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
TestLevel = make_test_class(Level)
TestCentered = make_test_class(Centered)
TestWithoutColors = make_test_class(WithoutColors)
TestWithoutVertexAlpha = make_test_class(WithoutVertexAlpha)
TestWithBands = make_test_class(WithBands)
TestWithoutWrap = make_test_class(WithoutWrap)
TestWithoutNearest = make_test_class(WithoutNearest)
TestWithoutEmissionTexture = make_test_class(WithoutEmissionTexture)
TestWithoutCutoff = make_test_class(WithoutCutoff)
"""
HULL, VERTICES = "test_mask_is_the_projected_hull_of_a_box", "test_vertices_project_onto_the_silhouette"
FLOOR, AGAIN = (
    "test_floor_has_the_light_that_the_scene_says",
    "test_a_view_does_not_depend_on_its_neighbors",
)
HORIZON = "test_beyond_the_horizon_is_the_world"
TURN = "test_a_quarter_turn_turns_the_picture"
MOVED = "test_rolled_and_shifted_cameras_see_things_where_they_project"
SELECTED = {
    "TestShifted": (HULL, VERTICES),
    "TestMirrored": (HULL, VERTICES),
    "TestDim": (HULL, FLOOR),
    "TestNoisy": (HULL, AGAIN),
    "TestZeroDepth": (HULL, HORIZON),
    "TestLevel": (TURN,),
    "TestCentered": (MOVED,),
}
"""Names of the tests to run for each class, of some seventy tests in the contract."""
CUT = "opaque where its alpha is at least the cutoff"
SMOOTH = "test_colors_of_vertices_run_smoothly"
FORGOTTEN = {
    "TestWithoutColors": {
        SMOOTH: "vertex colors run smoothly",
        "test_colors_multiply_the_texture_and_the_base_color": "vertex colors multiply the texture's color",
    },
    "TestWithoutVertexAlpha": {
        "test_transparent_vertices_let_through_what_is_behind": "the opacity of vertices is interpolated",
        "test_below_its_cutoff_a_surface_is_absent[vertices]": CUT,
    },
    "TestWithBands": {SMOOTH: "vertex colors run smoothly"},
    "TestWithoutWrap": {
        f"test_textures_are_continued_as_they_say[{wrap}-{field}]": "a texture is continued along u and v"
        for wrap in ("wrap0", "wrap1", "wrap2")
        for field in ("texture", "emission_texture")
    },
    "TestWithoutNearest": {
        "test_magnified_texels_are_squares_or_interpolated[texture]": "a magnified texel has one color"
    },
    "TestWithoutEmissionTexture": {
        "test_emission_textures_say_where_light_is_emitted[1.0]": "its emission times its emission texture",
        "test_emission_textures_say_where_light_is_emitted[0.6]": "its emission times its emission texture",
        "test_very_strong_emission_is_white": "emission is dark where its texture is black",
    },
    "TestWithoutCutoff": {
        f"test_below_its_cutoff_a_surface_is_absent[{source}]": CUT for source in ("texture", "product")
    },
}
"""Tests and messages of each class that forgets something of a mesh."""


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
    assert "a roll by 90 degrees turns the picture clockwise" in join_messages("TestLevel.")
    assert "which principal_point_dx_px and principal_point_dy_px move" in join_messages("TestCentered.")
    for name in ("TestDim", "TestNoisy", "TestZeroDepth"):
        assert f"{name}.{HULL}" not in found


def test_a_backend_that_forgets_a_part_of_the_mesh_fails_by_name(failures):
    found = failures(CODE, *(f"{name}.{test}" for name, tests in FORGOTTEN.items() for test in tests))
    for name, tests in FORGOTTEN.items():
        for test, message in tests.items():
            assert message in re.sub(r"\s+", " ", found[f"{name}.{test}"]), (name, test)
