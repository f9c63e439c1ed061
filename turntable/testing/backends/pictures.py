"""Pictures as such: the same again and in any company, nearer to the truth with more work, of any size."""

import numpy as np
import pytest

from turntable.errors import MeshError
from turntable.renderer.backends import Backend, quality
from turntable.testing.backends.drawing import DrawingTests
from turntable.testing.backends.light import psnr
from turntable.testing.backends.shapes import box, corner_piece
from turntable.testing.backends.views import ALL, FAST, STANDARD, USUAL, label, scenes
from turntable.testing.refusing import refused


class PictureTests(DrawingTests):
    """Determinism, qualities, sizes and limits."""

    def test_cameras_of_one_batch_do_not_mix(self, backend: Backend) -> None:
        """Each view of many cameras and lights is as if drawn alone."""
        mesh, angles = corner_piece(), (0.3, 0.2, 0.9)
        labels = [
            label(angles, camera=USUAL),
            label(angles, camera=(1.5, 0.05), power=3000.0),
            label(angles, camera=(5.0, 1.4), sun=0.2),
            label(angles, camera=(1.6, 0.9), power=50.0, sun=5.0),
        ]
        crowd = backend.render(mesh, scenes(*labels), 64, STANDARD, ALL)
        for view, one in enumerate(labels):
            alone = backend.render(mesh, scenes(one), 64, STANDARD, ALL)
            both = ((crowd, view), (alone, 0))
            ours, theirs = ({name: getattr(pixels, name)[at] for name in ALL} for pixels, at in both)
            wanted = "a view among others is as if drawn alone: same camera, same lamps"
            assert psnr(ours["rgb"], theirs["rgb"]) > 45, wanted
            same = ours["mask"] == theirs["mask"]
            assert (~same).sum() <= 2, wanted
            assert (np.abs(ours["normals"] - theirs["normals"])[same] > 1e-2).mean() < 0.01, wanted
            for name in ("depth", "coordinates"):
                np.testing.assert_allclose(ours[name][same], theirs[name][same], atol=1e-3, err_msg=wanted)

    def test_a_view_does_not_depend_on_its_neighbours(self, backend: Backend) -> None:
        """Drawn alone, in a crowd, or in another order: the same picture, but for the rounding of edges."""
        mesh = corner_piece()
        labels = [label((0.2 * k, 0.1 * k, -0.3 * k), shift=(0.1 * k, 0, 0), phi=k) for k in range(5)]
        crowd = self.draw(backend, mesh, *labels, size=48)
        backwards = self.draw(backend, mesh, *labels[::-1], size=48)
        again = self.draw(backend, mesh, *labels, size=48)
        np.testing.assert_array_equal(crowd.rgb, again.rgb, err_msg="the same call gives the same bytes")
        alone = self.draw(backend, mesh, labels[3], size=48)
        wanted = "a view drawn alone, in a crowd or in another order is the same picture"
        for one, other in [(crowd.rgb, backwards.rgb[::-1]), (crowd.rgb[3], alone.rgb[0])]:
            assert psnr(one, other) > 45, wanted
        assert (crowd.mask[3] != alone.mask[0]).sum() <= 2, wanted

    @pytest.mark.parametrize(("name", "least"), [("fast", 30.0), ("standard", 36.0)])
    def test_qualities_agree(self, backend: Backend, name: str, least: float) -> None:
        """The cheap ways of light are near the dear one."""
        mesh, views = corner_piece(), [label((0.4, -0.2, 0.9)), label((-0.6, 0.8, 0.1), phi=4.0)]
        best = self.draw(backend, mesh, *views, setting=quality("high")).rgb.astype(float)
        ours = self.draw(backend, mesh, *views, setting=quality(name)).rgb.astype(float)
        assert psnr(best, ours) > least, f"pictures of the quality {name} are near those of 'high'"

    def test_more_samples_come_nearer_to_the_truth(self, backend: Backend) -> None:
        """A quality keeps its lights and gets other samples a pixel."""
        mesh, view = corner_piece(), label((0.4, -0.2, 0.9))
        truth = self.draw(backend, mesh, view, setting=quality("high", 4)).rgb.astype(float)
        one, two, three = (
            psnr(truth, self.draw(backend, mesh, view, setting=quality("standard", samples)).rgb)
            for samples in (1, 2, 3)
        )
        assert one + 1 < two < three, "more samples a pixel come nearer to the picture with most of them"

    @pytest.mark.parametrize("size", [16, 33, 64])
    def test_sizes(self, backend: Backend, size: int) -> None:
        """Pictures of any side."""
        self.check_size(backend, size)

    def test_a_large_picture(self, backend: Backend) -> None:
        """A side of 1024 pixels."""
        self.check_size(backend, 1024)

    def check_size(self, backend: Backend, size: int) -> None:
        """Check the shapes of pictures with a side in pixels."""
        picture = self.draw(backend, corner_piece(), label(), label(phi=3.0), size=size, setting=FAST)
        assert picture.rgb.shape == (2, size, size, 3), "rgb is uint8 [V, S, S, 3]"
        assert picture.rgb.dtype == np.uint8, "rgb is uint8 [V, S, S, 3]"
        assert picture.mask.shape == (2, size, size), "the mask is [V, S, S]"

    @pytest.mark.parametrize("width", [1e-6, 1e6])
    def test_a_mesh_of_any_size_is_drawn(self, backend: Backend, width: float) -> None:
        """Far smaller than a pixel, and far larger than the camera's distance."""
        drawn = self.draw(backend, box((width, width, width)), label(phi=0.0), size=32, setting=FAST)
        assert drawn.rgb.std() > 0, "a mesh of any size leaves a picture"
        assert drawn.mask.shape == (1, 32, 32), "the mask is [V, S, S]"

    def test_one_point_is_refused(self, backend: Backend) -> None:
        """A mesh without extent is that mesh's error, and costs no other."""
        wanted = "a mesh whose vertices are all one point raises MeshError (meshes.centred does it)"
        with refused(wanted, MeshError, "no extent"):
            self.draw(backend, box((0.0, 0.0, 0.0)), label(), size=32, setting=FAST)
        after = self.draw(backend, corner_piece(), label(), size=32, setting=FAST)
        assert after.mask.any(), "after a mesh that was refused, the backend draws the next one"

    def test_device_says_what_it_is(self, backend: Backend) -> None:
        """The manifest of a data set records what drew it."""
        for key in ("backend", "vendor", "renderer", "version"):
            assert backend.device.as_dict()[key], f"the backend's device has a {key}"
