"""Loading of meshes ahead of the renderer, in a child process that can be killed.

A mesh file may hang its parser, crash it, or use all memory; in a child, that costs the child alone. Each
worker has one child, which reads, parses and hashes the next objects while the worker draws. A thread of the
worker talks to the child. So the time limit counts from the moment a mesh is requested, and the next mesh is
requested whatever the worker is doing. An object that fails is tried once more, in a new child if the old one
died, and is then returned as a MeshError with its reason.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from turntable.datasets.molecules import MoleculeFacts
from turntable.errors import MeshError, TurntableError
from turntable.processes import IsolatedWorker, WorkerFailedError, format_exit_code
from turntable.renderer.meshes import Mesh, SymmetryFacts
from turntable.renderer.meshes.sources import (
    MeshSource,
    SymmetryFinder,
    find_molecule_facts,
    find_source_arrays,
    load_mesh,
)

NUM_TRIES = 2
NUM_AHEAD = 2
"""Number of loaded meshes that wait for the worker; each may hold as much memory as an object's textures."""
STOP_TIMEOUT_S = 2.0
"""Time that a mesh which is no longer needed has to finish loading before its child is killed."""


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """Limits on loading one object."""

    seconds: float = 120.0
    memory_bytes: int = 8 * 2**30
    """Size of the child's address space as the kernel counts it, which is more than it uses at once."""
    objects_per_process: int = 2_000
    """Number of objects after which the child is replaced."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedObject:
    """An object that is ready to be drawn."""

    mesh: Mesh
    digest: str
    """SHA-256 (hex) of the files or data that the mesh was made from."""
    license: str = ""
    symmetry: SymmetryFacts | None = None
    """Symmetry facts of the mesh, if the source tells them."""
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict[str, NDArray[Any]])
    """Further arrays of the object by name, if the source has any."""
    molecule: MoleculeFacts | None = None
    """Facts about a molecule, if the source knows any."""


class MeshLoader:
    """A loader of objects ahead of their use. Open it with ``with``, in the process that draws.

    Args:
        source: Source of the meshes; it must be picklable.
        limits: Limits on each object.
    """

    def __init__(self, source: MeshSource, limits: LoadLimits | None = None) -> None:
        self._limits = limits or LoadLimits()
        self._worker = IsolatedWorker(
            "turntable.renderer.runs.mesh_loader:open_mesh_loader",
            {"source": source},
            memory_bytes=self._limits.memory_bytes,
            max_requests=self._limits.objects_per_process,
            reported_errors=Exception,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child process."""
        self._worker.close()

    def iter_loaded(self, object_ids: Sequence[str]) -> Generator[LoadedObject | MeshError, None, None]:
        """Yield each object in turn, or the error that makes it unusable.

        Up to ``NUM_AHEAD`` objects are loaded before they are requested.

        Raises:
            TurntableError: Loading cannot work at all, for example because a library is missing.
        """
        ready: Queue[LoadedObject | MeshError | Exception] = Queue(NUM_AHEAD)
        stop = Event()
        thread = Thread(target=self._load_ahead, args=(ready, stop, object_ids), daemon=True)
        thread.start()
        try:
            for _ in object_ids:
                item = ready.get()
                if isinstance(item, Exception) and not isinstance(item, MeshError):
                    raise item
                yield item
        finally:
            stop.set()
            self._stop_thread(thread, ready)

    def _stop_thread(self, thread: Thread, queue: "Queue[LoadedObject | MeshError | Exception]") -> None:
        """End the thread, even if it waits for room in the queue or for a mesh that is no longer needed."""
        # The thread may be blocked on a full queue: keep emptying it. It may also be blocked on a mesh that
        # takes long to load: past the deadline, interrupting the child makes that call fail.
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while thread.is_alive():
            with suppress(Empty):
                queue.get(timeout=0.01)
            if time.monotonic() > deadline:
                self._worker.interrupt()

    def _load_ahead(
        self, queue: "Queue[LoadedObject | MeshError | Exception]", stop: Event, object_ids: Sequence[str]
    ) -> None:
        for object_id in object_ids:
            if stop.is_set():
                return
            try:
                item = self._load_with_retries(object_id, stop)
            except Exception as error:
                queue.put(error)
                return
            queue.put(item)

    def _load_with_retries(self, object_id: str, stop: Event) -> LoadedObject | MeshError:
        outcome = self._load_once(object_id)
        for _ in range(NUM_TRIES - 1):
            if isinstance(outcome, MeshError) and not stop.is_set():
                outcome = self._load_once(object_id)
        return outcome

    def _load_once(self, object_id: str) -> LoadedObject | MeshError:
        try:
            return self._worker.call(object_id, self._limits.seconds)
        except MeshError as error:
            return error
        except WorkerFailedError as error:
            return _make_load_error(object_id, error, self._limits)


def open_mesh_loader(source: MeshSource) -> Callable[[str], LoadedObject]:
    """Return the function that loads an object by its id; called in the child."""

    def load(object_id: str) -> LoadedObject:
        try:
            mesh = load_mesh(source, object_id)
            digest = source.compute_digest(object_id, mesh)
            symmetry = None
            if isinstance(source, SymmetryFinder):
                symmetry = source.find_symmetry(object_id, mesh, digest)
            arrays = find_source_arrays(source, object_id)
            molecule = find_molecule_facts(source, object_id)
            return LoadedObject(mesh, digest, source.get_license(object_id), symmetry, arrays, molecule)
        except Exception as error:
            if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
                raise _make_memory_error(object_id) from None
            raise

    return load


def _make_load_error(object_id: str, error: WorkerFailedError, limits: LoadLimits) -> MeshError:
    """Return the error of an object whose loading took too long or crashed the child.

    Raises:
        TurntableError: The child could not be started at all, which is not the object's fault.
    """
    if error.stage == "late":
        return MeshError(
            f"{object_id}: loading took more than {limits.seconds:g} s and was given up; leave it out, "
            "or give --load-seconds",
            reason="timed out",
        )
    if error.stage == "died":
        return MeshError(
            f"{object_id}: its file crashed the process that loads it ({format_exit_code(error.exit_code)}); "
            "leave it out",
            reason="crashed the loader",
        )
    raise TurntableError(f"meshes cannot be loaded: {error}; is there memory left?")


def _make_memory_error(object_id: str) -> MeshError:
    return MeshError(
        f"{object_id}: loading takes more memory than it may; leave it out, or give --load-memory",
        reason="out of memory",
    )
