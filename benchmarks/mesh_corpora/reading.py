"""One mesh file, read and rendered by turntable and read by the others: the findings of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from mesh_corpora.independent_readers import READERS, OtherReading, ReaderName
from mesh_corpora.measures import MeasureDifference, MeshMeasure, list_differences, measure_mesh
from turntable.datasets import Recipe
from turntable.errors import MeshError, TurntableError
from turntable.processes import IsolatedWorker, WorkerFailedError
from turntable.renderer import render_views
from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import FolderSource
from turntable.renderer.runs.mesh_loader import LoadLimits, MeshLoader

Status = Literal["rendered", "left out"]
READER_SECONDS = 60.0
"""Time that another reader has for a file."""
MEMORY_BYTES = 6 * 2**30
"""Address space of each process that reads."""


@dataclass(slots=True)
class FileFindings:
    """The findings about one file."""

    corpus: str
    file: str
    status: Status = "rendered"
    reason: str = ""
    """Reason why it was left out."""
    message: str = ""
    warnings: list[tuple[str, str]] = field(default_factory=list)
    """Kind and text of each warning."""
    ours: MeshMeasure | None = None
    others: dict[str, MeshMeasure | str] = field(default_factory=dict)
    """Figures of each other reader, or its error."""
    differences: dict[str, list[MeasureDifference]] = field(default_factory=dict)
    """Differences to each other reader that reads the file."""

    @property
    def rank(self) -> float:
        """How much the file asks to be looked at: 0 for not at all.

        A file that another reader reads and we do not comes first; then come those that differ from every
        reader, then those that differ from trimesh and then from pymeshlab alone.
        """
        readers = [name for name, found in self.others.items() if not isinstance(found, str)]
        if self.status == "left out":
            return 3000.0 + len(readers) if readers else 1.0
        differing = [name for name in readers if self.differences.get(name)]
        if not differing:
            return 0.0
        amount = max(item.amount for name in differing for item in self.differences[name])
        group = 2000 if len(differing) == len(readers) else 1000 if differing == ["trimesh"] else 500
        return group + min(amount, 400.0)


@dataclass(frozen=True, slots=True, eq=False)
class ReadFile:
    """The findings about a file, and its pictures by reader."""

    findings: FileFindings
    pictures: dict[str, NDArray[np.uint8]]


class OtherReaders:
    """The other readers that are installed, each in a process that may be killed. Open it with ``with``."""

    def __init__(self) -> None:
        self._workers: dict[ReaderName, IsolatedWorker] = {}
        for name in READERS:
            try:
                __import__(name)
            except ImportError:
                continue
            self._workers[name] = IsolatedWorker(
                "mesh_corpora.independent_readers:open_other_reader",
                {"name": name},
                memory_bytes=MEMORY_BYTES,
                reported_errors=Exception,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.close()

    def read(self, path: Path) -> dict[str, OtherReading | str]:
        """Return each reader's reading of a file, or its error in words."""
        return {name: self._read_with(worker, path) for name, worker in self._workers.items()}

    def _read_with(self, worker: IsolatedWorker, path: Path) -> OtherReading | str:
        try:
            reading: OtherReading = worker.call(path, READER_SECONDS)
        except WorkerFailedError as error:
            return f"{error.stage}: {error}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:300].splitlines()[0]
        return reading


def read_files(
    corpus: str,
    source: FolderSource,
    ids: Sequence[str],
    backend: Backend,
    recipe: Recipe,
    readers: OtherReaders,
) -> Iterator[ReadFile]:
    """Read and render files one after the other, and have the other readers read them."""
    limits = LoadLimits(seconds=60, memory_bytes=MEMORY_BYTES)
    with MeshLoader(source, limits) as loader:
        for object_id, loaded in zip(ids, loader.iter_loaded(ids), strict=True):
            path = source.find_mesh_file(object_id)
            assert path is not None
            findings = FileFindings(corpus, path.relative_to(source.root).as_posix())
            pictures: dict[str, NDArray[np.uint8]] = {}
            try:
                if isinstance(loaded, MeshError):
                    raise loaded
                mesh = loaded.mesh
                findings.warnings = [(getattr(item, "kind", ""), str(item)) for item in mesh.warnings]
                pictures["turntable"] = _draw(backend, recipe, mesh)
                findings.ours = measure_mesh(mesh)
            except MeshError as error:
                findings.status, findings.reason, findings.message = "left out", error.reason, str(error)
            _compare(findings, readers.read(path))
            yield ReadFile(findings, pictures)


def draw_others(
    backend: Backend, recipe: Recipe, readers: OtherReaders, path: Path
) -> dict[str, NDArray[np.uint8]]:
    """Draw a file as the other readers read it, with our renderer."""
    pictures: dict[str, NDArray[np.uint8]] = {}
    for name, reading in readers.read(path).items():
        if isinstance(reading, str):
            continue
        try:
            pictures[name] = _draw(backend, recipe, _scale(reading.mesh))
        except TurntableError:
            continue
    return pictures


def _draw(backend: Backend, recipe: Recipe, mesh: Mesh) -> NDArray[np.uint8]:
    return render_views(backend, recipe, "corpus", mesh, [0]).rgb[0]


def _scale(mesh: Mesh) -> Mesh:
    from turntable.renderer.meshes.sources.mesh_transforms import scale_to_unit

    return scale_to_unit(mesh, Path("corpus"))


def _compare(findings: FileFindings, readings: dict[str, OtherReading | str]) -> None:
    for name, reading in readings.items():
        if isinstance(reading, str):
            findings.others[name] = reading
            continue
        try:
            theirs = measure_mesh(reading.mesh, has_colors=reading.has_colors)
        except (ValueError, IndexError, FloatingPointError) as error:
            findings.others[name] = f"not measurable: {error}"
            continue
        findings.others[name] = theirs
        if findings.ours is not None:
            findings.differences[name] = list_differences(findings.ours, theirs)
