import os
from collections.abc import Iterator

import pytest

from turntable.renderer.backends import Backend, select_backend


@pytest.fixture(scope="session")
def gl_backend() -> Iterator[Backend]:
    """One OpenGL backend for all tests; where there is no device, its error says what to install.

    TURNTABLE_TEST_DEVICE says on which device, as ``turntable render --device`` does.
    """
    with select_backend("moderngl", os.environ.get("TURNTABLE_TEST_DEVICE", "auto")).open() as backend:
        yield backend
