"""Workers that misbehave as they are told. A spawned process can import them from here, not from a test."""

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
from turntable.processes import resident_bytes, run_tasks

STEPS = 3
"""So many times a task says how far it is."""


class UnpicklableError(Exception):
    """Its arguments are not those of its constructor."""

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
    """What came of a task, and who did it."""

    task: str
    setup: str
    pid: int


@dataclass(frozen=True)
class Misbehaving:
    """Does what a task's first word says; "once" after it: only when the task is given for the first time."""

    setup: str
    folder: Path

    def __call__(self, task: str, report: Callable[[int], None]) -> Answer:
        word, *more = task.split()
        for step in range(1, STEPS + 1):
            report(step)
            if step == 2 and (more != ["once"] or self._first(task)):
                self._do(word, more)
        (self.folder / f"done {task}").touch()
        return Answer(task, self.setup, os.getpid())

    def _first(self, task: str) -> bool:
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
            (self.folder / f"weight {resident_bytes(os.getpid())}").touch()
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


def misbehaving(setup: str, folder: Path) -> Misbehaving:
    """A worker; its process leaves a file that tells of it. Where there is "no device", an error."""
    (folder / f"process {os.getpid()}").touch()
    if setup == "no device":
        raise DeviceError("there is no device")
    return Misbehaving(setup, folder)


@dataclass(frozen=True)
class Told:
    """What a pool said while it was at work."""

    done: list[Answer] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    """Of all tasks together, each time that progress was told."""
    replaced: list[tuple[int, str]] = field(default_factory=list)


def do(
    folder: Path,
    tasks: Sequence[str],
    setups: Sequence[str] = ("a",),
    told: Told | None = None,
    **how: Any,
) -> Told:
    """Have tasks done by misbehaving workers."""
    told = told or Told()
    run_tasks(
        tasks,
        misbehaving,
        [(setup, folder) for setup in setups],
        name=lambda task: f"<{task}>",
        on_done=lambda _, answer: told.done.append(answer),
        on_progress=lambda reports: told.steps.append(STEPS * len(told.done) + sum(reports)),
        on_replaced=lambda number, how: told.replaced.append((number, how)),
        **how,
    )
    return told


def numbers(folder: Path, word: str) -> list[int]:
    """The process ids in the names of files that begin with a word."""
    return [int(path.name.split()[1]) for path in folder.glob(f"{word} *")]
