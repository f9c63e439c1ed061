"""The life of a worker process, at its own end of the pipe: it is set up, does its tasks, and leaves."""

import multiprocessing.spawn
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, NamedTuple, TypeAlias, TypeVar

from turntable.processes.endings import portable

LOOK_S = 0.5
"""How often a process looks whether the other one is still there."""
LEAVE = signal.SIGHUP
"""Asks a worker to leave from the midst of its task. Not SIGTERM: batch systems send that to every process of
a job to ask the work to end soon, and the task in hand is still to be finished then."""
PARENTS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""Ctrl-C, and what batch systems send to all of a job: the parent's to answer, not the worker's."""

Channel: TypeAlias = "Connection[Any, Any]"
"""One end of a pipe."""
T = TypeVar("T")
"""A task."""
P = TypeVar("P")
"""What a worker reports of a task that is not done."""
R = TypeVar("R")
"""What comes of a task."""
Work = Callable[[T, Callable[[P], None]], R]
"""Does a task, and may report how far it is. All three are picklable."""


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """What a worker process needs to know before it imports anything of its work."""

    main_script: Mapping[str, str]
    """Where multiprocessing finds the parent's main script; empty where nothing of it is needed."""
    memory_bytes: int | None
    """Address space that the process may take; None: no limit."""
    answered: type[Exception]
    """Errors that are sent to the parent. Any other ends the process, as a crash would."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker's first message: it can do tasks."""


class TaskProgress(NamedTuple):  # not dataclasses: tuples are pickled in a fraction of the time
    """A worker's task goes on, and is so far."""

    value: Any


class TaskResult(NamedTuple):
    """A task is done, and this came of it."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A task raised; or the worker could not be made, and leaves."""

    error: Exception


def main(descriptor: int, parent: int) -> None:
    """Do tasks until the parent closes the pipe, or is gone.

    Args:
        descriptor: This end of the pipe. First comes a ``ProcessSettings``, then what makes the ``Work`` with
            its arguments, and then task after task.
        parent: Its process id.
    """
    for number in PARENTS:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(LEAVE, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PARENTS)
    Thread(target=_leave_with, args=(parent,), daemon=True).start()
    pipe = Connection(descriptor)
    settings: ProcessSettings = pickle.loads(_received(pipe))
    if settings.memory_bytes is not None:
        _limit_memory(settings.memory_bytes)
    if settings.main_script:
        multiprocessing.spawn.prepare(dict(settings.main_script))
    try:
        make, arguments = pickle.loads(_received(pipe))
        work: Work = make(*arguments)
    except settings.answered as error:
        _send(pipe, Failure(portable(error)))
        return
    _send(pipe, Ready())
    while True:
        _send_bytes(pipe, _outcome(work, pipe, settings.answered))


def pickled(message: object) -> bytes:
    """Return a message as it goes through a pipe: in the protocol that takes arrays as they are."""
    return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)


def _outcome(work: Work, pipe: Channel, answered: type[Exception]) -> bytes:
    """Do the next task. What cannot be pickled of its answer is an error of the task too."""
    try:
        task = pickle.loads(_received(pipe))
        return pickled(TaskResult(work(task, lambda report: _send(pipe, TaskProgress(report)))))
    except answered as error:
        return pickled(Failure(portable(error)))


def _received(pipe: Channel) -> bytes:
    try:
        return pipe.recv_bytes()
    except (EOFError, OSError):  # nobody wants anything any more
        sys.exit(0)


def _send(pipe: Channel, message: object) -> None:
    _send_bytes(pipe, pickled(message))


def _send_bytes(pipe: Channel, message: bytes) -> None:
    try:
        pipe.send_bytes(message)
    except OSError:  # nobody listens any more
        sys.exit(0)


def _leave(*_: object) -> None:
    """Leave by way of all open blocks: half a file is removed by the one who writes it."""
    sys.exit(128 + LEAVE)


def _leave_with(parent: int) -> None:
    """Leave even from the midst of a task when nobody is there any more who wants it."""
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(1)


def _limit_memory(memory_bytes: int) -> None:
    """Limit the address space, as far as the system lets; a process that swells or crashes leaves no core."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    for limit, value in ((resource.RLIMIT_AS, most), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))
