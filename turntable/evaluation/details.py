"""Details: what the pictures of a report show, of one run on one data set."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import atomic_file
from turntable.errors import IntegrityError, InvalidInputError, shown

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]

_RETRIEVAL = ("objects", "source_views", "true_views", "found_views")
_PROJECTED = ("projected_objects", "projected_views", "projected_categories")


@dataclass(frozen=True, slots=True, eq=False)
class Retrieval:
    """Queries to a method that predicts: views of the val split, by row of the object and number."""

    objects: IntArray
    """[Q]."""
    source_views: IntArray
    """[Q], from which the method predicts."""
    true_views: IntArray
    """[Q], which it is to find."""
    found_views: IntArray
    """[Q, 5] of the same object, the nearest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A task's part of the details, of one row."""

    turn_deg: FloatArray | None = None
    """[P]: the true angle between the views of each validation pair."""
    errors_deg: FloatArray | None = None
    """[P]: by how much it is missed."""
    retrieval: Retrieval | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Details:
    """Errors of pairs, views as points, and examples of retrieval."""

    turn_deg: FloatArray
    """[P]: the true angle between the views of each validation pair."""
    errors_deg: Mapping[str, FloatArray]
    """By row [P]: the error of the MLP rotation head."""
    projections: Mapping[str, FloatArray]
    """By row [M, 2]: the first two principal components of M views of the val split."""
    projected_objects: IntArray
    projected_views: IntArray
    projected_categories: IntArray
    retrieval: Retrieval | None = field(default=None)


def together(details: Mapping[str, Details]) -> Details:
    """Several runs' details on one data set as one: rows get the run's name before the part's.

    Args:
        details: By run, in the order to show.

    Returns:
        All errors and points; the retrieval of the first run that predicts.

    Raises:
        InvalidInputError: They are not of the same pairs and views.
    """
    first, *others = details.values()
    for name in ("turn_deg", *_PROJECTED):
        if not all(np.array_equal(getattr(first, name), getattr(other, name)) for other in others):
            raise InvalidInputError(
                f"{', '.join(details)} are not evaluated on the same pairs and views ({name} differs);"
                " evaluate them on one data set with one protocol"
            )
    return replace(
        first,
        errors_deg=_by_run({run: one.errors_deg for run, one in details.items()}),
        projections=_by_run({run: one.projections for run, one in details.items()}),
        retrieval=next((one.retrieval for one in details.values() if one.retrieval is not None), None),
    )


def _by_run(rows: Mapping[str, Mapping[str, FloatArray]]) -> dict[str, FloatArray]:
    return {f"{run} {part}": values for run, parts in rows.items() for part, values in parts.items()}


def write_details(path: Path, details: Details) -> None:
    """Write details atomically, as arrays without a pickle."""
    arrays = {"turn_deg": details.turn_deg, **{name: getattr(details, name) for name in _PROJECTED}}
    arrays |= {f"errors/{name}": values for name, values in details.errors_deg.items()}
    arrays |= {f"projections/{name}": values for name, values in details.projections.items()}
    if details.retrieval is not None:
        arrays |= {f"retrieval/{name}": getattr(details.retrieval, name) for name in _RETRIEVAL}
    with atomic_file(path) as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  (its keywords share one type with a flag)


def read_details(path: Path) -> Details:
    """Read what ``write_details`` wrote.

    Raises:
        IntegrityError: The file is something else.
    """
    try:
        _check_stored(path)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        retrieved = {
            name: arrays[f"retrieval/{name}"] for name in _RETRIEVAL if "retrieval/objects" in arrays
        }
        return Details(
            arrays["turn_deg"],
            _within(arrays, "errors/"),
            _within(arrays, "projections/"),
            *(arrays[name] for name in _PROJECTED),
            retrieval=Retrieval(**retrieved) if retrieved else None,
        )
    except (*_READING_RAISES, zipfile.BadZipFile) as error:
        raise IntegrityError(
            f"{path} does not hold the details of an evaluation ({shown(str(error))}); run turntable evaluate"
            " again"
        ) from error


_READING_RAISES = (ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, ValueError)


def _check_stored(path: Path) -> None:
    """Make sure that arrays are stored as they are: packed ones can unpack to any size."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    packed = any(info.compress_type != zipfile.ZIP_STORED for info in infos)
    if packed or sum(info.file_size for info in infos) > path.stat().st_size:
        raise ValueError("its arrays are packed")


def _within(arrays: Mapping[str, FloatArray], prefix: str) -> dict[str, FloatArray]:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
