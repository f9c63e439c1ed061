"""The command line's application, its consoles, and the options that several commands share."""

import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Group, Parameter
from rich.console import Console
from rich.text import Text

import turntable
from turntable.errors import StoppedError, TurntableError, escape_text
from turntable.home import expand_home


def check_no_url(value: Any) -> None:
    """Check that no path is a URL: it would name a folder "s3:" here.

    Raises:
        TurntableError: A path is one. (cyclopts would print a ValueError with the value, password and all.)
    """
    for path in value if isinstance(value, tuple) else (value,):
        if isinstance(path, Path) and ":/" in str(path):
            from turntable.datasets.stores import restore_url

            if (url := restore_url(path)) is not None:
                raise TurntableError(
                    f"{url} is a URL, and a path on this machine is needed; turntable copy URL FOLDER brings"
                    " a data set here"
                )


app = cyclopts.App(
    name="turntable",
    help="Render labeled views of 3D objects, stream them into training, train and evaluate models.",
    help_format="markdown",
    version=turntable.__version__,
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(
        negative_iterable=(),  # no --empty-NAME beside options that may be repeated
        validator=lambda _, value: check_no_url(value),
    ),
)
"""The application; every command adds itself to it."""

DATA = Group("Data", sort_key=1)
PICTURES = Group("Pictures", sort_key=2)
METHOD = Group("Method", sort_key=3)
OPTIMIZATION = Group("Optimization", sort_key=4)
OUTPUT = Group("Output", sort_key=5)
ACCESS = Group("Access", sort_key=6)
LIMITS = Group("Limits", sort_key=7)
MACHINE = Group("Machine", sort_key=8)
"""The groups of options in ``--help``, in their order."""


def make_option(
    group: Group, name: str | None = None, *, default: str | None = None, **more: Any
) -> Parameter:
    """Return the description of an option.

    Args:
        group: The group it stands in.
        name: Its name, such as ``--out``, where that is not the parameter's.
        default: Its default in words, shown in place of a value that says little; "" to show none.
        more: Further arguments of ``cyclopts.Parameter``.
    """
    if default is not None:
        more["show_default"] = (lambda _: default) if default else False
    return Parameter(name, group=group, **more)


def format_examples(*lines: str) -> str:
    """Return the text that shows a command's examples below its help, one line each."""
    return "\n".join(["**Examples**", "", "```text", *lines, "```"])


class PlainConsole(Console):
    """A console for untrusted text: it prints no control characters and reads no markup."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def render_str(self, text: str, **style: Any) -> Text:
        """Return a text without control characters; everything that is printed passes through here."""
        lines = text.expandtabs().split("\n")
        return super().render_str("\n".join(map(escape_text, lines)), **style)


out = PlainConsole()
err = PlainConsole(stderr=True)

say = partial(out.print, soft_wrap=True, markup=False, highlight=False)
"""Print a line to standard output, neither wrapped nor colored, so that programs can read it."""

say_to_log = partial(err.print, soft_wrap=True, markup=False, highlight=False)
"""Print a line about the work to standard error, where the progress is shown too."""

warn = partial(err.print, style="yellow", soft_wrap=True, markup=False, highlight=False)
"""Print a warning to standard error."""

BACKEND_DEFAULT = "the best this machine has"
DEVICE_DEFAULT = "the first GPU, else the CPU"

LinksUnderOption = Annotated[tuple[Path, ...], make_option(DATA, "--links-under", default="")]
"""The option for folders that links of a data set or of meshes may point into, besides their own."""

_TILDE = re.compile(r"([-\w.]+=|)(~[\w.-]*(?:/.*)?)\Z", re.DOTALL)
"""An argument that begins with the home of a user, perhaps behind the name of an option."""

EXIT_STOPPED = 75
"""Exit status of a run that was asked to stop: EX_TEMPFAIL of sysexits.h, on which batch systems requeue."""

EXIT_INTERRUPTED = 130
"""Exit status after Ctrl-C, as of any program that SIGINT ends."""

MethodOption = Annotated[str | None, make_option(METHOD, "--method")]
"""The option for the code of a user's own method: a run never chooses by itself which code is executed."""


def expand_argument(argument: str) -> str:
    """Return an argument in which a leading ``~`` is the home, also behind ``--out=`` or ``NAME=``.

    Shells do so too, but not within quotes, and some not behind an equals sign.

    Raises:
        InvalidInputError: There is no such user.
    """
    match = _TILDE.match(argument)
    return argument if match is None else f"{match[1]}{expand_home(match[2])}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the ``turntable`` command, and exit.

    The exit status is 2 for an error that the user can act on, 75 (try again later) for a run that was asked
    to stop, 130 after Ctrl-C.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        sys.exit(app([expand_argument(argument) for argument in given]) or 0)
    except StoppedError as error:
        err.print(f"turntable: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(EXIT_STOPPED)
    except TurntableError as error:
        err.print(f"turntable: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("turntable: stopped; run the same command again to resume")
        sys.exit(EXIT_INTERRUPTED)
