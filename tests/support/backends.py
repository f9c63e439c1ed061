"""The contract of backends as turntable's own are tested by it."""

import pytest

from turntable.testing.backends import BackendContract


class OurBackendContract(BackendContract):
    """The contract; ``scripts/test --quick`` leaves out what takes long."""

    @pytest.mark.slow
    def test_a_large_picture(self, backend):
        super().test_a_large_picture(backend)

    @pytest.mark.slow
    @pytest.mark.parametrize("width", [1e-6, 1e6])
    def test_a_mesh_of_any_size_is_drawn(self, backend, width):
        super().test_a_mesh_of_any_size_is_drawn(backend, width)
