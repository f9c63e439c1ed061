"""What surfaces look like: textures, light of their own, glass, and sides that do not matter."""

from dataclasses import replace

import numpy as np

from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh, Texture, joined
from turntable.testing.backends.drawing import DrawingTests
from turntable.testing.backends.light import psnr
from turntable.testing.backends.regions import Region, inner
from turntable.testing.backends.shapes import box, corner_piece
from turntable.testing.backends.views import FAST, label


def striped(mesh: Mesh) -> Mesh:
    """Return a mesh whose texture has a red half and a blue half, four times in the breadth."""
    red, blue = [255, 0, 0], [0, 0, 255]
    stripes = Texture(np.array([[red, red, red, red, blue, blue, blue, blue]], dtype=np.uint8))
    material = replace(mesh.materials[0], texture=stripes, base_color=(0.0, 1.0, 0.0), specular=0.0)
    texcoords = (mesh.positions[:, :2] * 4).astype(np.float32)
    return replace(mesh, texcoords=texcoords, materials=(material,))


class MaterialTests(DrawingTests):
    """Textures, emission, alpha, sides; and meshes that nobody should make, and that come all the same."""

    def mask_of(self, backend: Backend, mesh: Mesh) -> Region:
        """Return the mask [S, S] of a small view."""
        return self.draw(backend, mesh, label(phi=0.0), size=32, setting=FAST).mask[0]

    def test_emission_textures_and_repeat(self, backend: Backend) -> None:
        """A texture replaces the color and repeats; what is lit from inside is bright."""
        picture = self.draw(
            backend, striped(box((0.8, 0.8, 0.02))), label(theta=0.75, phi=4.7, floor_hue=0.3)
        )
        seen = picture.rgb[0][inner(picture.mask[0], 3)].astype(int)
        red, green, blue = seen.T
        assert (red > blue + 50).mean() > 0.3, "a texture's red half is seen, again and again: it repeats"
        assert (blue > red + 50).mean() > 0.3, "a texture's blue half is seen, again and again: it repeats"
        assert (green < 90).all(), "a texture takes the place of the base color"
        glow = box((0.3, 0.3, 0.3), base_color=(0, 0, 0), emission=(3.0, 3.0, 3.0))
        glowing = self.draw(backend, glow, label())
        assert glowing.rgb[0][glowing.mask[0]].mean() > 225, "what emits light is bright without lamps"

    def test_transparent_things_let_through_what_is_behind(self, backend: Backend) -> None:
        """Through a dark pane of alpha 0.4 one sees the box; the mask stops at the box alone."""
        pane = box((0.7, 0.02, 1.0), (0, 0.3, 0.15), base_color=(0.0, 0.0, 0.0), alpha=0.4, specular=0.0)
        wall = replace(pane, materials=(replace(pane.materials[0], alpha=1.0),))
        solid = box((0.2, 0.2, 0.2), (0, -0.2, 0), base_color=(0.9, 0.9, 0.9))
        both, opaque = (self.draw(backend, joined([it, solid]), label(theta=0.0)) for it in (pane, wall))
        seen = both.mask[0]
        wanted = "the mask has what is solid behind a pane of alpha below 0.5, and not the pane"
        assert 0 < seen.sum() < 0.5 * opaque.mask[0].sum(), wanted
        through, before = (picture.rgb[0].astype(float)[seen].mean() for picture in (both, opaque))
        assert before + 20 < through, "one sees through what is transparent"

    def test_two_sided(self, backend: Backend) -> None:
        """Without normals of its own, a mesh turned inside out looks the same."""
        mesh = box((0.4, 0.5, 0.3))
        turned = replace(mesh, triangles=mesh.triangles[:, ::-1].copy(), normals=-mesh.normals)
        view = label((0.5, 0.4, 0.3))
        a, b = self.draw(backend, mesh, view), self.draw(backend, turned, view)
        wanted = "faces are seen and lit from both sides: winding means nothing without normals in the file"
        assert np.abs(a.rgb.astype(int) - b.rgb).max() <= 2, wanted

    def test_faces_without_area_change_nothing(self, backend: Backend) -> None:
        """Triangles with two corners in one place, or all three, are neither seen nor felt."""
        mesh = corner_piece()
        needles = np.concatenate([mesh.triangles, mesh.triangles[:, [0, 0, 1]], mesh.triangles[:, [2, 2, 2]]])
        index = np.concatenate([mesh.material_index] * 3)
        with_needles = replace(mesh, triangles=needles.astype(np.int32), material_index=index)
        ours, theirs = (self.draw(backend, it, label(), size=32, setting=FAST) for it in (mesh, with_needles))
        wanted = "triangles without an area change neither mask nor picture"
        np.testing.assert_array_equal(ours.mask, theirs.mask, err_msg=wanted)
        assert psnr(ours.rgb, theirs.rgb) > 45, wanted

    def test_normals_without_length_are_no_disaster(self, backend: Backend) -> None:
        """Files have them; the mask does not ask for them."""
        mesh = corner_piece()
        drawn = self.mask_of(backend, replace(mesh, normals=np.zeros_like(mesh.normals)))
        wanted = "normals of length 0 do not change the mask"
        np.testing.assert_array_equal(drawn, self.mask_of(backend, mesh), err_msg=wanted)

    def test_a_texture_far_wider_than_high(self, backend: Backend) -> None:
        """A texture of one row, 16,384 pixels wide, is drawn."""
        pixels = np.zeros((1, 16384, 3), dtype=np.uint8)
        pixels[:, ::2] = 255
        mesh = box((0.6, 0.6, 0.6))
        material = replace(mesh.materials[0], texture=Texture(pixels))
        drawn = self.mask_of(backend, replace(mesh, materials=(material,)))
        assert drawn.any(), "a texture of 16384 x 1 pixels is drawn, made smaller if it must be"
