"""Starting a process of our own that talks over a pipe: not a fork, and without the main script."""

import os
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeAlias, cast

Channel: TypeAlias = "Connection[Any, Any]"
"""One end of a pipe."""


def start_process(module: str, *descriptors: int) -> "tuple[subprocess.Popen[bytes], Channel]":
    """Start a Python process that runs ``module.main(descriptor)`` with its end of a pipe.

    It finds modules as this process does. Ctrl-C does not reach it: this process answers for both.

    Args:
        module: its name; imported there.
        descriptors: further open files that it gets, under the same numbers.

    Returns:
        The process, and our end of the pipe.
    """
    ours, theirs = cast("tuple[Channel, Channel]", Pipe())  # of a type of its own on Windows
    path = [os.fspath(entry) or str(Path.cwd()) for entry in sys.path]
    code = f"import sys; sys.path[:] = {path!r}; from {module} import main; main({theirs.fileno()})"
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), *descriptors),
            process_group=0,
        )
    return process, ours
