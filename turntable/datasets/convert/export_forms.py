"""Exports of modalities in the forms that the field's tools read: one writer a form.

Files are written below a hidden name, which becomes the folder's when all of them are there.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.choices import check_choice
from turntable.datasets.convert.export_tracks import explain_missing_tracks, write_tracks
from turntable.datasets.convert.kitti_form import explain_missing_scans, write_kitti_folders
from turntable.datasets.convert.off_form import explain_missing_surfaces, write_off_files
from turntable.datasets.convert.ply_form import (
    explain_missing_points,
    explain_missing_posed_points,
    write_ply_files,
    write_posed_ply_files,
)
from turntable.datasets.convert.sdf_form import explain_missing_molecules, write_sdf
from turntable.datasets.dataset import open_dataset
from turntable.datasets.files import convert_disk_full_error, make_temporary_path
from turntable.datasets.manifest import Manifest
from turntable.datasets.split import Split
from turntable.errors import InvalidInputError
from turntable.home import expand_home


@dataclass(frozen=True, slots=True)
class ExportForm:
    """A form in which a modality can be exported."""

    meaning: str
    """Text about the form for the documentation: "PLY files of point clouds"."""
    explain_missing: Callable[[Manifest], str]
    """Function that returns what a data set lacks for this form, and what to do; "" if it lacks nothing."""
    write_split: Callable[[Split, Path], int]
    """Function that writes one split into the folder of the export, and returns its number of objects."""


EXPORT_FORMS: dict[str, ExportForm] = {
    "kitti": ExportForm(
        "scans in SemanticKITTI's folders, with boxes, poses and flow",
        explain_missing_scans,
        write_kitti_folders,
    ),
    "ply": ExportForm(
        "point clouds of objects as PLY files, with normals and parts",
        explain_missing_points,
        write_ply_files,
    ),
    "ply-views": ExportForm(
        "point clouds of views as PLY files, each in the pose of its view",
        explain_missing_posed_points,
        write_posed_ply_files,
    ),
    "npz": ExportForm(
        "tracks [sequences, agents, frames, 3], one .npz file for each split",
        explain_missing_tracks,
        write_tracks,
    ),
    "off": ExportForm(
        "surface graphs as OFF files in ModelNet's layout", explain_missing_surfaces, write_off_files
    ),
    "sdf": ExportForm("molecules, an SDF file a split", explain_missing_molecules, write_sdf),
}
"""The forms by name."""


def export_form(
    path_or_url: str | Path,
    out: str | Path,
    form: str,
    *,
    progress: Callable[[int, int], None] | None = None,
    links_under: Sequence[str | Path] = (),
) -> int:
    """Write a modality of a data set in one of the forms of ``EXPORT_FORMS``.

    Args:
        path_or_url: The data set, in any place that ``open_dataset`` reads.
        out: New folder for the files.
        form: Name of the form.
        progress: Function called after each split with the numbers of objects done and of all objects.
        links_under: Folders into which symbolic links of the data set may lead, besides its own folder and
            the hub's cache.

    Returns:
        The number of objects.

    Raises:
        InvalidInputError: There is no such form, the data set lacks what it needs, or ``out`` exists.
        IntegrityError: A shard is damaged.
        TurntableError: The disk is full.
    """
    check_choice("form", form, tuple(EXPORT_FORMS))
    dataset, target = open_dataset(path_or_url, links_under=links_under), expand_home(out)
    if fault := EXPORT_FORMS[form].explain_missing(dataset.manifest):
        raise InvalidInputError(f"{dataset.path_or_url}: {fault}")
    if target.exists():
        raise InvalidInputError(f"{target} exists; choose another --out")
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = make_temporary_path(target)
    try:
        with convert_disk_full_error(target):
            folder.mkdir()
            num_objects = 0
            for name in dataset.splits:
                with dataset.open_split(name) as split:
                    num_objects += EXPORT_FORMS[form].write_split(split, folder)
                if progress is not None:
                    progress(num_objects, dataset.manifest.totals.objects)
            folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return num_objects
