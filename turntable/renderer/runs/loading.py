"""Meshes loaded ahead by a process that may be killed: what hangs, crashes or swells it costs itself alone.

One child a worker, which reads, parses and hashes the next objects while the worker draws. A thread of the
worker speaks with the child, so that time is kept from the moment a mesh is asked for, and the next is asked
for whatever the worker is doing. What fails is tried once more, by a new child where the old one died, and
then given back as a MeshError with its reason.
"""

import pickle
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from queue import Empty, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from turntable.errors import MeshError, TurntableError
from turntable.processes import portable
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import MeshSource, load_mesh
from turntable.renderer.runs.pool import resident_bytes
from turntable.renderer.runs.pool_process import Failure, Pipe, Result, leave_with_parent, spawned

TRIES = 2
AHEAD = 2
"""So many meshes wait, loaded, for the worker; each may hold as much as an object's textures."""
PATIENCE_S = 2.0
"""A mesh that is being loaded when no one wants it any more has so long to come."""
TRUST_S = 60.0
"""A child has as long to start as this: its libraries may come from a slow disk."""


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """What loading one object may take."""

    seconds: float = 120.0
    memory_bytes: int = 8 * 2**30
    """Of address space, as the kernel counts it: more than what is used at once."""
    objects_a_process: int = 2_000
    """After so many the child is replaced."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """An object, ready to be drawn."""

    mesh: Mesh
    digest: str
    """sha256 (hex) of what it was made from."""
    licence: str = ""


class MeshLoader:
    """Loads objects of a source ahead of those who draw them. Open it with ``with``, in the drawing process.

    Args:
        source: Of the meshes; it must be picklable.
        limits: On each object.
    """

    def __init__(self, source: MeshSource, limits: LoadLimits | None = None) -> None:
        self._source, self._limits = source, limits or LoadLimits()
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def loaded(self, object_ids: Sequence[str]) -> Iterator[Loaded | MeshError]:
        """Each object in turn, or why it cannot be used; up to ``AHEAD`` are loaded before one asks.

        Raises:
            TurntableError: Loading cannot work at all (a library is missing); it is not the object's fault.
        """
        ready: Queue[Loaded | MeshError | Exception] = Queue(AHEAD)
        gone = Event()
        thread = Thread(target=self._fill, args=(ready, gone, object_ids), daemon=True)
        thread.start()
        try:
            for _ in object_ids:
                item = ready.get()
                if isinstance(item, Exception) and not isinstance(item, MeshError):
                    raise item
                yield item
        finally:
            gone.set()
            self._give_up(thread, ready)

    def _give_up(self, thread: Thread, ready: "Queue[Loaded | MeshError | Exception]") -> None:
        """End the thread, whether it waits for room or for a mesh that no one wants any more."""
        deadline = time.monotonic() + PATIENCE_S
        while thread.is_alive():
            with suppress(Empty):
                ready.get(timeout=0.01)
            if self._child is not None and time.monotonic() > deadline:
                self._child.process.kill()

    def _fill(
        self, ready: "Queue[Loaded | MeshError | Exception]", gone: Event, object_ids: Sequence[str]
    ) -> None:
        for object_id in object_ids:
            if gone.is_set():
                return
            try:
                item = self._tried(object_id, gone)
            except Exception as error:
                ready.put(error)
                return
            ready.put(item)

    def _tried(self, object_id: str, gone: Event) -> Loaded | MeshError:
        outcome = self._once(object_id)
        for _ in range(TRIES - 1):
            if isinstance(outcome, MeshError) and not gone.is_set():
                outcome = self._once(object_id)
        return outcome

    def _once(self, object_id: str) -> Loaded | MeshError:
        if self._child is None:
            self._child = _Child.start(self._source, self._limits)
        answer = self._child.ask(object_id, self._limits)
        if self._child.spent(self._limits):
            self._child.kill()
            self._child = None
        if isinstance(answer, Exception) and not isinstance(answer, MeshError):
            raise answer
        return answer


@dataclass(slots=True, eq=False)
class _Child:
    """The process, with our end of its pipe."""

    process: SpawnProcess
    pipe: Pipe
    asked: int = 0

    @classmethod
    def start(cls, source: MeshSource, limits: LoadLimits) -> "_Child":
        child = cls(*spawned(_serve, source, limits.memory_bytes, daemon=True))
        if child._hear(TRUST_S) is None:
            child.kill()
            raise TurntableError(
                f"the process that loads meshes did not start ({child.end()}); is there memory left?"
            )
        return child

    def ask(self, object_id: str, limits: LoadLimits) -> Loaded | Exception:
        self.asked += 1
        with suppress(ConnectionError):
            self.pipe.send_bytes(object_id.encode())
        began = time.monotonic()
        answer = self._hear(limits.seconds)
        if answer is not None:
            return answer
        late = time.monotonic() - began >= limits.seconds
        self.kill()
        if late:
            return MeshError(
                f"{object_id}: loading took more than {limits.seconds:g} s and was given up; leave it out, "
                "or give --load-seconds",
                reason="timed out",
            )
        return MeshError(
            f"{object_id}: its file crashed the process that loads it ({self.end()}); leave it out",
            reason="crashed the loader",
        )

    def spent(self, limits: LoadLimits) -> bool:
        """Whether another child should take its place: it is gone, has done its share, or has grown."""
        if not self.process.is_alive():
            return True
        grown = resident_bytes(self.process.pid) > limits.memory_bytes / 2
        return grown or self.asked >= limits.objects_a_process

    def kill(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()

    def end(self) -> str:
        code = self.process.exitcode
        return signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"

    def _hear(self, seconds: float) -> Any:
        """What it says within so long; None where it says nothing, or has died."""
        try:
            if not self.pipe.poll(seconds):
                return None
            message = pickle.loads(self.pipe.recv_bytes())
        except (EOFError, OSError):
            return None
        return message.error if isinstance(message, Failure) else message.value


def _serve(pipe: Pipe, source: MeshSource, memory_bytes: int) -> None:
    """The child's life: an id comes, a mesh goes."""
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # its worker decides; without it, it leaves
    Thread(target=leave_with_parent, daemon=True).start()
    with suppress(ConnectionError, EOFError):
        _limit_memory(memory_bytes)
        pipe.send_bytes(_bytes(Result("ready")))
        while True:
            object_id = pipe.recv_bytes().decode()
            pipe.send_bytes(_bytes(_load(source, object_id)))


def _load(source: MeshSource, object_id: str) -> "Result[Loaded] | Failure":
    try:
        mesh = load_mesh(source, object_id)
        return Result(Loaded(mesh, source.digest(object_id, mesh), source.licence_of(object_id)))
    except Exception as error:
        if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
            error = _too_large(object_id)
        return Failure(portable(error))


def _too_large(object_id: str) -> MeshError:
    return MeshError(
        f"{object_id}: loading takes more memory than it may; leave it out, or give --load-memory",
        reason="out of memory",
    )


def _bytes(message: object) -> bytes:
    return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)


def _limit_memory(memory_bytes: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
