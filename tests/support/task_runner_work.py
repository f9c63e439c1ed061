"""Workers that fail on purpose. They are here and not in a test, so that worker processes can import them."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.processes import wait_until
from turntable.errors import DeviceError, DeviceLostError, MeshError, MissingExtraError, RecipeError
from turntable.processes import read_resident_bytes, run_tasks

STEPS = 3
"""Number of times that a task reports its progress."""


class UnpicklableError(Exception):
    """An error that cannot be unpickled: its arguments are not those of its constructor."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(left + right)


ERRORS = {
    "ValueError": ValueError("a value"),
    "MeshError": MeshError("a mesh", reason="no faces"),
    "MissingExtraError": MissingExtraError("moderngl", "render"),
    "RecipeError": RecipeError("two faults"),
    "DeviceError": DeviceError("no device"),
    "EOFError": EOFError("a file that was cut"),
    "UnpicklableError": UnpicklableError("left", "right"),
}


@dataclass(frozen=True)
class Answer:
    """The result of a task, with the setup and the process of its worker."""

    task: str
    setup: str
    pid: int


@dataclass(frozen=True)
class Misbehaving:
    """A task function that does what the first word of a task says.

    With "once" after it, it does so only at the first try.
    """

    setup: str
    folder: Path

    def __call__(self, task: str, report: Callable[[int], None]) -> Answer:
        word, *more = task.split()
        for step in range(1, STEPS + 1):
            report(step)
            if step == 2 and (more != ["once"] or self._is_first_try(task)):
                self._do(word, more)
        (self.folder / f"done {task}").touch()
        return Answer(task, self.setup, os.getpid())

    def _is_first_try(self, task: str) -> bool:
        mark = self.folder / f"first {task}"
        if mark.exists():
            return False
        mark.write_text(self.setup)
        return True

    def _do(self, word: str, more: list[str]) -> None:
        if word == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "exit":
            os._exit(7)
        if word == "lose":
            raise DeviceLostError("reset by the driver")
        if word == "raise":
            raise ERRORS[more[0]]
        if word == "after":
            wait_until(lambda: any(self.folder.glob(f"{' '.join(more)}*")))
        if word == "cling":
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if word == "weigh":
            (self.folder / f"weight {read_resident_bytes(os.getpid())}").touch()
        if word == "swell":
            self._swell()
        if word in ("sleep", "cling"):
            self._sleep()

    def _swell(self) -> None:
        held = np.ones(300 * 2**20, dtype=np.uint8)
        self._sleep()
        assert held.any()

    def _sleep(self) -> None:
        (self.folder / f"sleeping {os.getpid()}").touch()
        try:
            time.sleep(60)
        finally:
            (self.folder / f"tidied {os.getpid()}").touch()


def make_misbehaving(setup: str, folder: Path) -> Misbehaving:
    """Make a worker, whose process leaves a file with its id. The setup "no device" raises an error."""
    (folder / f"process {os.getpid()}").touch()
    if setup == "no device":
        raise DeviceError("there is no device")
    return Misbehaving(setup, folder)


@dataclass(frozen=True)
class RunLog:
    """The callbacks of a run, in order."""

    done: list[Answer] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    """Steps of all tasks together, at each report of progress."""
    replaced: list[tuple[int, str]] = field(default_factory=list)


def run_misbehaving(
    folder: Path,
    tasks: Sequence[str],
    setups: Sequence[str] = ("a",),
    log: RunLog | None = None,
    **options: Any,
) -> RunLog:
    """Run tasks in misbehaving workers, and return what the callbacks got."""
    log = log or RunLog()
    run_tasks(
        tasks,
        make_misbehaving,
        [(setup, folder) for setup in setups],
        format_task=lambda task: f"<{task}>",
        on_done=lambda _, answer: log.done.append(answer),
        on_progress=lambda reports: log.steps.append(STEPS * len(log.done) + sum(reports)),
        on_replaced=lambda number, reason: log.replaced.append((number, reason)),
        **options,
    )
    return log


def read_numbers(folder: Path, word: str) -> list[int]:
    """Return the numbers, such as process ids, in the names of files that begin with a word."""
    return [int(path.name.split()[1]) for path in folder.glob(f"{word} *")]
