"""Worker processes, from the side of the parent: starting one, giving it tasks, and ending it.

All workers of turntable are of this kind, in task runners, pools and isolated workers. A worker is a new
process and not a fork: it imports only what its tasks need. The parent notices its death within
``CHECK_INTERVAL_S``, even if another process holds its pipe open. A worker ends within the same time when its
parent is gone. A fork of the parent has none of the parent's workers.
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
from turntable.processes.failures import describe_exit
from turntable.processes.worker_main import (
    CHECK_INTERVAL_S,
    LEAVE_SIGNAL,
    PARENT_SIGNALS,
    PipeEnd,
    ProcessSettings,
    TaskFailure,
    TaskFunction,
    TaskProgress,
    TaskResult,
    WorkerReady,
    pickle_message,
)

GRACE_S = 2.0
"""Time in seconds that a worker has to end before it is killed, and that a killed one has to be gone."""
_MAIN_MODULE_NAMES = (b"\x8c\x08__main__", b"\x8c\x0b__mp_main__")
"""The module name of the main script, here and in a worker, as the bytes that a pickle has for it."""


@dataclass(frozen=True, slots=True)
class WorkerExit:
    """The end of a worker process, returned in place of a message."""

    exit_code: int | None
    """Exit code as ``subprocess`` has it; None if not even the kernel could end it, as in a driver that
    hangs."""

    @property
    def description(self) -> str:
        """Description of the exit code as a phrase: "ended by SIGKILL"."""
        return describe_exit(self.exit_code)


Message: TypeAlias = WorkerReady | TaskProgress | TaskResult | TaskFailure | WorkerExit
"""Message that ``WorkerProcess.receive`` returns."""


class WorkerProcess:
    """A process that runs tasks, and the parent's end of its pipe.

    Only one thread at a time may use it. The process ignores Ctrl-C, SIGTERM and SIGUSR1, which the parent
    handles. It is ended when this object is deleted.

    Args:
        factory: Function that is called in the process with ``arguments`` and returns a ``TaskFunction``. It
            is pickled by its name. If it or an argument is defined in the main script, the process imports
            that.
        arguments: Picklable arguments of that function.
        memory_bytes: Limit of the process's address space; None: no limit.
        reported_errors: Errors that are returned as a ``TaskFailure``. After such an error of ``factory`` the
            process ends, after one of a task it goes on. Any other error ends the process.
        descriptors: File descriptors that the process inherits, with the same numbers.

    Raises:
        InvalidInputError: The factory or an argument was defined in a notebook or in ``python -c``.
    """

    def __init__(
        self,
        factory: Callable[..., TaskFunction],
        arguments: tuple[Any, ...] = (),
        *,
        memory_bytes: int | None = None,
        reported_errors: type[Exception] = Exception,
        descriptors: Sequence[int] = (),
    ) -> None:
        setup = pickle_message((factory, arguments))
        settings = ProcessSettings(_find_main_script(setup), memory_bytes, reported_errors)
        self._owner = os.getpid()
        self._num_tasks = 0
        self._process, self._pipe = _start_process(descriptors)
        self._finalizer = weakref.finalize(self, _end_process, self._process, self._pipe, GRACE_S)
        # At exit, `end_workers` ends all workers together. Finalizers would wait for one after the other.
        self._finalizer.atexit = False
        _LIVE_WORKERS.add(self)
        self._send(pickle_message(settings))
        self._send(setup)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def is_own(self) -> bool:
        """True if this process has started the worker, False in a fork of that process."""
        return self._owner == os.getpid()

    @property
    def pipe(self) -> PipeEnd:
        """The parent's end of the pipe, for waiting on several workers at once."""
        return self._pipe

    def send(self, task: Any) -> None:
        """Send a task. If the process has died, the next ``receive`` returns its end."""
        self._num_tasks += 1
        self._send(pickle_message(task))

    def receive(self, timeout_s: float = 0.0) -> Message | None:
        """Return the next message, or the end of the process; None if none comes within the time limit."""
        deadline = time.monotonic() + timeout_s
        while True:
            # The pipe alone does not tell that the process has died: a child of the process may hold it open.
            # So the process is checked before the pipe. A message that it sent before it died is still read.
            remaining_s, ended = deadline - time.monotonic(), self.has_ended()
            try:
                has_message = self._pipe.poll(0.0 if ended else max(0.0, min(remaining_s, CHECK_INTERVAL_S)))
            except OSError:  # another thread has closed it
                return WorkerExit(self.end())
            if has_message:
                return self.read_message()
            if ended:
                return WorkerExit(self.end())
            if remaining_s <= 0:
                return None

    def read_message(self) -> Message:
        """Read a message that is in the pipe already. If there is none, this blocks."""
        try:
            data = self._pipe.recv_bytes()
        except (EOFError, OSError):  # it died, perhaps in the middle of a message
            return WorkerExit(self.end())
        return loads(data)

    def has_ended(self) -> bool:
        """Return True if the process is gone, even if another process holds its end of the pipe."""
        return self._process.poll() is not None

    def is_spent(self, max_tasks: float, max_bytes: float) -> bool:
        """Return True if the process should be replaced, to free memory that libraries and drivers leak.

        Args:
            max_tasks: Number of tasks after which a process is replaced.
            max_bytes: Memory limit in bytes; a process that holds more than half of it is replaced.
        """
        holds_too_much = max_bytes < math.inf and self.get_resident_bytes() > max_bytes / 2
        return holds_too_much or self._num_tasks >= max_tasks

    def get_resident_bytes(self) -> int:
        """Return the memory that the process holds in bytes; 0 if it is unknown."""
        return read_resident_bytes(self.pid)

    def request_exit(self) -> None:
        """Ask the process to end in the middle of its task. Its ``finally`` blocks run."""
        if self.is_own and not self.has_ended():
            self._process.send_signal(LEAVE_SIGNAL)

    def kill(self) -> None:
        """Kill the process at once. Any thread may call this; the thread in ``receive`` gets its end."""
        if self.is_own:
            self._process.kill()

    def end(self, grace_s: float = GRACE_S) -> int | None:
        """End the process after its task: close the pipe, and kill the process if it does not end in time.

        Args:
            grace_s: Time limit in seconds.

        Returns:
            The exit code; None if not even the kernel can end the process.
        """
        self._finalizer.detach()
        _LIVE_WORKERS.discard(self)
        return _end_process(self._process, self._pipe, grace_s) if self.is_own else 0

    def abandon(self) -> None:
        """Forget the process, in a fork of the process that has started it and that it belongs to."""
        self._finalizer.detach()
        self._pipe.close()
        # A Popen without a return code would warn when it is deleted, and try to wait for a process that is
        # not a child of this one.
        self._process.returncode = 0

    def _send(self, message: bytes) -> None:
        with suppress(OSError):
            self._pipe.send_bytes(message)


