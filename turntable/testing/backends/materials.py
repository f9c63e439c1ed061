"""Tests of materials: textures, emission, transparency and two-sided faces; and of unusual meshes."""

from dataclasses import replace

import numpy as np

from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh, Texture, join_meshes
from turntable.testing.backends.base import BackendTests
from turntable.testing.backends.masks import MaskArray, erode
from turntable.testing.backends.meshes import make_box, make_corner
from turntable.testing.backends.photometry import compute_psnr
from turntable.testing.backends.views import FAST, make_label


def with_stripes(mesh: Mesh) -> Mesh:
    """Return a mesh with a texture of red and blue stripes, which repeats four times per unit of x."""
    red, blue = [255, 0, 0], [0, 0, 255]
    stripes = Texture(np.array([[red, red, red, red, blue, blue, blue, blue]], dtype=np.uint8))
    material = replace(mesh.materials[0], texture=stripes, base_color=(0.0, 1.0, 0.0), specular=0.0)
    texcoords = (mesh.positions[:, :2] * 4).astype(np.float32)
    return replace(mesh, texcoords=texcoords, materials=(material,))


class MaterialTests(BackendTests):
    """Tests of textures, emission, alpha and the sides of faces; and of degenerate meshes, which do occur."""

    def render_mask(self, backend: Backend, mesh: Mesh) -> MaskArray:
        """Render one small view and return its mask [32, 32]."""
        return self.render(backend, mesh, make_label(phi=0.0), size=32, quality=FAST).mask[0]

    def test_emission_textures_and_repeat(self, backend: Backend) -> None:
        """A texture replaces the base color and repeats; a surface with emission is bright."""
        picture = self.render(
            backend, with_stripes(make_box((0.8, 0.8, 0.02))), make_label(theta=0.75, phi=4.7, floor_hue=0.3)
        )
        pixels = picture.rgb[0][erode(picture.mask[0], 3)].astype(int)
        red, green, blue = pixels.T
        assert (red > blue + 50).mean() > 0.3, "a texture repeats: its red half is visible several times"
        assert (blue > red + 50).mean() > 0.3, "a texture repeats: its blue half is visible several times"
        assert (green < 90).all(), "a texture replaces the base color"
        glow = make_box((0.3, 0.3, 0.3), base_color=(0, 0, 0), emission=(3.0, 3.0, 3.0))
        glowing = self.render(backend, glow, make_label())
        assert glowing.rgb[0][glowing.mask[0]].mean() > 225, "a surface with emission is bright"

    def test_transparent_things_let_through_what_is_behind(self, backend: Backend) -> None:
        """The box is visible through a dark pane of alpha 0.4; the mask has the box, but not the pane."""
        pane = make_box((0.7, 0.02, 1.0), (0, 0.3, 0.15), base_color=(0.0, 0.0, 0.0), alpha=0.4, specular=0.0)
        wall = replace(pane, materials=(replace(pane.materials[0], alpha=1.0),))
        solid = make_box((0.2, 0.2, 0.2), (0, -0.2, 0), base_color=(0.9, 0.9, 0.9))
        both, opaque = (
            self.render(backend, join_meshes([it, solid]), make_label(theta=0.0)) for it in (pane, wall)
        )
        mask = both.mask[0]
        rule = "the mask leaves out a pane of alpha below 0.5, and has the opaque object behind it"
        assert 0 < mask.sum() < 0.5 * opaque.mask[0].sum(), rule
        through, before = (picture.rgb[0].astype(float)[mask].mean() for picture in (both, opaque))
        assert before + 20 < through, "a transparent surface shows what is behind it"

    def test_two_sided(self, backend: Backend) -> None:
        """A mesh turned inside out looks the same, as faces are visible and lit from both sides."""
        mesh = make_box((0.4, 0.5, 0.3))
        turned = replace(mesh, triangles=mesh.triangles[:, ::-1].copy(), normals=-mesh.normals)
        view = make_label((0.5, 0.4, 0.3))
        a, b = self.render(backend, mesh, view), self.render(backend, turned, view)
        rule = "faces are visible and lit from both sides, whatever the winding of their vertices"
        assert np.abs(a.rgb.astype(int) - b.rgb).max() <= 2, rule

    def test_faces_without_area_change_nothing(self, backend: Backend) -> None:
        """Triangles with two or three equal vertices change nothing."""
        mesh = make_corner()
        needles = np.concatenate([mesh.triangles, mesh.triangles[:, [0, 0, 1]], mesh.triangles[:, [2, 2, 2]]])
        index = np.concatenate([mesh.material_index] * 3)
        with_needles = replace(mesh, triangles=needles.astype(np.int32), material_index=index)
        ours, theirs = (
            self.render(backend, it, make_label(), size=32, quality=FAST) for it in (mesh, with_needles)
        )
        rule = "triangles without area change neither the mask nor the picture"
        np.testing.assert_array_equal(ours.mask, theirs.mask, err_msg=rule)
        assert compute_psnr(ours.rgb, theirs.rgb) > 45, rule

    def test_normals_of_length_zero_keep_the_mask(self, backend: Backend) -> None:
        """Normals of length 0, which some files have, do not change the mask."""
        mesh = make_corner()
        mask = self.render_mask(backend, replace(mesh, normals=np.zeros_like(mesh.normals)))
        rule = "normals of length 0 do not change the mask"
        np.testing.assert_array_equal(mask, self.render_mask(backend, mesh), err_msg=rule)

    def test_a_texture_far_wider_than_high(self, backend: Backend) -> None:
        """A texture of one row, 16,384 pixels wide, is rendered."""
        pixels = np.zeros((1, 16384, 3), dtype=np.uint8)
        pixels[:, ::2] = 255
        mesh = make_box((0.6, 0.6, 0.6))
        material = replace(mesh.materials[0], texture=Texture(pixels))
        mask = self.render_mask(backend, replace(mesh, materials=(material,)))
        assert mask.any(), "a texture of 16384 x 1 pixels is rendered, if need be at a smaller size"
