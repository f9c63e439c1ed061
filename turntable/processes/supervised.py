"""A worker process as its parent sees it: it is started, gets tasks, answers, and is ended.

Every worker of turntable is one of these: those of the ring, those of a pool, and those that answer
questions. It is no fork: it imports what its work needs, and not what the parent has imported. Its death is
noticed within ``LOOK_S``, whoever else holds its pipe, and within the same time it leaves when its parent is
gone. A fork of the parent has none of its workers.
"""

import atexit
import math
import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path
from pickle import loads
from typing import Any, TypeAlias, cast

from turntable.errors import InvalidInputError
from turntable.processes.endings import how_ended
from turntable.processes.serving import (
    LEAVE,
    LOOK_S,
    PARENTS,
    Channel,
    Failure,
    ProcessSettings,
    Ready,
    TaskProgress,
    TaskResult,
    Work,
    pickled,
)

GRACE_S = 2.0
"""How long a worker that is to leave may take before it is killed, and a killed one until it is gone."""
_NAMES_OF_MAIN = (b"\x8c\x08__main__", b"\x8c\x0b__mp_main__")
"""The main script's name, and the one that it has in a worker, as a pickle has them."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Stands in the place of a message that a worker can send no more: its process is gone."""

    exit_code: int | None
    """As ``subprocess`` has it; None where even the kernel could not end it, in a driver that hangs."""

    @property
    def how(self) -> str:
        """In words: "ended by SIGKILL"."""
        return how_ended(self.exit_code)


Message: TypeAlias = Ready | TaskProgress | TaskResult | Failure | Ended