_LIVE_WORKERS: "weakref.WeakSet[WorkerProcess]" = weakref.WeakSet()
"""Workers that this process has started and not ended."""


def receive_any(workers: Collection[WorkerProcess], timeout_s: float) -> list[tuple[WorkerProcess, Message]]:
    """Wait until at least one worker sends a message or ends.

    Args:
        workers: Workers to wait for.
        timeout_s: Time limit in seconds.

    Returns:
        Workers with their messages; empty if none came within the time limit.
    """
    worker_by_pipe: Mapping[Any, WorkerProcess] = {worker.pipe: worker for worker in workers}
    deadline = time.monotonic() + timeout_s
    while True:
        remaining_s = deadline - time.monotonic()
        ready_pipes = wait(worker_by_pipe, max(0.0, min(remaining_s, CHECK_INTERVAL_S)))
        if ready_pipes:
            ready = [worker_by_pipe[pipe] for pipe in ready_pipes]
            return [(worker, worker.read_message()) for worker in ready]
        ended = [(worker, worker.receive()) for worker in workers if worker.has_ended()]
        messages = [(worker, message) for worker, message in ended if message is not None]
        if messages or remaining_s <= 0:
            return messages


def end_workers(
    workers: Iterable[WorkerProcess], grace_s: float = GRACE_S, busy: Iterable[WorkerProcess] = ()
) -> None:
    """End several workers together. All of them are asked to end before any is waited for.

    Args:
        workers: Workers to end, each after its task.
        grace_s: Time limit in seconds; workers that take longer are killed.
        busy: Workers among them that are to end in the middle of their task.
    """
    for worker in busy:
        worker.request_exit()
    own_workers = [worker for worker in workers if worker.is_own]
    for worker in own_workers:
        worker.pipe.close()
    deadline = time.monotonic() + grace_s
    for worker in own_workers:
        worker.end(max(0.0, deadline - time.monotonic()))


