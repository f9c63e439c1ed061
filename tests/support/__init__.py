"""Helpers that tests of several rooms share, imported as ``tests.support``."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def with_tests(**more: str) -> dict[str, str]:
    """Return the environment of a process that is to find ``tests.support``, with more variables."""
    places = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), **more}
