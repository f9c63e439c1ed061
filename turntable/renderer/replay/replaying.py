"""Rendering of exactly the views that a table lists: to copy published views, or to compare renderers."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from turntable.datasets.files import open_atomic_file
from turntable.datasets.labels import PRINCIPAL_POINT_NAMES
from turntable.datasets.objects import WarningRecord
from turntable.errors import InvalidInputError
from turntable.renderer.backends import Backend, Pixels, Quality
from turntable.renderer.meshes import format_warning_examples, make_warning_records
from turntable.renderer.meshes.sources import MeshSource, load_mesh
from turntable.renderer.replay.latent_table import LatentRow, LatentTable
from turntable.renderer.scene import scenes_from_labels


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
        InvalidInputError: The table names objects that the source does not have, or shifts a principal point
            by more than half of the picture; nothing is rendered then.
        MeshError: An object's mesh cannot be used.
    """
    known = {item.id for item in source.list_objects()}
    unknown = sorted({row.object_id for row in latents.rows} - known)
    if unknown:
        raise InvalidInputError(
            f"{len(unknown)} objects of the table are not among the meshes: {', '.join(unknown[:5])}"
            f"{', …' if len(unknown) > 5 else ''}; check --meshes, or remove their rows"
        )
    _check_principal_points(latents, image_size_px)
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


def _check_principal_points(latents: LatentTable, image_size_px: int) -> None:
    for name in PRINCIPAL_POINT_NAMES:
        if name not in latents.names:
            continue
        column = latents.names.index(name)
        for row in latents.rows:
            if abs(row.values[column]) > image_size_px / 2:
                raise InvalidInputError(
                    f"object {row.object_id}, view {row.view}: {name} {row.values[column]:g} is more than "
                    f"half of the picture's {image_size_px} pixels; correct the table, or give a larger "
                    "--image-size"
                )


def _write_pictures(folder: Path, rows: Sequence[LatentRow], pixels: Pixels) -> None:
    """Write the pictures of one object, and its masks if they were rendered."""
    for index, row in enumerate(rows):
        _write_png(folder / f"image_{row.view}.png", pixels.rgb[index])
        if pixels.mask is not None:
            _write_png(folder / f"mask_{row.view}.png", pixels.mask[index])


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    with open_atomic_file(path) as file:
        Image.fromarray(pixels).save(file, format="PNG")
