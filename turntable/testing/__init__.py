"""Tests for what others write: each contract is a class that a test file inherits, one folder for each.

Nothing is imported here but pytest: a node without torch can test a backend or a store, one without OpenGL a
method or a task.
"""

from turntable.errors import MissingExtraError

try:
    import pytest
except ImportError as error:
    raise MissingExtraError("pytest", "testing") from error

# A failed assertion shows its values, as in any test file.
pytest.register_assert_rewrite(*(f"{__name__}.{room}" for room in ("backends", "methods", "stores", "tasks")))

del pytest

__all__ = []
