"""The application that commands add themselves to, what they print with, and the names they share."""

import sys
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Literal

import cyclopts
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

import turntable
from turntable.errors import StoppedError, TurntableError, escaped

app = cyclopts.App(
    name="turntable",
    help="Labelled views of 3D objects: render them, stream them, learn from them.",
    version=turntable.__version__,
    suppress_keyboard_interrupt=False,
)


class PlainConsole(Console):
    """A console that prints what it is given and obeys none of it: names come from files of others."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Give the segments of a renderable, control characters in its texts escaped."""
        for segment in super().render(renderable, options):
            if segment.control:  # rich's own: to hide the cursor, to go up a line
                yield segment
            else:
                text = "\n".join(map(escaped, segment.text.split("\n")))
                yield segment if text == segment.text else Segment(text, segment.style)


out = PlainConsole()
err = PlainConsole(stderr=True)

say = partial(out.print, soft_wrap=True, markup=False, highlight=False)
"""For whole lines, to be read or parsed: neither broken nor coloured."""

warn = partial(err.print, style="yellow", soft_wrap=True, markup=False, highlight=False)
"""For what the user should know beside the result."""

QualityName = Literal["fast", "standard", "high"]
SourceName = Literal["zoo", "shapenet", "shapenet-v1", "shapenetsem", "objaverse", "gso", "folder"]
EXIT_STOPPED = 75
"""EX_TEMPFAIL of sysexits.h: batch scripts requeue on it."""

# fmt: off
MethodName = Literal[
    "supervised", "supervised-class", "supervised-rotation", "supervised-colour", "supervised-translation",
    "simclr", "vicreg", "vicreg-partial", "vicreg-traj", "byol", "conditional-byol",
    "seq-jepa", "seq-jepa-no-action", "augself", "sen", "equimod-simclr", "equimod-vicreg",
    "only-equivariance-simclr", "only-equivariance-vicreg", "sie", "sie-novar", "sie-mlp",
    "equicaps-3x3", "equicaps-4x4", "capsie", "sie-rotation-colour",
]
# fmt: on
ProtocolName = Literal["turntable", "sie", "equicaps", "seq-jepa", "sie-drifting", "seq-jepa-drifting"]


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
