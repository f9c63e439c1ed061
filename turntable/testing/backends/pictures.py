"""Tests of whole pictures: determinism, independence of the batch, qualities, sizes and limits."""

import numpy as np
import pytest

from turntable.errors import MeshError
from turntable.renderer.backends import Backend, get_quality
from turntable.testing.backends.base import BackendTests
from turntable.testing.backends.meshes import make_box, make_corner
from turntable.testing.backends.photometry import compute_psnr
from turntable.testing.backends.views import (
    ALL_OUTPUTS,
    FAST,
    STANDARD,
    USUAL_CAMERA,
    make_label,
    make_scenes,
)
from turntable.testing.expected_errors import expect_error


class PictureTests(BackendTests):
    """Tests of determinism, qualities, sizes and limits."""

    def test_cameras_of_one_batch_do_not_mix(self, backend: Backend) -> None:
        """A view in a batch with other cameras and lights is the same as alone."""
        mesh, angles = make_corner(), (0.3, 0.2, 0.9)
        labels = [
            make_label(angles, camera=USUAL_CAMERA),
            make_label(angles, camera=(1.5, 0.05), power=3000.0),
            make_label(angles, camera=(5.0, 1.4), sun=0.2),
            make_label(angles, camera=(1.6, 0.9), power=50.0, sun=5.0),
            make_label(angles, camera=(2.0, 0.2), roll=2.0, lens=(9.5, -6.25)),
        ]
        batch = backend.render(mesh, make_scenes(*labels), 64, STANDARD, ALL_OUTPUTS)
        for view, one in enumerate(labels):
            alone = backend.render(mesh, make_scenes(one), 64, STANDARD, ALL_OUTPUTS)
            both = ((batch, view), (alone, 0))
            ours, theirs = (
                {name: getattr(pixels, name)[row] for name in ALL_OUTPUTS} for pixels, row in both
            )
            rule = "a view in a batch is the same as alone: it has its own camera and lamps"
            assert compute_psnr(ours["rgb"], theirs["rgb"]) > 45, rule
            same = ours["mask"] == theirs["mask"]
            assert (~same).sum() <= 2, rule
            assert (np.abs(ours["normals"] - theirs["normals"])[same] > 1e-2).mean() < 0.01, rule
            for name in ("depth", "coordinates"):
                np.testing.assert_allclose(ours[name][same], theirs[name][same], atol=1e-3, err_msg=rule)

    def test_a_view_does_not_depend_on_its_neighbors(self, backend: Backend) -> None:
        """A view rendered alone, in a batch or in another order is the same, but for rounding at edges."""
        mesh = make_corner()
        labels = [make_label((0.2 * k, 0.1 * k, -0.3 * k), shift=(0.1 * k, 0, 0), phi=k) for k in range(5)]
        batch = self.render(backend, mesh, *labels, size=48)
        reversed_ = self.render(backend, mesh, *labels[::-1], size=48)
        again = self.render(backend, mesh, *labels, size=48)
        np.testing.assert_array_equal(batch.rgb, again.rgb, err_msg="the same call gives the same bytes")
        alone = self.render(backend, mesh, labels[3], size=48)
        rule = "a view rendered alone, in a batch or in another order is the same picture"
        for one, other in [(batch.rgb, reversed_.rgb[::-1]), (batch.rgb[3], alone.rgb[0])]:
            assert compute_psnr(one, other) > 45, rule
        assert (batch.mask[3] != alone.mask[0]).sum() <= 2, rule

    @pytest.mark.parametrize(("name", "min_psnr"), [("fast", 30.0), ("standard", 36.0)])
    def test_qualities_agree(self, backend: Backend, name: str, min_psnr: float) -> None:
        """Pictures of the cheaper qualities are close to those of the best one."""
        mesh, views = make_corner(), [make_label((0.4, -0.2, 0.9)), make_label((-0.6, 0.8, 0.1), phi=4.0)]
        best = self.render(backend, mesh, *views, quality=get_quality("high")).rgb.astype(float)
        ours = self.render(backend, mesh, *views, quality=get_quality(name)).rgb.astype(float)
        assert compute_psnr(best, ours) > min_psnr, (
            f"pictures of quality {name!r} are close to those of 'high'"
        )

    def test_more_samples_come_nearer_to_the_truth(self, backend: Backend) -> None:
        """The error against the best quality becomes smaller with more samples per pixel."""
        mesh, view = make_corner(), make_label((0.4, -0.2, 0.9))
        truth = self.render(backend, mesh, view, quality=get_quality("high", 4)).rgb.astype(float)
        one, two, three = (
            compute_psnr(
                truth, self.render(backend, mesh, view, quality=get_quality("standard", samples)).rgb
            )
            for samples in (1, 2, 3)
        )
        assert one + 1 < two < three, "with more samples per pixel, a picture is closer to the best one"

    @pytest.mark.parametrize("size", [16, 33, 64])
    def test_sizes(self, backend: Backend, size: int) -> None:
        """Pictures may have any side."""
        self.check_size(backend, size)

    def test_a_large_picture(self, backend: Backend) -> None:
        """A picture may have a side of 1024 pixels."""
        self.check_size(backend, 1024)

    def check_size(self, backend: Backend, size: int) -> None:
        """Check the shapes of pictures of a side in pixels."""
        picture = self.render(
            backend, make_corner(), make_label(), make_label(phi=3.0), size=size, quality=FAST
        )
        assert picture.rgb.shape == (2, size, size, 3), "rgb is uint8 [V, S, S, 3]"
        assert picture.rgb.dtype == np.uint8, "rgb is uint8 [V, S, S, 3]"
        assert picture.mask.shape == (2, size, size), "the mask is [V, S, S]"

    @pytest.mark.parametrize("width", [1e-6, 1e6])
    def test_a_mesh_of_any_size_is_drawn(self, backend: Backend, width: float) -> None:
        """A mesh may be far smaller than a pixel, or far larger than the distance of the camera."""
        rendered = self.render(
            backend, make_box((width, width, width)), make_label(phi=0.0), size=32, quality=FAST
        )
        assert rendered.rgb.std() > 0, "a mesh of any size gives a picture with some contrast"
        assert rendered.mask.shape == (1, 32, 32), "the mask is [V, S, S]"

    def test_one_point_is_refused(self, backend: Backend) -> None:
        """A mesh without extent raises MeshError, and the backend goes on to work."""
        rule = "a mesh whose vertices are all one point raises MeshError (meshes.center_vertices does it)"
        with expect_error(rule, MeshError, "no extent"):
            self.render(backend, make_box((0.0, 0.0, 0.0)), make_label(), size=32, quality=FAST)
        after = self.render(backend, make_corner(), make_label(), size=32, quality=FAST)
        assert after.mask.any(), "after an error, the backend renders the next mesh"

    def test_the_device_is_described(self, backend: Backend) -> None:
        """The device has a description, which the manifest of a data set records."""
        for key in ("backend", "vendor", "renderer", "version"):
            assert backend.device.to_dict()[key], f"the description of the backend's device has a {key}"
