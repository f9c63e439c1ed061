"""A contract whose library is missing says so, with the line that installs it."""

import importlib
import sys

import pytest

from turntable.errors import MissingExtraError


@pytest.mark.parametrize(
    ("room", "library"), [("turntable.testing", "pytest"), ("turntable.testing.backends", "scipy")]
)
def test_what_is_missing_is_told(monkeypatch, room, library):
    module = importlib.import_module(room)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"{library} is not installed.*\[testing\]"):
        importlib.reload(module)
