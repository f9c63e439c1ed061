"""The command line's reference in Markdown: ``python -m turntable.cli.reference``."""

import sys
from types import ModuleType
from unittest.mock import patch

from turntable.cli.base import app

HEAD = """# Command line

Made from the commands themselves by `scripts/docs`.

"""


def reference() -> str:
    """All commands with their options, as ``docs/cli.md`` holds them."""
    with (
        patch.object(sys, "argv", ["turntable"]),
        patch.dict(sys.modules, {"__main__": ModuleType("__main__")}),
    ):
        text = app.generate_docs(output_format="markdown", heading_level=1)  # it reads how it was called
    return HEAD + text.split("\n", 1)[1].strip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
