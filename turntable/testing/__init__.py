"""Contract tests for plugins: base classes of tests for render backends, stores, methods and tasks.

A test file subclasses one of them. Each is in a folder of its own, and this module imports pytest only: so a
backend or a store can be tested without torch, and a method or a task without OpenGL.
"""

from turntable.extras import explain_import_errors

with explain_import_errors("pytest"):
    import pytest

# pytest rewrites assertions in test files only, so that a failed one shows its values; here it must be asked
# to.
pytest.register_assert_rewrite(
    *(f"{__name__}.{package}" for package in ("backends", "methods", "stores", "tasks"))
)

del pytest

__all__ = []
