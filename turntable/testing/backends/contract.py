"""The contract of a backend: the same pictures of the same scenes, whatever draws them.

The calculations here are independent of any renderer: vertices projected by numpy, hues read from pixels, the
light's direction from the shadow's place, the floor's radiance integrated directly.
"""

from turntable.testing.backends.lights import LightTests
from turntable.testing.backends.materials import MaterialTests
from turntable.testing.backends.outputs import OutputTests
from turntable.testing.backends.pictures import PictureTests
from turntable.testing.backends.places import PlaceTests


class BackendContract(PlaceTests, LightTests, MaterialTests, OutputTests, PictureTests):
    """The contract. A test class inherits it and gives a fixture ``backend``.

    .. code-block:: python

        class TestMyBackend(BackendContract):
            @pytest.fixture
            def backend(self):
                with MyBackend() as opened:
                    yield opened

    A backend that is slow to open can be shared by a fixture of the module that this one returns.
    """
