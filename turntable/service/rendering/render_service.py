"""The service that renders views on request: a bounded queue, one render process, and a cache of pictures."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from turntable.choices import GENERATED_SOURCES
from turntable.errors import TurntableError
from turntable.processes import IsolatedWorker, WorkerFailedError
from turntable.renderer import LRUCache
from turntable.service.catalog import CatalogEntry
from turntable.service.rendering.jobs import RenderJob


class RenderingIsOffError(TurntableError):
    """The service renders nothing, or nothing of this data set."""


class QueueIsFullError(TurntableError):
    """The queue of views to render is full."""


class RenderFailedError(TurntableError):
    """The render process died or took too long; the next request starts another one."""


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """Settings of rendering on request."""

    meshes: Mapping[str, Path] = field(default_factory=dict)
    """Folders of the meshes by the data set's name; those of generated ones need none."""
    links_under: tuple[Path, ...] = ()
    """Folders into which links in the folders of the meshes may lead, besides those folders."""
    backend: str = "auto"
    """Name of a render backend; "auto" for the best one."""
    device: str = "auto"
    """Device of the backend; "auto" for the first one."""
    queue_size: int = 16
    """Number of views that may be rendered or wait at the same time."""
    timeout_s: float = 30.0
    """Seconds that one view may take."""
    cache_bytes: int = 64 << 20
    """Size of the cache of rendered pictures."""


@dataclass(frozen=True, slots=True)
class RenderedJpeg:
    """A rendered picture."""

    jpeg: bytes
    """The picture as JPEG."""
    digest: str
    """Hex sha256 of the job, which identifies the picture."""


class RenderService:
    """A service that renders views of the catalog's data sets, one at a time in a process of its own.

    The process may crash in a graphics driver without harm to the service. Requests for the same picture
    share one job, and pictures are cached.

    Args:
        settings: Settings; None to refuse all requests.
    """

    def __init__(self, settings: RenderSettings | None) -> None:
        self._settings = settings
        self._worker = None if settings is None else _make_worker(settings)
        # One thread, which waits for the process: its queue is the order of the jobs.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="render")
        self._pending: dict[str, asyncio.Future[bytes]] = {}
        self._cache = LRUCache[str, bytes](settings.cache_bytes if settings is not None else 0)
        self.hits = self.misses = self.failures = 0

    @property
    def num_waiting(self) -> int:
        """Number of views that are requested and not rendered yet."""
        return len(self._pending)

    def can_render(self, entry: CatalogEntry) -> bool:
        """Return True if views of a data set can be rendered."""
        return self._find_refusal(entry) is None

    async def render(self, entry: CatalogEntry, job: RenderJob) -> RenderedJpeg:
        """Return a rendered view, from the cache if it is there.

        Raises:
            RenderingIsOffError: Views of this data set are not rendered here.
            QueueIsFullError: Too many views are waiting.
            RenderFailedError: The render process died or took too long.
            InvalidInputError: The factors do not describe a scene.
            MeshError: The object's mesh cannot be used.
        """
        refusal = self._find_refusal(entry)
        if refusal is not None or self._settings is None:
            raise RenderingIsOffError(refusal or "")
        digest = _compute_digest(entry, job)
        cached = self._cache.get(digest)
        if cached is not None:
            self.hits += 1
            return RenderedJpeg(cached, digest)
        future = self._pending.get(digest)
        if future is None:
            if len(self._pending) >= self._settings.queue_size:
                raise QueueIsFullError(
                    f"{len(self._pending)} views are waiting to be rendered; try again in a few seconds"
                )
            self.misses += 1
            future = asyncio.ensure_future(self._render(digest, job))
            self._pending[digest] = future
            future.add_done_callback(lambda _: self._pending.pop(digest, None))
        # Shielded: a client that disconnects must not cancel the job that others may wait for too.
        return RenderedJpeg(await asyncio.shield(future), digest)

    def find_meshes(self, entry: CatalogEntry) -> Path | None:
        """Return the folder of a data set's meshes; None for generated ones or if none was given."""
        return None if self._settings is None else self._settings.meshes.get(entry.name)

    def close(self) -> None:
        """End the render process."""
        if self._worker is not None:
            self._worker.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _render(self, digest: str, job: RenderJob) -> bytes:
        try:
            jpeg = await asyncio.get_running_loop().run_in_executor(self._thread, self._render_in_worker, job)
        except RenderFailedError:
            self.failures += 1
            raise
        self._cache.put(digest, jpeg, len(jpeg))
        return jpeg

    def _render_in_worker(self, job: RenderJob) -> bytes:
        """Let the render process do a job; runs in the thread."""
        assert self._settings is not None
        assert self._worker is not None
        try:
            return self._worker.call(job, self._settings.timeout_s)
        except WorkerFailedError as error:
            raise RenderFailedError(f"the view was not rendered: {error}; try again") from None

    def _find_refusal(self, entry: CatalogEntry) -> str | None:
        if self._settings is None:
            return "this service renders no views; start turntable serve with --render"
        source = str(entry.dataset.manifest.recipe.get("source", ""))
        if entry.dataset.manifest.recipe.get("draws") == "imported":
            return f"the pictures of {entry.name} were imported, so no others like them can be rendered"
        if "scene" in entry.dataset.manifest.recipe:
            return f"the objects of {entry.name} move in scenes, which are not rendered on request"
        if source not in GENERATED_SOURCES and entry.name not in self._settings.meshes:
            return (
                f"the service has no meshes of {entry.name}; start turntable serve with "
                f"--meshes {entry.name}=DIR"
            )
        return None


def _compute_digest(entry: CatalogEntry, job: RenderJob) -> str:
    """Return the hex sha256 of a job.

    It includes the data set's name, as a manifest may claim the fingerprint of another data set.
    """
    text = json.dumps([entry.name, entry.dataset.manifest.fingerprint, asdict(job)], sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _make_worker(settings: RenderSettings) -> IsolatedWorker:
    arguments = {
        "backend": settings.backend,
        "device": settings.device,
        "links_under": settings.links_under,
    }
    return IsolatedWorker("turntable.service.rendering.worker:open_render_worker", arguments)
