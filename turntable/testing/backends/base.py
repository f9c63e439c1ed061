"""The base class of the backend tests: the fixture ``backend`` and a short way to render."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable.renderer.backends import Backend, Quality
from turntable.renderer.meshes import Mesh
from turntable.testing.backends.masks import MaskArray
from turntable.testing.backends.views import SIZE, STANDARD, Numbers, make_scenes


class MaskedViews(NamedTuple):
    """Pictures of views with their masks."""

    rgb: NDArray[np.uint8]
    """Pictures [V, S, S, 3]."""
    mask: MaskArray
    """Masks [V, S, S], True where the object is visible."""


class BackendTests:
    """Tests of a backend, which a fixture ``backend`` provides."""

    @pytest.fixture
    def backend(self) -> Backend:
        """The open backend; a test class overrides this fixture."""
        raise NotImplementedError("give the test class a fixture `backend` that yields an opened Backend")

    def render(
        self,
        backend: Backend,
        mesh: Mesh,
        *labels: Numbers,
        size: int = SIZE,
        quality: Quality = STANDARD,
    ) -> MaskedViews:
        """Render views of a mesh, with their masks.

        Args:
            backend: The backend.
            mesh: The object.
            *labels: Labels of the views, as ``make_label`` returns them.
            size: Side of a picture in pixels.
            quality: Quality of the pictures.
        """
        pixels = backend.render(mesh, make_scenes(*labels), size, quality, ("mask",))
        assert pixels.mask is not None, "a requested output is not None: mask"
        return MaskedViews(pixels.rgb, pixels.mask > 0)
