"""The data behind the figures of a report, of one run on one data set, and their file details.npz."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import open_atomic_file
from turntable.datasets.stores import convert_os_errors
from turntable.errors import IntegrityError, InvalidInputError, format_text
from turntable.evaluation.evaluation_results import OTHER_FOLDER_REMEDY

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]

_RETRIEVAL_FIELDS = ("objects", "source_views", "true_views", "found_views")
"""Fields of ``RetrievalExamples``, which are names of arrays in the file."""
_PROJECTED_FIELDS = ("projected_objects", "projected_views", "projected_categories")
"""Fields of ``FigureData`` about projected views, which are names of arrays in the file."""


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalExamples:
    """Queries to a predictor and the views it retrieves, by index of object and view in the val split."""

    objects: IntArray
    """Indices of the objects, [Q]."""
    source_views: IntArray
    """Views that the method predicts from, [Q]."""
    true_views: IntArray
    """Views that it has to find, [Q]."""
    found_views: IntArray
    """Views of the same object that it finds, the nearest first, [Q, 5]."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskFigureData:
    """The part of the figure data that a task adds for one row."""

    turn_deg: FloatArray | None = None
    """True angle between the views of each validation pair, in degrees, [P]."""
    errors_deg: FloatArray | None = None
    """Rotation error of each validation pair, in degrees, [P]."""
    retrieval: RetrievalExamples | None = None
    """Examples of retrieval."""


@dataclass(frozen=True, slots=True, eq=False)
class FigureData:
    """The data of all figures: errors of pairs, projections of views, and examples of retrieval."""

    turn_deg: FloatArray
    """True angle between the views of each validation pair, in degrees, [P]."""
    errors_deg: Mapping[str, FloatArray]
    """Errors of the MLP rotation head by row, in degrees, [P]."""
    projections: Mapping[str, FloatArray]
    """First two principal components of M views of the val split by row, [M, 2]."""
    projected_objects: IntArray
    """Indices of the objects of those views, [M]."""
    projected_views: IntArray
    """Numbers of those views among the views of their object, [M]."""
    projected_categories: IntArray
    """Categories of those views, [M]."""
    retrieval: RetrievalExamples | None = field(default=None)
    """Examples of retrieval; None if the method does not predict."""


def merge_figure_data(details: Mapping[str, FigureData]) -> FigureData:
    """Merge the figure data of several runs on one data set; the run's name is put before a row's.

    Args:
        details: Figure data by run, in the order to show.

    Returns:
        All errors and points, and the retrieval examples of the first run that predicts.

    Raises:
        InvalidInputError: The runs were not evaluated on the same pairs and views.
    """
    first, *others = details.values()
    for name in ("turn_deg", *_PROJECTED_FIELDS):
        if not all(np.array_equal(getattr(first, name), getattr(other, name)) for other in others):
            raise InvalidInputError(
                f"{', '.join(details)} were not evaluated on the same pairs and views ({name} differs);"
                " evaluate them on the same data set with the same protocol"
            )
    return replace(
        first,
        errors_deg=_prefix_with_run({run: one.errors_deg for run, one in details.items()}),
        projections=_prefix_with_run({run: one.projections for run, one in details.items()}),
        retrieval=next((one.retrieval for one in details.values() if one.retrieval is not None), None),
    )


def _prefix_with_run(rows: Mapping[str, Mapping[str, FloatArray]]) -> dict[str, FloatArray]:
    return {f"{run} {part}": values for run, parts in rows.items() for part, values in parts.items()}


def write_figure_data(path: Path, details: FigureData) -> None:
    """Write figure data atomically, as arrays that need no pickle.

    Raises:
        StoreError: The folder cannot be written, or its disk is full.
    """
    arrays = {"turn_deg": details.turn_deg, **{name: getattr(details, name) for name in _PROJECTED_FIELDS}}
    arrays |= {f"errors/{name}": values for name, values in details.errors_deg.items()}
    arrays |= {f"projections/{name}": values for name, values in details.projections.items()}
    if details.retrieval is not None:
        arrays |= {f"retrieval/{name}": getattr(details.retrieval, name) for name in _RETRIEVAL_FIELDS}
    with convert_os_errors(path, OTHER_FOLDER_REMEDY), open_atomic_file(path) as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  (its keywords share one type with a flag)


def read_figure_data(path: Path) -> FigureData:
    """Read the file that ``write_figure_data`` wrote.

    Raises:
        IntegrityError: The file is not figure data of an evaluation.
    """
    try:
        _check_uncompressed(path)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        retrieved = {
            name: arrays[f"retrieval/{name}"] for name in _RETRIEVAL_FIELDS if "retrieval/objects" in arrays
        }
        return FigureData(
            arrays["turn_deg"],
            _select_by_prefix(arrays, "errors/"),
            _select_by_prefix(arrays, "projections/"),
            *(arrays[name] for name in _PROJECTED_FIELDS),
            retrieval=RetrievalExamples(**retrieved) if retrieved else None,
        )
    except (*_READ_ERRORS, zipfile.BadZipFile) as error:
        raise IntegrityError(
            f"{path} does not hold the details of an evaluation ({format_text(str(error))}); run turntable"
            " evaluate again"
        ) from error


_READ_ERRORS = (ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, ValueError)
"""Exceptions that reading a damaged or hostile file with numpy can raise."""


def _check_uncompressed(path: Path) -> None:
    """Check that arrays are stored uncompressed: a small compressed file can expand to any size."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    packed = any(info.compress_type != zipfile.ZIP_STORED for info in infos)
    if packed or sum(info.file_size for info in infos) > path.stat().st_size:
        raise ValueError("its arrays are compressed")


def _select_by_prefix(arrays: Mapping[str, FloatArray], prefix: str) -> dict[str, FloatArray]:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
