"""The application that commands add themselves to, what they print with, and the names they share."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

import turntable
from turntable.errors import StoppedError, TurntableError, escaped

app = cyclopts.App(
    name="turntable",
    help="Labelled views of 3D objects: render them, stream them, learn from them.",
    version=turntable.__version__,
    suppress_keyboard_interrupt=False,
)


class PlainConsole(Console):
    """A console for words of strangers: no character steers the terminal, no bracket means a style."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def render_str(self, text: str, **style: Any) -> Text:
        """Return a text fit for a terminal; every text that is printed passes through here."""
        lines = text.expandtabs().split("\n")
        return super().render_str("\n".join(map(escaped, lines)), **style)


out = PlainConsole()
err = PlainConsole(stderr=True)

say = partial(out.print, soft_wrap=True, markup=False, highlight=False)
"""For whole lines, to be read or parsed: neither broken nor coloured."""

warn = partial(err.print, style="yellow", soft_wrap=True, markup=False, highlight=False)
"""For what the user should know beside the result."""

LinksUnder = Annotated[tuple[Path, ...], Parameter("--links-under")]
"""Folders into which links of a data set may lead, beside its own and the hub's cache."""
EXIT_STOPPED = 75
"""EX_TEMPFAIL of sysexits.h: batch scripts requeue on it."""

MethodReference = Annotated[str | None, Parameter("--method")]
"""The method of one's own that a run is of: a run never says by itself which code to run."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the ``turntable`` command.

    Exit status 2 where the user can act on an error, 75 (try again later) where a run ended as asked.
    """
    try:
        sys.exit(app(sys.argv[1:] if arguments is None else arguments) or 0)
    except StoppedError as error:
        err.print(f"turntable: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(EXIT_STOPPED)
    except TurntableError as error:
        err.print(f"turntable: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("turntable: stopped; the same command goes on from here")
        sys.exit(130)