class WorkerProcess:
    """A process of its own that does tasks, with this process's end of its pipe. For one thread at a time.

    Ctrl-C, SIGTERM and SIGUSR1 do not reach it: this process answers for both. It ends when this object does.

    Args:
        make: Called there with the arguments, returns the ``Work``: ``work(task, report)``. It goes there by
            its name. If it or an argument is defined in the main script, that is imported there.
        arguments: Picklable.
        memory_bytes: Address space that the process may take; None: no limit.
        answered: Errors that come back as a ``Failure``; any other ends the process. After an error of
            ``make`` the process leaves, after one of a task it goes on.
        descriptors: Open files that it gets, under the same numbers.

    Raises:
        InvalidInputError: What is to go there was defined in a notebook or in ``python -c``.
    """

    def __init__(
        self,
        make: Callable[..., Work],
        arguments: tuple[Any, ...] = (),
        *,
        memory_bytes: int | None = None,
        answered: type[Exception] = Exception,
        descriptors: Sequence[int] = (),
    ) -> None:
        setup = pickled((make, arguments))
        settings = ProcessSettings(_main_script(setup), memory_bytes, answered)
        self._owner = os.getpid()
        self._tasks = 0
        self._process, self._pipe = _started(descriptors)
        self._finish = weakref.finalize(self, _end, self._process, self._pipe, GRACE_S)
        self._finish.atexit = False  # all at once then
        _LIVING.add(self)
        self._send(pickled(settings))
        self._send(setup)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_ours(self) -> bool:
        """Whether this very process has started it, and not the one that this is a fork of."""
        return self._owner == os.getpid()

    @property
    def pipe(self) -> Channel:
        """To be waited for; ``hear_any`` does."""
        return self._pipe

    def send(self, task: Any) -> None:
        """Give it a task. One that has died since says so to whoever listens to it next."""
        self._tasks += 1
        self._send(pickled(task))

    def receive(self, seconds: float = 0.0) -> Message | None:
        """Return its next message; None where it says nothing within so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            left, ended = deadline - time.monotonic(), self.has_ended()
            try:
                speaks = self._pipe.poll(0.0 if ended else max(0.0, min(left, LOOK_S)))
            except OSError:  # another thread has closed it
                return Ended(self.end())
            if speaks:
                return self.read()
            if ended:
                return Ended(self.end())
            if left <= 0:
                return None

    def read(self) -> Message:
        """Return the message that is there, as somebody has seen; this waits for one otherwise."""
        try:
            data = self._pipe.recv_bytes()
        except (EOFError, OSError):  # it died, perhaps in the middle of a word
            return Ended(self.end())
        return loads(data)

    def has_ended(self) -> bool:
        """Whether its process is gone, even if some other process holds its end of the pipe."""
        return self._process.poll() is not None

    def is_spent(self, most_tasks: float, most_bytes: float) -> bool:
        """Whether another should take its place: it was given so many tasks, or holds half of so much memory.

        What libraries and drivers leak goes with the process.
        """
        grown = most_bytes < math.inf and self.resident_bytes() > most_bytes / 2
        return grown or self._tasks >= most_tasks

    def resident_bytes(self) -> int:
        """Memory that it holds; 0 where that cannot be known."""
        return resident_bytes(self.pid)

    def ask_to_leave(self) -> None:
        """Have it leave from the midst of its task, by way of all open blocks."""
        if self.is_ours and not self.has_ended():
            self._process.send_signal(LEAVE)

    def kill(self) -> None:
        """Kill it at once, from any thread: the one that listens is told that it has ended."""
        if self.is_ours:
            self._process.kill()

    def end(self, grace_s: float = GRACE_S) -> int | None:
        """Close its pipe, which tells it to leave after its task; kill it if it stays for longer than this.

        Returns:
            The exit code; None where even the kernel cannot end it.
        """
        self._finish.detach()
        _LIVING.discard(self)
        return _end(self._process, self._pipe, grace_s) if self.is_ours else 0

    def forget(self) -> None:
        """In a fork of the process that has started it: leave it to that one."""
        self._finish.detach()
        self._pipe.close()
        self._process.returncode = 0

    def _send(self, message: bytes) -> None:
        with suppress(OSError):
            self._pipe.send_bytes(message)


_LIVING: "weakref.WeakSet[WorkerProcess]" = weakref.WeakSet()


def hear_any(workers: Collection[WorkerProcess], seconds: float) -> list[tuple[WorkerProcess, Message]]:
    """Return those that say something or have ended, with their messages; none if all are silent so long."""
    by_pipe: Mapping[Any, WorkerProcess] = {worker.pipe: worker for worker in workers}
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        speaking = [by_pipe[pipe] for pipe in wait(by_pipe, max(0.0, min(left, LOOK_S)))]
        if speaking:
            return [(worker, worker.read()) for worker in speaking]
        ended = [(worker, worker.receive()) for worker in workers if worker.has_ended()]
        heard = [(worker, message) for worker, message in ended if message is not None]
        if heard or left <= 0:
            return heard


def end_workers(
    workers: Iterable[WorkerProcess], grace_s: float = GRACE_S, busy: Iterable[WorkerProcess] = ()
) -> None:
    """End several at once: all are told before any is waited for.

    Args:
        workers: Those to end; each leaves after its task.
        grace_s: Those that stay for longer are killed.
        busy: Those that are to leave from the midst of their task.
    """
    for worker in busy:
        worker.ask_to_leave()
    ours = [worker for worker in workers if worker.is_ours]
    for worker in ours:
        worker.pipe.close()
    deadline = time.monotonic() + grace_s
    for worker in ours:
        worker.end(max(0.0, deadline - time.monotonic()))


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds; 0 where that cannot be known."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _started(descriptors: Sequence[int]) -> "tuple[subprocess.Popen[bytes], Channel]":
    """Start a process that finds modules as this one does; it runs ``serving.main`` over a pipe."""
    ours, theirs = cast("tuple[Channel, Channel]", Pipe())  # of a type of its own on Windows
    call = f"main({theirs.fileno()}, {os.getpid()})"
    code = (
        f"import sys; sys.path[:] = {_import_path()!r}; from turntable.processes.serving import main; {call}"
    )
    executable = os.fsdecode(multiprocessing.spawn.get_executable())
    with theirs, _signals_held():
        process = subprocess.Popen(
            [executable, "-c", code],
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), *descriptors),
            process_group=0,
        )
    return process, ours


def _import_path() -> list[str]:
    """Return where this process finds modules. What is no path is left out, as Python passes over it too."""
    paths = [
        entry for entry in cast("list[object]", sys.path) if isinstance(entry, str | bytes | os.PathLike)
    ]
    return [os.fsdecode(path) or str(Path.cwd()) for path in paths]


@contextmanager
def _signals_held() -> Generator[None, None, None]:
    """What asks work to end waits for the end of the block, and never comes to a process started in it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, PARENTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _main_script(setup: bytes) -> Mapping[str, str]:
    """Return where the main script lies, if something of it goes to the worker."""
    if not any(name in setup for name in _NAMES_OF_MAIN):
        return {}
    told = multiprocessing.spawn.get_preparation_data("worker")
    found = {name: value for name, value in told.items() if name.startswith("init_main_from")}
    if not found:
        raise InvalidInputError(
            "what is defined in a notebook or in `python -c` cannot go to another process: "
            "define it in a file of its own, and import it"
        )
    return found


def _end(process: "subprocess.Popen[bytes]", pipe: Channel, grace_s: float) -> int | None:
    pipe.close()
    with suppress(subprocess.TimeoutExpired):
        return process.wait(grace_s)
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        return process.wait(GRACE_S)
    return None


def _forget_all() -> None:
    for worker in list(_LIVING):
        worker.forget()
    _LIVING.clear()


os.register_at_fork(after_in_child=_forget_all)
atexit.register(lambda: end_workers(list(_LIVING)))
