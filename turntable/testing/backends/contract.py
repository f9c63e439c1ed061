"""The contract of a backend: all backends render the same pictures of the same scenes.

The tests compute what they expect without a renderer: they project vertices with NumPy, read hues from
pixels, find the light's direction from the position of the shadow, and integrate the floor's radiance
directly.
"""

from turntable.testing.backends.assemblies import AssemblyTests
from turntable.testing.backends.cameras import CameraTests
from turntable.testing.backends.lighting import LightTests
from turntable.testing.backends.materials import MaterialTests
from turntable.testing.backends.outputs import OutputTests
from turntable.testing.backends.pictures import PictureTests
from turntable.testing.backends.projection import ProjectionTests
from turntable.testing.backends.surfaces import SurfaceTests


class BackendContract(
    ProjectionTests,
    CameraTests,
    LightTests,
    MaterialTests,
    SurfaceTests,
    OutputTests,
    PictureTests,
    AssemblyTests,
):
    """The contract tests of a backend. A test class inherits them and provides a fixture ``backend``.

    .. code-block:: python

        class TestMyBackend(BackendContract):
            @pytest.fixture
            def backend(self):
                with MyBackend() as opened:
                    yield opened

    If a backend is slow to open, let this fixture return another one with the scope of the module.
    """