def read_resident_bytes(pid: int) -> int:
    """Return the memory that a process holds in bytes; 0 if it is unknown."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _start_process(descriptors: Sequence[int]) -> "tuple[subprocess.Popen[bytes], PipeEnd]":
    """Start a process that runs ``worker_main.main`` over a pipe, with the import paths of this process.

    Returns:
        The process, and this process's end of the pipe.
    """
    own_end, worker_end = cast("tuple[PipeEnd, PipeEnd]", Pipe())  # the type differs on Windows
    code = (
        f"import sys; sys.path[:] = {_list_import_paths()!a}; "
        f"from turntable.processes.worker_main import main; main({worker_end.fileno()}, {os.getpid()})"
    )
    executable = os.fsdecode(multiprocessing.spawn.get_executable())
    with worker_end, _block_signals():
        process = subprocess.Popen(
            [executable, "-c", code],
            stdin=subprocess.DEVNULL,
            pass_fds=(worker_end.fileno(), *descriptors),
            # A process group of its own: Ctrl-C in a terminal goes to the group of the parent only.
            process_group=0,
        )
    return process, own_end


def _list_import_paths() -> list[str]:
    """List the folders in which this process finds modules, as plain text that any process can read.

    Like Python, ignore entries that are no paths, and a working directory that is gone.
    """
    entries = cast("list[object]", sys.path)
    paths = [os.fsdecode(entry) for entry in entries if isinstance(entry, str | bytes | os.PathLike)]
    with suppress(OSError):
        paths = [path or str(Path.cwd()) for path in paths]
    # A class derived from str may have a repr of its own, like numpy's.
    return [str.__str__(path) for path in paths]


@contextmanager
def _block_signals() -> Generator[None, None, None]:
    """Block the parent's signals in this process, and in a process that is started within the block.

    The new process inherits the mask, so that no such signal can end it before it ignores them. Signals that
    come to this process are delivered after the block.
    """
    previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, PARENT_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)


def _find_main_script(setup: bytes) -> Mapping[str, str]:
    """Return the location of the main script if the pickled setup refers to it; empty otherwise."""
    if not any(name in setup for name in _MAIN_MODULE_NAMES):
        return {}
    preparation = multiprocessing.spawn.get_preparation_data("worker")
    main_script = {name: value for name, value in preparation.items() if name.startswith("init_main_from")}
    if not main_script:
        raise InvalidInputError(
            "functions and classes that are defined in a notebook or in `python -c` cannot be sent to "
            "another process: define them in a separate file, and import that"
        )
    return main_script


def _end_process(process: "subprocess.Popen[bytes]", pipe: PipeEnd, grace_s: float) -> int | None:
    """Close the pipe and wait; kill a process that takes longer than ``grace_s``. Return the exit code."""
    pipe.close()
    with suppress(subprocess.TimeoutExpired):
        return process.wait(grace_s)
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        return process.wait(GRACE_S)
    return None


def _abandon_all() -> None:
    for worker in list(_LIVE_WORKERS):
        worker.abandon()
    _LIVE_WORKERS.clear()


os.register_at_fork(after_in_child=_abandon_all)
atexit.register(lambda: end_workers(list(_LIVE_WORKERS)))
