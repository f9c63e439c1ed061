"""Tracks as fields: places and velocities of agents over a sample's views, and what the agents are.

Objects have different numbers of agents. Their fields are padded to the largest number of the data set, and
``agent_mask`` and ``agent_count`` say how many are real.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import draw_words, make_philox_key, units_to_normals, words_to_units
from turntable.loaders.fields.batch_field import (
    SAMPLE_VIEWS,
    DataDescription,
    FieldScope,
    SampledViews,
)
from turntable.loaders.fields.field_table import TableProvider

NOISY_TRACKS = "noisy_tracks"
"""Name of the field of tracks with noise."""
_AGENTS = "agents"
"""Name of the axis of agents, and of its size in a shape."""
_WORDS_PER_AGENT = 4
"""Number of random words of each agent in each view, of which three give its noise."""
_RECIPES = "'nbody' or 'keypoints'"
_NO_PARTICLES = "the agents of this data set are no particles; render one with 'nbody'"
_NO_NOISE = "give positions_noise, the standard deviation in the unit of tracks, such as 0.01"


@dataclass(frozen=True, slots=True)
class _TrackField:
    """A field of the agents of objects."""

    name: str
    array: str
    """Name of the stored array that it is made from."""
    per: FieldScope
    dtype: str
    axes: tuple[int | str, ...]
    """Sizes of the axes; ``_AGENTS`` stands for the largest number of agents."""
    compute: Callable[[DataDescription, SampledViews], NDArray[Any]]

    def get_sizes(self, data: DataDescription) -> dict[str, int]:
        """Return the largest number of agents."""
        return {_AGENTS: _count_most(data)}

    def find_fault(self, data: DataDescription) -> str | None:
        """Return a message that says why the data lack the field, and what to do; None if they have it."""
        if "tracks" not in data.arrays:
            return _explain_no_tracks(data)
        if self.array not in data.arrays:
            return _NO_PARTICLES
        return _NO_NOISE if self.name == NOISY_TRACKS and not data.positions_noise else None


def _explain_no_tracks(data: DataDescription) -> str:
    if not data.num_views:
        return "views that are rendered during training have no tracks; render a data set with " + _RECIPES
    return f"this data set has no tracks; render one with {_RECIPES}, or add a table [tracks] to its recipe"


def _count_most(data: DataDescription) -> int:
    """Return the largest number of agents of an object."""
    return data.array_sizes.get(_AGENTS, 0)


def _collect_motion(name: str, data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    """Return numbers [B, N, k, 3] of the agents in the samples' views; 0 where padded."""
    stored = sampled.read_view_arrays(name)
    motion = np.zeros((len(stored), _count_most(data), sampled.num_views, 3), np.float32)
    for row, array in enumerate(stored):
        if array is not None:
            motion[row, : array.shape[1]] = array.swapaxes(0, 1)
    return motion


def _add_noise(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    """Return tracks [B, N, k, 3] with noise, which an object's view has in every epoch; 0 where padded."""
    stored = sampled.read_view_arrays("tracks")
    noisy = np.zeros((len(stored), _count_most(data), sampled.num_views, 3), np.float32)
    for row, (array, object_id, views) in enumerate(zip(stored, *sampled.name_views(), strict=True)):
        if array is not None:
            num_agents = array.shape[1]
            key = make_philox_key(f"track noise {data.noise_seed}", object_id)
            words = draw_words(key, views, _WORDS_PER_AGENT * num_agents)
            units = words_to_units(words).reshape(len(views), num_agents, _WORDS_PER_AGENT)
            noise = units_to_normals(units)[..., :3]
            noisy[row, :num_agents] = (array + data.positions_noise * noise).swapaxes(0, 1)
    return noisy


def _pad_agents(
    name: str, dtype: str, padding: int, data: DataDescription, sampled: SampledViews
) -> NDArray[Any]:
    """Return numbers of the agents [B, N], or of their pairs [B, N, N], with a number where padded."""
    stored = sampled.read_arrays(name)
    axes = max((array.ndim for array in stored if array is not None), default=1)
    padded = np.full((len(stored), *[_count_most(data)] * axes), padding, dtype)
    for row, array in enumerate(stored):
        if array is not None:
            padded[(row, *map(slice, array.shape))] = array
    return padded


def _mask_agents(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    """Return True [B, N] for real agents."""
    return _pad_agents("track_part", "int64", -1, data, sampled) >= 0


def _count_agents(data: DataDescription, sampled: SampledViews) -> NDArray[Any]:
    """Return the number [B] of real agents."""
    return _mask_agents(data, sampled).sum(axis=1)


_MOTION = (_AGENTS, SAMPLE_VIEWS, 3)
_FIELDS: tuple[_TrackField, ...] = (
    _TrackField("tracks", "tracks", "sample", "float32", _MOTION, partial(_collect_motion, "tracks")),
    _TrackField(
        "velocities", "velocities", "sample", "float32", _MOTION, partial(_collect_motion, "velocities")
    ),
    _TrackField(NOISY_TRACKS, "tracks", "sample", "float32", _MOTION, _add_noise),
    _TrackField("agent_mask", "track_part", "object", "bool", (_AGENTS,), _mask_agents),
    _TrackField("agent_count", "track_part", "object", "int64", (), _count_agents),
    _TrackField(
        "track_part",
        "track_part",
        "object",
        "int64",
        (_AGENTS,),
        partial(_pad_agents, "track_part", "int64", -1),
    ),
    _TrackField("charge", "charge", "object", "int8", (_AGENTS,), partial(_pad_agents, "charge", "int8", 0)),
    _TrackField(
        "interaction",
        "interaction",
        "object",
        "int8",
        (_AGENTS, _AGENTS),
        partial(_pad_agents, "interaction", "int8", 0),
    ),
)
TRACKS = TableProvider(_FIELDS)
"""The provider of tracks, velocities, and the masks, charges, interactions and parts of agents."""
