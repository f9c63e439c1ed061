"""The command line: one function per command, each a thin layer over the package."""

from turntable.cli import convert, inspection, login, places, rendering, serving, study, token, training
from turntable.cli.base import app, main

__all__ = ["app", "main"]

_COMMANDS = (inspection, convert, training, login, rendering, places, serving, study, token)
"""Modules that add their commands to the application when they are imported."""
