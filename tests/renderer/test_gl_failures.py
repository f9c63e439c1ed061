"""Errors that OpenGL only notes, by a context that notes them."""

import pytest

from turntable.errors import DeviceLostError
from turntable.renderer.backends.gl.failures import NO_ERROR, OUT_OF_MEMORY, OutOfMemoryError, raise_gl_errors

moderngl = pytest.importorskip("moderngl")


class Context:
    """Says of each question for an error the next of these; the first is of others."""

    def __init__(self, *errors):
        self.errors = [NO_ERROR, *errors]

    @property
    def error(self):
        return self.errors.pop(0)


@pytest.mark.parametrize("before", [NO_ERROR, OUT_OF_MEMORY])
def test_what_is_well_is_not_told_and_what_was_before_is_forgotten(before):
    context = Context(NO_ERROR)
    context.errors[0] = before
    with raise_gl_errors(context):
        pass
    assert context.errors == []


@pytest.mark.parametrize(
    ("noted", "error"), [(OUT_OF_MEMORY, OutOfMemoryError), ("GL_INVALID_OPERATION", DeviceLostError)]
)
def test_what_was_noted_is_raised(noted, error):
    with pytest.raises(error), raise_gl_errors(Context(noted)):
        pass


@pytest.mark.parametrize(
    ("noted", "error"),
    [
        (NO_ERROR, OutOfMemoryError),  # drivers refuse a buffer without a word
        (OUT_OF_MEMORY, OutOfMemoryError),
        ("GL_CONTEXT_LOST", DeviceLostError),
    ],
)
def test_what_could_not_be_made_is_for_lack_of_memory_or_the_device_is_lost(noted, error):
    with pytest.raises(error, match="cannot create"), raise_gl_errors(Context(noted)):
        raise moderngl.Error("cannot create buffer")
