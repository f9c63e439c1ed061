"""The export form "npz": the tracks of every sequence of a split in one .npz file, as forecasters read them.

The arrays are [S, N, T, 3] and the like, over S sequences, N agents (padded to the most of an object) and T
frames. They are written object by object, so a split of any size fits into memory.
"""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import BRANCH_NAME, OBJECT_ARRAYS
from turntable.datasets.manifest import Manifest
from turntable.datasets.manifest_recipe import read_manifest_recipe
from turntable.datasets.split import Split

Rows = Callable[[int], NDArray[Any]]
"""A function that returns the values [s, ...] of the s sequences of an object, by its row."""


@dataclass(frozen=True, slots=True)
class _Column:
    """An array of the file, over all sequences."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    """Shape of the value of one sequence."""
    read: Rows


def explain_missing_tracks(manifest: Manifest) -> str:
    """Return why a data set has no tracks, and what to do; "" if it has them."""
    if "tracks" in manifest.arrays:
        return ""
    return "it has no tracks; render a set with 'nbody' or 'keypoints', or add [tracks] to its recipe"


def write_tracks(split: Split, folder: Path) -> int:
    """Write the tracks of a split into ``SPLIT.npz``, and return the number of its objects.

    The file has ``positions`` and ``velocities`` float32 [S, N, T, 3]; ``agent_mask`` bool and
    ``track_part`` uint8 [S, N]; of particles ``charge`` int8 [S, N], ``interaction`` int8 [S, N, N] and
    ``center`` float64 [S, 3]; ``branch`` int64 [S] where there are branches; ``object_id`` and ``category``
    (texts) and ``sequence`` int64 [S]. For particles, ``scale`` and ``frame_time`` (float64) convert to the
    units of their own world: in the object's frame, which is the world's where the object is not turned, its
    places are center + positions / scale, and its velocities are velocities / (scale frame_time).

    Raises:
        IntegrityError: A shard is damaged.
    """
    with zipfile.ZipFile(folder / f"{split.name}.npz", "w") as archive:
        for column in _list_columns(split):
            _write_column(archive, column, split.num_objects, _count_sequences(split))
        for name, value in _list_units(split.manifest).items():
            with archive.open(_make_entry(name), "w") as file:
                np.lib.format.write_array(file, np.array(value), allow_pickle=False)
    return split.num_objects


def _list_columns(split: Split) -> list[_Column]:
    """Return the arrays of the file that have a value for every sequence, in order."""
    agents, frames = split.manifest.array_sizes["agents"], split.num_views // _count_sequences(split)
    motion, pair = (agents, frames, 3), (agents, agents)
    has = split.manifest.arrays
    columns = [
        _Column("positions", "<f4", motion, lambda row: _read_motion(split, "tracks", row)),
        _Column("velocities", "<f4", motion, lambda row: _read_motion(split, "velocities", row)),
        _Column("agent_mask", "|b1", (agents,), lambda row: _read_mask(split, row)),
        _Column("track_part", "|u1", (agents,), lambda row: _read_agents(split, "track_part", row)),
        _Column("charge", "|i1", (agents,), lambda row: _read_agents(split, "charge", row)),
        _Column("interaction", "|i1", pair, lambda row: _read_agents(split, "interaction", row)),
        _Column("center", "<f8", (3,), lambda row: _read(split, "track_center", row)),
    ]
    stored = {"positions": "tracks", "agent_mask": "track_part", "center": "track_center"}
    return [item for item in columns if stored.get(item.name, item.name) in has] + _list_names(split)


def _list_names(split: Split) -> list[_Column]:
    """Return the arrays that say which sequence each is."""
    count = _count_sequences(split)
    ids, names = np.array(split.object_ids), np.array(split.manifest.categories)
    of_object, schema = split.category_indices, split.manifest.schema
    columns = [
        _Column("object_id", ids.dtype.str, (), lambda row: np.repeat(ids[row], count)),
        _Column("category", names.dtype.str, (), lambda row: np.repeat(names[of_object[row]], count)),
        _Column("sequence", "<i8", (), lambda _: np.arange(count)),
    ]
    if BRANCH_NAME in schema:
        firsts = np.arange(count) * (split.num_views // count)
        columns.append(
            _Column(
                BRANCH_NAME, "<i8", (), lambda row: schema.get_values(split.labels[row, firsts], BRANCH_NAME)
            )
        )
    return columns


def _list_units(manifest: Manifest) -> dict[str, float]:
    """Return what converts tracks to the units of the particles' own world; nothing without particles."""
    rule = read_manifest_recipe(manifest).dynamics
    if rule is None or "track_center" not in manifest.arrays:
        return {}
    return {"scale": rule.scale, "frame_time": rule.frame_time}


def _write_column(archive: zipfile.ZipFile, column: _Column, num_objects: int, num_sequences: int) -> None:
    """Write an array [S, ...] object by object, padded with zeros where an object has fewer agents."""
    header = {
        "descr": column.dtype,
        "fortran_order": False,
        "shape": (num_objects * num_sequences, *column.shape),
    }
    with archive.open(_make_entry(column.name), "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for row in range(num_objects):
            values = column.read(row)
            padded = np.zeros((num_sequences, *column.shape), column.dtype)
            padded[tuple(map(slice, values.shape))] = values
            file.write(padded.tobytes())


def _make_entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))


def _count_sequences(split: Split) -> int:
    return split.num_views // int(split.manifest.recipe["sequence"]["length"])


def _read(split: Split, name: str, row: int) -> NDArray[Any]:
    """Read an array of an object; empty if it has none."""
    array = split.read_array(row, name)
    return np.zeros([0] * len(OBJECT_ARRAYS[name].axes)) if array is None else array


def _read_motion(split: Split, name: str, row: int) -> NDArray[Any]:
    """Read numbers [V, N, 3] of the agents in all views, as [s, N, T, 3] of sequences."""
    motion = _read(split, name, row)
    return motion.reshape(_count_sequences(split), -1, *motion.shape[1:]).swapaxes(1, 2)


def _read_agents(split: Split, name: str, row: int) -> NDArray[Any]:
    """Read numbers of the agents, or of their pairs, and repeat them for each sequence."""
    return np.repeat(_read(split, name, row)[None], _count_sequences(split), axis=0)


def _read_mask(split: Split, row: int) -> NDArray[np.bool_]:
    return np.ones_like(_read_agents(split, "track_part", row), dtype=np.bool_)
