"""Meshes loaded ahead by a process that may be killed: what hangs, crashes or swells it costs itself alone.

One child a worker, which reads, parses and hashes the next objects while the worker draws. A thread of the
worker speaks with the child, so that time is kept from the moment a mesh is asked for, and the next is asked
for whatever the worker is doing. What fails is tried once more, by a new child where the old one died, and
then given back as a MeshError with its reason.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Self

from turntable.errors import MeshError, TurntableError
from turntable.processes import Worker, WorkerFailedError, ending_name
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import MeshSource, load_mesh

TRIES = 2
AHEAD = 2
"""So many meshes wait, loaded, for the worker; each may hold as much as an object's textures."""
PATIENCE_S = 2.0
"""A mesh that is being loaded when no one wants it any more has so long to come."""


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
        self._limits = limits or LoadLimits()
        self._worker = Worker(
            "turntable.renderer.runs.loading:open_meshes",
            {"source": source},
            memory_bytes=self._limits.memory_bytes,
            most_questions=self._limits.objects_a_process,
            answered=Exception,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        self._worker.close()

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
            if time.monotonic() > deadline:
                self._worker.interrupt()

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
        try:
            return self._worker.ask(object_id, self._limits.seconds)
        except MeshError as error:
            return error
        except WorkerFailedError as error:
            return _costly(object_id, error, self._limits)


def open_meshes(source: MeshSource) -> Callable[[str], Loaded]:
    """Return what loads objects in the child, by their ids."""

    def load(object_id: str) -> Loaded:
        try:
            mesh = load_mesh(source, object_id)
            return Loaded(mesh, source.digest(object_id, mesh), source.licence_of(object_id))
        except Exception as error:
            if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
                raise _too_large(object_id) from None
            raise

    return load


def _costly(object_id: str, error: WorkerFailedError, limits: LoadLimits) -> MeshError:
    """Return why an object that took its loader's time or life cannot be used."""
    if error.when == "late":
        return MeshError(
            f"{object_id}: loading took more than {limits.seconds:g} s and was given up; leave it out, "
            "or give --load-seconds",
            reason="timed out",
        )
    if error.when == "died":
        return MeshError(
            f"{object_id}: its file crashed the process that loads it ({ending_name(error.exit_code)}); "
            "leave it out",
            reason="crashed the loader",
        )
    raise TurntableError(f"meshes cannot be loaded: {error}; is there memory left?")


def _too_large(object_id: str) -> MeshError:
    return MeshError(
        f"{object_id}: loading takes more memory than it may; leave it out, or give --load-memory",
        reason="out of memory",
    )
