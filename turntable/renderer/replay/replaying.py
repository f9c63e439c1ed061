"""Rendering of exactly the views that a table lists: to copy published views, or to compare renderers."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from turntable.datasets.files import open_atomic_file
from turntable.datasets.objects import WarningRecord
from turntable.errors import InvalidInputError
from turntable.renderer.backends import Backend, Pixels, Quality
from turntable.renderer.meshes import format_warning_examples, make_warning_records
from turntable.renderer.meshes.sources import MeshSource, load_mesh
from turntable.renderer.scene import OPTIONAL_FACTORS, REQUIRED_FACTORS, scenes_from_labels


@dataclass(frozen=True, slots=True)
class LatentRow:
    """One line of a table of latents: one view of an object, with the values of its factors."""

    object_id: str
    view: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LatentTable:
    """A table of views."""

    names: tuple[str, ...]
    """Factor of each value."""
    rows: tuple[LatentRow, ...]

    def iter_objects(self) -> Iterator[tuple[str, tuple[LatentRow, ...]]]:
        """Yield the id and the rows of each object, objects sorted by id and rows by view."""
        ordered = sorted(self.rows, key=lambda row: (row.object_id, row.view))
        for name, group in groupby(ordered, key=lambda row: row.object_id):
            yield name, tuple(group)


def read_latents(path: Path) -> LatentTable:
    """Read a CSV table with the columns ``object``, ``view``, and one per factor by its name.

    Raises:
        InvalidInputError: The file is missing, lacks a column, or holds a value that is no number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    missing = [name for name in ("object", "view", *REQUIRED_FACTORS) if name not in header]
    if missing:
        raise InvalidInputError(
            f"{path}: missing columns: {', '.join(missing)}; the first line must name every factor"
        )
    unknown = [
        name for name in header if name not in ("object", "view", *REQUIRED_FACTORS, *OPTIONAL_FACTORS)
    ]
    if unknown:
        raise InvalidInputError(f"{path}: unknown columns: {', '.join(unknown)}; remove or rename them")
    names = tuple(name for name in header if name in REQUIRED_FACTORS + OPTIONAL_FACTORS)
    rows = tuple(
        _parse_row(path, number, header, line, names) for number, line in enumerate(lines, 2) if line
    )
    if not rows:
        raise InvalidInputError(f"{path}: no views below the header")
    return LatentTable(names, rows)


def _parse_row(
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
    latents: LatentTable,
    source: MeshSource,
    out: Path,
    image_size_px: int,
    quality: Quality,
    *,
    masks: bool = False,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> int:
    """Write ``out/{object}/image_{view}.png`` for each row of a table, with masks also ``mask_{view}.png``.

    Args:
        backend: Backend that renders.
        latents: Table of views.
        source: Source of the meshes.
        out: Folder to write to.
        image_size_px: Width and height of the pictures.
        quality: Rendering quality.
        masks: True to write masks too.
        progress: Function called after each object with the number of finished views and of all views.
        warn: Function called at the end with a text for each kind of warning about the meshes: its counts,
            its meaning, and the first of its warnings.

    Returns:
        The number of views that were written.

    Raises:
        InvalidInputError: The table names objects that the source does not have; nothing is rendered then.
        MeshError: An object's mesh cannot be used.
    """
    known = {item.id for item in source.list_objects()}
    unknown = sorted({row.object_id for row in latents.rows} - known)
    if unknown:
        raise InvalidInputError(
            f"{len(unknown)} objects of the table are not among the meshes: {', '.join(unknown[:5])}"
            f"{', …' if len(unknown) > 5 else ''}; check --meshes, or remove their rows"
        )
    warnings: list[WarningRecord] = []
    num_done = 0
    try:
        for object_id, rows in latents.iter_objects():
            mesh = load_mesh(source, object_id)
            warnings += make_warning_records(object_id, mesh.warnings)
            scenes = scenes_from_labels(latents.names, np.array([row.values for row in rows]))
            pixels = backend.render(mesh, scenes, image_size_px, quality, ("mask",) if masks else ())
            _write_pictures(out / object_id, rows, pixels)
            num_done += len(rows)
            if progress is not None:
                progress(num_done, len(latents.rows))
    finally:
        if warn is not None:
            for text in format_warning_examples(warnings):
                warn(text)
    return num_done


def _write_pictures(folder: Path, rows: Sequence[LatentRow], pixels: Pixels) -> None:
    """Write the pictures of one object, and its masks if they were rendered."""
    for index, row in enumerate(rows):
        _write_png(folder / f"image_{row.view}.png", pixels.rgb[index])
        if pixels.mask is not None:
            _write_png(folder / f"mask_{row.view}.png", pixels.mask[index])


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    with open_atomic_file(path) as file:
        Image.fromarray(pixels).save(file, format="PNG")
