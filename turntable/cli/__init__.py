"""The command line: a thin edge over the package. Each command is one function; errors become one line."""

from turntable.cli import checking, converting, learning, login, rendering, serving, studying, tokens
from turntable.cli.base import app, main

__all__ = ["app", "main"]

_COMMANDS = (checking, converting, learning, login, rendering, serving, studying, tokens)
"""Whoever imports these has the commands they add to the application."""
