"""Views on request: a bounded queue before one process, and a cache of what it drew by what was asked."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from turntable.errors import TurntableError
from turntable.processes import Worker, WorkerFailedError
from turntable.renderer import Recent
from turntable.service.catalogue import CatalogueEntry
from turntable.service.renders.job import RenderJob


class RenderingIsOffError(TurntableError):
    """The service draws nothing, or nothing of this data set."""


class QueueIsFullError(TurntableError):
    """So many views are waiting that one more is not taken."""


class RenderFailedError(TurntableError):
    """The process that draws died, or took too long; the next request gets another one."""


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """What may be drawn, and how much of it at once."""

    meshes: Mapping[str, Path] = field(default_factory=dict)
    """The folder of a data set's meshes, by the data set's name; the zoo needs none."""
    backend: str = "auto"
    device: str = "auto"
    queue: int = 16
    """Views that may wait."""
    seconds: float = 30.0
    """That one view may take."""
    cache_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture."""

    jpeg: bytes
    digest: str
    """Hex sha256 of what was asked: the same for the same picture."""


class RenderService:
    """Draws views of the data sets on offer.

    Args:
        settings: None: it draws nothing, and says so.
    """

    def __init__(self, settings: RenderSettings | None) -> None:
        self._settings = settings
        self._worker = None if settings is None else _worker(settings)
        # One thread: it waits for the process, which draws one view at a time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="render")
        self._under_way: dict[str, asyncio.Future[bytes]] = {}
        self._cache = Recent[str, bytes](settings.cache_bytes if settings is not None else 0)
        self.hits = self.misses = self.failures = 0

    @property
    def waiting(self) -> int:
        """Views that are asked for and not drawn yet."""
        return len(self._under_way)

    def offers(self, entry: CatalogueEntry) -> bool:
        """Whether it can draw views of a data set."""
        return self._refusal(entry) is None

    async def draw(self, entry: CatalogueEntry, job: RenderJob) -> Drawn:
        """A view, from the cache or drawn now.

        Raises:
            RenderingIsOffError: Nothing of this data set is drawn here.
            QueueIsFullError: Too many are waiting.
            RenderFailedError: The process died or took too long.
            InvalidInputError: There is no such scene.
            MeshError: The object's mesh cannot be used.
        """
        refusal = self._refusal(entry)
        if refusal is not None or self._settings is None:
            raise RenderingIsOffError(refusal or "")
        digest = _digest(entry, job)
        found = self._cache.get(digest)
        if found is not None:
            self.hits += 1
            return Drawn(found, digest)
        future = self._under_way.get(digest)
        if future is None:
            if len(self._under_way) >= self._settings.queue:
                raise QueueIsFullError(
                    f"{len(self._under_way)} views are waiting to be drawn; try again soon"
                )
            self.misses += 1
            future = asyncio.ensure_future(self._begin(digest, job))
            self._under_way[digest] = future
            future.add_done_callback(lambda _: self._under_way.pop(digest, None))
        return Drawn(await asyncio.shield(future), digest)

    def meshes_of(self, entry: CatalogueEntry) -> Path | None:
        """The folder of a data set's meshes; None for the zoo, and where none is known."""
        return None if self._settings is None else self._settings.meshes.get(entry.name)

    def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _begin(self, digest: str, job: RenderJob) -> bytes:
        try:
            jpeg = await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, job)
        except RenderFailedError:
            self.failures += 1
            raise
        self._cache.put(digest, jpeg, len(jpeg))
        return jpeg

    def _ask(self, job: RenderJob) -> bytes:
        """In the thread: have the process draw it."""
        assert self._settings is not None
        assert self._worker is not None
        try:
            return self._worker.ask(job, self._settings.seconds)
        except WorkerFailedError as error:
            raise RenderFailedError(f"the view was not drawn: {error}; ask again") from None

    def _refusal(self, entry: CatalogueEntry) -> str | None:
        if self._settings is None:
            return "views are not drawn here; start turntable serve with --render"
        source = str(entry.dataset.manifest.recipe.get("source", ""))
        if entry.dataset.manifest.recipe.get("draws") == "imported":
            return f"the pictures of {entry.name} were imported: nobody here can draw others like them"
        if source != "zoo" and entry.name not in self._settings.meshes:
            return (
                f"the meshes of {entry.name} are not here; start the service with --meshes {entry.name}=DIR"
            )
        return None


def _digest(entry: CatalogueEntry, job: RenderJob) -> str:
    """Return the sha256 of what was asked. A manifest may claim the fingerprint of another data set."""
    told = json.dumps([entry.name, entry.dataset.manifest.fingerprint, asdict(job)], sort_keys=True)
    return hashlib.sha256(told.encode("ascii")).hexdigest()


def _worker(settings: RenderSettings) -> Worker:
    arguments = {"backend": settings.backend, "device": settings.device}
    return Worker("turntable.service.renders.process:open_studio", arguments)
