"""The command line: a thin edge over the package. Each command is one function; errors become one line."""

from turntable.cli import checking, converting, learning, login, rendering, serving, tokens
from turntable.cli.app import app, main

__all__ = ["app", "checking", "converting", "learning", "login", "main", "rendering", "serving", "tokens"]
