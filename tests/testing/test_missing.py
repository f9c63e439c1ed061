"""Contract tests whose library is missing raise MissingExtraError with the line that installs it."""

import importlib
import sys

import pytest

from turntable.errors import MissingExtraError


@pytest.mark.parametrize(
    ("package", "library"), [("turntable.testing", "pytest"), ("turntable.testing.backends", "scipy")]
)
def test_a_missing_library_is_named(monkeypatch, package, library):
    module = importlib.import_module(package)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"{library} is not installed.*\[testing\]"):
        importlib.reload(module)
