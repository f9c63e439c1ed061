"""What tests do where an optional extra is not installed."""

import importlib.util

import pytest


def needs_pyrender():
    """Skip; an import would be too early: the backend first tells its window toolkit to use no X11."""
    if importlib.util.find_spec("pyrender") is None:
        pytest.skip("the extra 'pyrender' is not installed")
