"""The export form "npz": the tracks of every sequence of a split in one .npz file, as forecasters read them.

The arrays are [S, N, T, 3] and the like, over S sequences, N agents (padded to the most of an object) and T
frames. They are written object by object, so a split of any size fits into memory.
"""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import BRANCH_NAME, OBJECT_ARRAYS
from turntable.datasets.manifest import Manifest
from turntable.datasets.manifest_recipe import read_manifest_recipe
from turntable.datasets.split import Split


@dataclass(frozen=True, slots=True)
class _Column:
    """An array of the file, over all sequences."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    """Shape of the value of one sequence."""
    read: Callable[[int], NDArray[Any]]
    """Function of an object's row that returns the values [s, ...] of its s sequences."""


@dataclass(frozen=True, slots=True)
class _SequenceReader:
    """A reader of the sequences of a split's objects."""

    split: Split
    length: int
    """Number of views of a sequence."""

    @property
    def num_sequences(self) -> int:
        """Number of sequences of an object."""
        return self.split.num_views // self.length

    def read(self, name: str, row: int) -> NDArray[Any]:
        """Read an array of an object; empty if it has none."""
        array = self.split.read_array(row, name)
        return np.zeros([0] * len(OBJECT_ARRAYS[name].axes)) if array is None else array

    def read_motion(self, name: str, row: int) -> NDArray[Any]:
        """Read numbers [V, N, 3] of the agents in all views, as [s, N, T, 3] of sequences."""
        motion = self.read(name, row)
        return motion.reshape(self.num_sequences, -1, *motion.shape[1:]).swapaxes(1, 2)

    def read_agents(self, name: str, row: int) -> NDArray[Any]:
        """Read numbers of the agents, or of their pairs, and repeat them for each sequence."""
        return np.repeat(self.read(name, row)[None], self.num_sequences, axis=0)

    def read_mask(self, row: int) -> NDArray[np.bool_]:
        """Return true for each agent, in each sequence."""
        return np.ones_like(self.read_agents("track_part", row), dtype=np.bool_)

    def read_branches(self, row: int) -> NDArray[Any]:
        """Return the branch of each sequence."""
        firsts = np.arange(self.num_sequences) * self.length
        return self.split.manifest.schema.get_values(self.split.labels[row, firsts], BRANCH_NAME)


def explain_missing_tracks(manifest: Manifest) -> str:
    """Return why a data set has no tracks, and what to do; "" if it has them."""
    length = _find_length(manifest)
    if "tracks" in manifest.arrays and length and not manifest.views % length:
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
        reader = _SequenceReader(split, _find_length(split.manifest))
        for column in (*_list_columns(reader), *_list_names(reader)):
            _write_column(archive, column, split.num_objects, reader.num_sequences)
        for name, value in _list_units(split.manifest).items():
            with archive.open(_make_entry(name), "w") as file:
                np.lib.format.write_array(file, np.array(value), allow_pickle=False)
    return split.num_objects


def _list_columns(reader: _SequenceReader) -> list[_Column]:
    """Return the arrays of the agents that the data set has, in order."""
    manifest = reader.split.manifest
    agents = manifest.array_sizes.get("agents", 0)
    motion, pair = (agents, reader.length, 3), (agents, agents)
    columns = {
        "tracks": _Column("positions", "<f4", motion, partial(reader.read_motion, "tracks")),
        "velocities": _Column("velocities", "<f4", motion, partial(reader.read_motion, "velocities")),
        "track_part": _Column("track_part", "|u1", (agents,), partial(reader.read_agents, "track_part")),
        "charge": _Column("charge", "|i1", (agents,), partial(reader.read_agents, "charge")),
        "interaction": _Column("interaction", "|i1", pair, partial(reader.read_agents, "interaction")),
        "track_center": _Column("center", "<f8", (3,), partial(reader.read, "track_center")),
    }
    mask = _Column("agent_mask", "|b1", (agents,), reader.read_mask)
    return [*(column for name, column in columns.items() if name in manifest.arrays), mask]


def _list_names(reader: _SequenceReader) -> list[_Column]:
    """Return the arrays that say which sequence each is, and which branch it takes."""
    split, count = reader.split, reader.num_sequences
    ids, names = np.array(split.object_ids), np.array(split.manifest.categories)
    of_object = split.category_indices
    columns = [
        _Column("object_id", ids.dtype.str, (), lambda row: np.repeat(ids[row], count)),
        _Column("category", names.dtype.str, (), lambda row: np.repeat(names[of_object[row]], count)),
        _Column("sequence", "<i8", (), lambda _: np.arange(count)),
    ]
    if BRANCH_NAME in split.manifest.schema:
        columns.append(_Column(BRANCH_NAME, "<i8", (), reader.read_branches))
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


def _find_length(manifest: Manifest) -> int:
    """Return the number of views of a sequence; 0 if there are no sequences."""
    sequence = read_manifest_recipe(manifest).sequence
    return 0 if sequence is None else sequence.length
