from collections.abc import Iterator

import pytest

from turntable.renderer.backends import Backend, open_backend


@pytest.fixture(scope="session")
def gl_backend() -> Iterator[Backend]:
    """One OpenGL backend for all tests; where there is no device, its error says what to install."""
    with open_backend("moderngl") as backend:
        yield backend
