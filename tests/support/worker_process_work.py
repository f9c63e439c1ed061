"""Task functions for the tests of worker processes, which import this module by name."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turntable.errors import InvalidInputError
from turntable.processes.worker_main import TaskFunction


def make_task_function(factor: int = 2) -> TaskFunction:
    def work(task: Any, report: Callable[[Any], None]) -> Any:
        match task:
            case int():
                return task * factor
            case "pid":
                return os.getpid()
            case "hang":
                report("hanging")
                time.sleep(1000)
            case "share the pipe and die":
                _share_the_pipe()
                os._exit(3)
            case "tidy up" | "tidy up when asked":
                return _sleep_and_tidy(report)
            case "path":
                return sys.path
            case "stumble":
                raise KeyError("a fault of ours")
            case "refuse":
                raise InvalidInputError("it cannot be right")
            case "unpicklable":
                return lambda: None
        return task

    return work


def refuse_to_start() -> TaskFunction:
    raise InvalidInputError("there is nothing to work with")


@dataclass(frozen=True)
class Unloadable:
    """A value that can be pickled but not unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _stumble, ()


def _stumble() -> None:
    raise ValueError("it does not come out")


def _share_the_pipe() -> None:
    """Start a process that outlives this one, and inherits all its open files."""
    for item in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):  # the descriptor that listed the folder is closed by now
            os.set_inheritable(int(item.name), True)
    subprocess.Popen(["sleep", "20"], close_fds=False)


def _sleep_and_tidy(report: Callable[[Any], None]) -> None:
    try:
        report("sleeping")
        time.sleep(1000)
    finally:
        report("tidied")
