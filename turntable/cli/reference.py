"""The command line's reference in Markdown, printed by ``python -m turntable.cli.reference``."""

import re
import sys
from types import ModuleType
from unittest.mock import patch

from turntable.cli.base import app

HEAD = """# Command line

Look up a command, its options and examples of its use. `scripts/docs` generates this page from the commands.

"""


_HEADING = re.compile(r"^#+ turntable (?P<command>.+)$", re.MULTILINE)


def build_reference() -> str:
    """Return all commands with their options and examples, as they stand in ``docs/cli.md``."""
    with (
        patch.object(sys, "argv", ["turntable"]),
        patch.dict(sys.modules, {"__main__": ModuleType("__main__")}),
    ):
        text = app.generate_docs(output_format="markdown", heading_level=1)  # it reads sys.argv and __main__
    body = text.split("\n", 1)[1].strip()
    return HEAD + _HEADING.sub(_add_examples, body) + "\n"


def _add_examples(heading: re.Match[str]) -> str:
    """Return the heading of a command followed by its examples, which cyclopts leaves out of Markdown."""
    command = app
    for name in heading["command"].split():
        command = command[name]
    return f"{heading[0]}\n\n{command.help_epilogue}" if command.help_epilogue else heading[0]


if __name__ == "__main__":
    sys.stdout.write(build_reference())
