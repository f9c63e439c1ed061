"""What every part of the contract has in common: the backend, and how it draws."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable.renderer.backends import Backend, Quality
from turntable.renderer.meshes import Mesh
from turntable.testing.backends.regions import Region
from turntable.testing.backends.views import SIZE, STANDARD, Numbers, scenes


class DrawnViews(NamedTuple):
    """Views with their masks."""

    rgb: NDArray[np.uint8]
    """[V, S, S, 3]."""
    mask: Region
    """[V, S, S], true where the object is seen."""


class DrawingTests:
    """Tests that draw with a fixture ``backend``."""

    @pytest.fixture
    def backend(self) -> Backend:
        """The backend, opened."""
        raise NotImplementedError("give the test class a fixture `backend` that yields an opened Backend")

    def draw(
        self,
        backend: Backend,
        mesh: Mesh,
        *labels: Numbers,
        size: int = SIZE,
        setting: Quality = STANDARD,
    ) -> DrawnViews:
        """Draw views of a mesh.

        Args:
            backend: With it.
            mesh: The object.
            *labels: Of the views, as ``label`` gives them.
            size: The side of a picture, in pixels.
            setting: The quality.
        """
        pixels = backend.render(mesh, scenes(*labels), size, setting, ("mask",))
        assert pixels.mask is not None, "an output that is asked for is there: the mask"
        return DrawnViews(pixels.rgb, pixels.mask > 0)
