"""Rendering exactly the views a table lists: for comparison with other renderers and for exact copies."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from turntable.datasets.files import atomic_file
from turntable.errors import InvalidInputError
from turntable.renderer.backends import Backend, Quality
from turntable.renderer.meshes.sources import MeshSource, load_mesh
from turntable.renderer.scene import OPTIONAL, REQUIRED, scenes_from_labels


@dataclass(frozen=True, slots=True)
class LatentRow:
    """One line of a table of latents: a view of an object with its factors' values."""

    object: str
    view: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Latents:
    """A table of views."""

    names: tuple[str, ...]
    """The factor of each value."""
    rows: tuple[LatentRow, ...]

    def by_object(self) -> Iterator[tuple[str, tuple[LatentRow, ...]]]:
        """The rows of each object, objects in the order of their ids."""
        ordered = sorted(self.rows, key=lambda row: (row.object, row.view))
        for name, group in groupby(ordered, key=lambda row: row.object):
            yield name, tuple(group)


def read_latents(path: Path) -> Latents:
    """Read a CSV table with the columns ``object``, ``view`` and the factors by name.

    Raises:
        InvalidInputError: The file is missing, lacks a column, or holds a value that is no number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    missing = [name for name in ("object", "view", *REQUIRED) if name not in header]
    if missing:
        raise InvalidInputError(
            f"{path}: missing columns: {', '.join(missing)}; the first line must name every factor"
        )
    unknown = [name for name in header if name not in ("object", "view", *REQUIRED, *OPTIONAL)]
    if unknown:
        raise InvalidInputError(f"{path}: unknown columns: {', '.join(unknown)}; remove or rename them")
    names = tuple(name for name in header if name in REQUIRED + OPTIONAL)
    rows = tuple(_row(path, number, header, line, names) for number, line in enumerate(lines, 2) if line)
    if not rows:
        raise InvalidInputError(f"{path}: no views below the header")
    return Latents(names, rows)


def _row(
    path: Path, number: int, header: Sequence[str], line: Sequence[str], names: Sequence[str]
) -> LatentRow:
    if len(line) != len(header):
        raise InvalidInputError(f"{path}, line {number}: {len(line)} values for {len(header)} columns")
    cells = dict(zip(header, line, strict=True))
    try:
        values = tuple(float(cells[name]) for name in names)
        view = int(cells["view"])
    except ValueError as error:
        raise InvalidInputError(
            f"{path}, line {number}: {error}; views are whole numbers, factors numbers"
        ) from None
    if not np.isfinite(values).all():
        raise InvalidInputError(f"{path}, line {number}: a factor is NaN or infinite")
    return LatentRow(cells["object"], view, values)


def replay(
    backend: Backend,
    latents: Latents,
    source: MeshSource,
    out: Path,
    image_size_px: int,
    quality: Quality,
    *,
    masks: bool = False,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> int:
    """Write ``out/{object}/image_{view}.png`` for each row, with masks also ``mask_{view}.png``.

    ``progress`` is told how many views are done, and of how many; ``warn`` what of a mesh is missing.

    Returns:
        How many views were written.

    Raises:
        InvalidInputError: The table names objects the source does not have; nothing is rendered then.
        MeshError: An object's mesh cannot be used.
    """
    known = {item.id for item in source.objects()}
    unknown = sorted({row.object for row in latents.rows} - known)
    if unknown:
        raise InvalidInputError(
            f"{len(unknown)} objects of the table are not among the meshes: {', '.join(unknown[:5])}"
            f"{', …' if len(unknown) > 5 else ''}; check --meshes, or remove their rows"
        )
    done = 0
    for object_id, rows in latents.by_object():
        scenes = scenes_from_labels(latents.names, np.array([row.values for row in rows]))
        mesh = load_mesh(source, object_id)
        if warn is not None:
            for text in mesh.warnings:
                warn(text)
        pixels = backend.render(mesh, scenes, image_size_px, quality, ("mask",) if masks else ())
        for index, row in enumerate(rows):
            _write_png(out / object_id / f"image_{row.view}.png", pixels.rgb[index])
            if pixels.mask is not None:
                _write_png(out / object_id / f"mask_{row.view}.png", pixels.mask[index])
        done += len(rows)
        if progress is not None:
            progress(done, len(latents.rows))
    return done


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    with atomic_file(path) as file:
        Image.fromarray(pixels).save(file, format="PNG")
