"""The main function of worker processes, and the messages between them and their parent."""

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

from turntable.processes.failures import make_picklable

CHECK_INTERVAL_S = 0.5
"""Time in seconds between two checks that the process at the other end of the pipe is still alive."""
LEAVE_SIGNAL = signal.SIGHUP
"""Signal that makes a worker end in the middle of its task.

It is not SIGTERM: batch systems send that to every process of a job, and workers should finish their task
then.
"""
PARENT_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""Signals that workers ignore: Ctrl-C, and those that batch systems send to a whole job. The parent handles
them."""

PipeEnd: TypeAlias = "Connection[Any, Any]"
"""One end of a pipe."""
T = TypeVar("T")
"""Type of a task."""
P = TypeVar("P")
"""Type of the reports on the progress of a task."""
R = TypeVar("R")
"""Type of the result of a task."""
TaskFunction = Callable[[T, Callable[[P], None]], R]
"""Function that runs a task and returns its result. It may report its progress by calling its second
argument. Task, reports and result are picklable."""


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """The settings that a worker process needs before it imports the code of its tasks."""

    main_script: Mapping[str, str]
    """Location of the parent's main script, as multiprocessing has it; empty if nothing of it is needed."""
    memory_bytes: int | None
    """Limit of the process's address space; None: no limit."""
    reported_errors: type[Exception]
    """Errors that are sent to the parent. Any other error ends the process, like a crash."""


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """The first message of a worker: it can run tasks."""


class TaskProgress(NamedTuple):  # not dataclasses: tuples are pickled in a fraction of the time
    """A report on the progress of a worker's task."""

    value: Any


class TaskResult(NamedTuple):
    """The result of a task."""

    value: Any


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """The error of a task, or of the setup of a worker, which then ends."""

    error: Exception


def main(descriptor: int, parent: int) -> None:
    """Run tasks until the parent closes the pipe or is gone.

    Args:
        descriptor: File descriptor of this process's end of the pipe. Its messages are a ``ProcessSettings``,
            then the function that makes the ``TaskFunction`` with its arguments, and then the tasks.
        parent: Process id of the parent.
    """
    for number in PARENT_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(LEAVE_SIGNAL, _exit_on_signal)
    # The parent has blocked these signals while it started this process. They are ignored from here on.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PARENT_SIGNALS)
    Thread(target=_exit_with_parent, args=(parent,), daemon=True).start()
    pipe = Connection(descriptor)
    settings: ProcessSettings = pickle.loads(_receive(pipe))
    if settings.memory_bytes is not None:
        _limit_memory(settings.memory_bytes)
    if settings.main_script:
        multiprocessing.spawn.prepare(dict(settings.main_script))
    try:
        factory, arguments = pickle.loads(_receive(pipe))
        task_function: TaskFunction = factory(*arguments)
    except settings.reported_errors as error:
        _send(pipe, TaskFailure(make_picklable(error)))
        return
    _send(pipe, WorkerReady())
    while True:
        _send_bytes(pipe, _run_task(task_function, pipe, settings.reported_errors))


def pickle_message(message: object) -> bytes:
    """Pickle a message for a pipe, in the newest protocol, which is fast for arrays."""
    return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)


def _run_task(task_function: TaskFunction, pipe: PipeEnd, reported_errors: type[Exception]) -> bytes:
    """Receive and run the next task, and return the message for the parent.

    The result is pickled here, so that a result that cannot be pickled is an error of its task.
    """
    try:
        task = pickle.loads(_receive(pipe))
        result = task_function(task, lambda report: _send(pipe, TaskProgress(report)))
        return pickle_message(TaskResult(result))
    except reported_errors as error:
        return pickle_message(TaskFailure(make_picklable(error)))


def _receive(pipe: PipeEnd) -> bytes:
    try:
        return pipe.recv_bytes()
    except (EOFError, OSError):  # the parent has closed the pipe: there are no more tasks
        sys.exit(0)


def _send(pipe: PipeEnd, message: object) -> None:
    _send_bytes(pipe, pickle_message(message))


def _send_bytes(pipe: PipeEnd, message: bytes) -> None:
    try:
        pipe.send_bytes(message)
    except OSError:  # the parent has closed the pipe
        sys.exit(0)


def _exit_on_signal(*_: object) -> None:
    """Exit with an exception, so that ``finally`` blocks run and unfinished files are removed."""
    sys.exit(128 + LEAVE_SIGNAL)


def _exit_with_parent(parent: int) -> None:
    """Exit when the parent is gone, even in the middle of a task."""
    while os.getppid() == parent:
        time.sleep(CHECK_INTERVAL_S)
    os._exit(1)


def _limit_memory(memory_bytes: int) -> None:
    """Limit the address space, as far as the system allows, and turn core dumps off."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    for limit, value in ((resource.RLIMIT_AS, allowed), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))
