"""Processes with a pipe to their parent, and what a worker of the pool does at its end of it."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from threading import Thread
from typing import Any, Generic, TypeAlias, TypeVar, cast

from turntable.processes import portable

P = TypeVar("P")
R = TypeVar("R")

Pipe: TypeAlias = "Connection[Any, Any]"

LEAVE = signal.SIGHUP
"""Asks a worker to leave. Not SIGTERM: batch systems send that to every process of a job to ask the run to
end soon, and the shard in hand is still to be finished then."""


_SPAWN = multiprocessing.get_context("spawn")  # a forked process would share the parent's driver state


def spawned(
    target: Callable[..., None], *arguments: object, daemon: bool = False
) -> tuple[SpawnProcess, Pipe]:
    """A new process, and our end of its pipe.

    Args:
        target: Called there with the other end of the pipe and the arguments.
        arguments: Picklable.
        daemon: It may have no children, and is ended when this process exits.
    """
    ours, theirs = cast("tuple[Pipe, Pipe]", _SPAWN.Pipe())  # of a type of its own on Windows
    with theirs:  # open here, it would keep the pipe from ending with the process
        process = _SPAWN.Process(target=target, args=(theirs, *arguments), daemon=daemon)
        process.start()
    return process, ours


@dataclass(frozen=True, slots=True)
class TaskProgress(Generic[P]):
    """A message of a worker: its task goes on, and is so far."""

    value: P


@dataclass(frozen=True, slots=True)
class Result(Generic[R]):
    """A task is done, and what came of it."""

    value: R


@dataclass(frozen=True, slots=True)
class Failure:
    """A task raised, and the worker leaves."""

    error: Exception


def serve(pipe: Pipe, make_worker: Callable[..., Callable[..., Any]], setup: tuple[object, ...]) -> None:
    """A worker's life. Any error ends it: by then its parent wants another worker, or none."""
    for number in (signal.SIGTERM, signal.SIGUSR1):  # sent to all of a job; the parent decides what follows
        signal.signal(number, signal.SIG_IGN)
    signal.signal(LEAVE, _leave)
    Thread(target=leave_with_parent, daemon=True).start()
    with suppress(ConnectionError):  # no one listens any more
        try:
            work = make_worker(*setup)
            for task in _received(pipe):
                pipe.send(Result(work(task, lambda report: pipe.send(TaskProgress(report)))))
        except Exception as error:
            pipe.send(Failure(portable(error)))


def _received(pipe: Pipe) -> Iterator[Any]:
    """Tasks, until the parent closes its end."""
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        yield task


def _leave(*_: object) -> None:
    """Leave by way of all open blocks: half a file is removed by the one who writes it."""
    sys.exit(128 + LEAVE)


def leave_with_parent() -> None:
    """Leave even from the middle of a task: the next run makes the same files."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
