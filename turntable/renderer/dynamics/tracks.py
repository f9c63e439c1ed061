"""Tracks of particles over the frames of a sequence, simulated for many worlds with bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import WorldKeys, WorldNumbers, draw_branches
from turntable.datasets.labels import DynamicsRule
from turntable.errors import InvalidInputError
from turntable.renderer.dynamics.integration import Motion
from turntable.renderer.dynamics.starts import draw_places, draw_twists, draw_velocities
from turntable.renderer.dynamics.systems import Systems, draw_systems
from turntable.renderer.dynamics.twists import compute_turned_places

Array = NDArray[np.float64]

WORLDS_AT_ONCE = 1024
"""Number of worlds that are simulated together: enough that numpy computes for longer than it is called, and
few enough for the caches of a core."""


@dataclass(frozen=True, slots=True, eq=False)
class ParticleTracks:
    """The motion of N particles over T frames in W worlds, in the worlds' own units."""

    positions: Array
    """[W, T, N, 3] places."""
    velocities: Array
    """[W, T, N, 3] velocities, over the unit of time; of "branching": over a frame."""
    charges: Array
    """[W, N] charges, -1 or 1; zeros if the law is not "charged"."""
    interaction: NDArray[np.int8]
    """[W, N, N] kind of each pair's interaction, as in ``Systems``."""
    branch: NDArray[np.int64]
    """[W] number of the future that the world takes; 0 if the law is not "branching"."""

    def split(self, count: int) -> "list[ParticleTracks]":
        """Return the tracks of groups of worlds, each of W / count worlds that follow one another."""
        columns = [np.split(getattr(self, name), count) for name in _FIELD_NAMES]
        return [ParticleTracks(*arrays) for arrays in zip(*columns, strict=True)]


def simulate(rule: DynamicsRule, keys: WorldKeys, worlds: WorldNumbers, num_frames: int) -> ParticleTracks:
    """Simulate worlds of particles. A world depends on its keys and number alone.

    Args:
        rule: Rule with the law: "charged", "springs", "gravity" or "branching".
        keys: Keys of the random streams, such as ``WorldKeys.from_names("seed 0")``.
        worlds: Numbers [W] of the worlds.
        num_frames: Number of frames, the first of which is the start.

    Raises:
        InvalidInputError: The steps are so long that the motion leaves the range of numbers.
    """
    parts = list(iter_tracks(rule, keys, worlds, num_frames))
    columns = {name: [getattr(part, name) for part in parts] for name in _FIELD_NAMES}
    return ParticleTracks(**{name: np.concatenate(arrays) for name, arrays in columns.items()})


def iter_tracks(
    rule: DynamicsRule, keys: WorldKeys, worlds: WorldNumbers, num_frames: int, at_once: int = WORLDS_AT_ONCE
) -> Iterator[ParticleTracks]:
    """Simulate worlds as ``simulate`` does, some at a time, so that any number of worlds fits into memory.

    Args:
        rule: Rule with the law.
        keys: Keys of the random streams.
        worlds: Numbers [W] of the worlds.
        num_frames: Number of frames.
        at_once: Number of worlds at a time. The tracks do not depend on it.

    Raises:
        InvalidInputError: The steps are so long that the motion leaves the range of numbers.
    """
    for first in range(0, max(len(worlds), 1), at_once):
        some = worlds[first : first + at_once]
        systems = draw_systems(rule, keys.system, some)
        yield simulate_systems(rule, systems, keys, some, num_frames)


def simulate_systems(
    rule: DynamicsRule, systems: Systems, keys: WorldKeys, worlds: WorldNumbers, num_frames: int
) -> ParticleTracks:
    """Simulate given systems from drawn starts; the arguments are those of ``simulate``, and the systems."""
    places = draw_places(rule, keys.motion, worlds)
    if rule.law == "branching":
        return _turn_worlds(rule, systems, keys, worlds, places, num_frames)
    return integrate(rule, systems, places, draw_velocities(rule, keys.motion, worlds), num_frames)


def integrate(
    rule: DynamicsRule, systems: Systems, places: Array, velocities: Array, num_frames: int
) -> ParticleTracks:
    """Integrate the motion of particles under forces from given starts.

    Args:
        rule: Rule with the law of forces, the step ``dt`` and the ``stride`` of frames.
        systems: Charges and springs of W worlds.
        places: Places [W, N, 3] at the start.
        velocities: Velocities [W, N, 3] at the start.
        num_frames: Number T of frames.

    Raises:
        InvalidInputError: The steps are so long that the motion leaves the range of numbers.
    """
    tracks = np.empty((2, len(places), num_frames, rule.bodies, 3))
    with np.errstate(all="ignore"):
        motion = Motion(rule, systems, places, velocities)
        for frame, state in enumerate(motion.iter_frames(num_frames, rule.stride)):
            for track, values in zip(tracks, state, strict=True):
                track[:, frame] = values.transpose(2, 1, 0)
    if not np.isfinite(tracks).all():
        raise InvalidInputError(
            f"the motion by {rule.law} leaves the range of numbers with steps of dt = {rule.dt:g}; give a "
            "smaller dynamics.dt or dynamics.strength"
        )
    unbranched = np.zeros(len(places), dtype=np.int64)
    return ParticleTracks(tracks[0], tracks[1], systems.charges, systems.interaction, unbranched)


def compute_futures(
    rule: DynamicsRule, keys: WorldKeys, worlds: WorldNumbers, num_frames: int
) -> NDArray[np.float64]:
    """Compute the tracks of every possible future of "branching" worlds, all of which have the same odds.

    Args:
        rule: Rule whose law is "branching".
        keys: Keys of the random streams.
        worlds: Numbers [W] of the worlds.
        num_frames: Number of frames.

    Returns:
        [W, M, T, N, 3]: future m is that of a world whose branch is m. They agree before ``branch_at``.
    """
    places = draw_places(rule, keys.motion, worlds)
    branches = np.tile(np.arange(rule.branches), (len(worlds), 1))
    twists = np.repeat(draw_twists(rule, keys.motion, worlds, 1), rule.branches, axis=1)
    return compute_turned_places(rule, twists, branches, places[:, None], num_frames)[0]


def _turn_worlds(
    rule: DynamicsRule,
    systems: Systems,
    keys: WorldKeys,
    worlds: WorldNumbers,
    places: Array,
    num_frames: int,
) -> ParticleTracks:
    """Move the particles of each world as one rigid body, about the origin of the world."""
    branch = draw_branches(keys.branch, worlds, rule.branches)
    twists = draw_twists(rule, keys.motion, worlds, 1)[:, 0]
    positions, velocities = compute_turned_places(rule, twists, branch, places, num_frames)
    return ParticleTracks(positions, velocities, systems.charges, systems.interaction, branch)


_FIELD_NAMES = tuple(item.name for item in fields(ParticleTracks))
