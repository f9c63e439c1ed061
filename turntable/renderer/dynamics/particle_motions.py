"""The motion of an object's particles in its sequences, in the object's frame, for one or many objects.

Many objects are simulated together much faster than one after the other, with the same result to the bit.
``MotionsAhead`` does so for objects that are rendered next, and the results are remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe
from turntable.datasets.draws import WorldKeys, get_drawn_id
from turntable.datasets.labels import DynamicsRule
from turntable.renderer.dynamics.starts import draw_places, draw_velocities
from turntable.renderer.dynamics.systems import Systems, draw_systems
from turntable.renderer.dynamics.tracks import WORLDS_AT_ONCE, ParticleTracks, integrate, simulate_systems
from turntable.renderer.lru_cache import LRUCache

Array = NDArray[np.float64]
_Key = tuple[DynamicsRule, WorldKeys, tuple[int, ...], int]

_REMEMBERED_BYTES = 256 << 20
"""Size of the motions that are remembered: those simulated ahead, and those of objects whose views are
rendered in several pieces."""
_BYTES_AT_ONCE = 32 << 20
"""Largest size of the motions that are simulated together."""
_remembered = LRUCache[_Key, "ParticleMotion"](_REMEMBERED_BYTES)


@dataclass(frozen=True, slots=True, eq=False)
class ParticleMotion:
    """The motion of the N particles of an object in S sequences of T frames, in the object's frame.

    In each sequence the places are ``scale`` times those of the simulation, less the center of the box that
    holds the whole motion.
    """

    places: Array
    """[S, T, N, 3] places in diagonals."""
    velocities: Array
    """[S, T, N, 3] velocities in diagonals a frame."""
    centers: Array
    """[S, 3] place in the simulation, in its own units, that stands at the object's origin."""
    charges: Array
    """[N] charges, -1 or 1; zeros if the law is not "charged"."""
    interaction: NDArray[np.int8]
    """[N, N] kind of each pair's interaction, as in ``Systems``."""


def compute_particle_motion(
    rule: DynamicsRule, keys: WorldKeys, sequences: tuple[int, ...], length: int
) -> ParticleMotion:
    """Compute the motion of an object's particles, or return the one that is remembered.

    Args:
        rule: Rule of the motion.
        keys: Keys of the object's random streams.
        sequences: Numbers of the sequences.
        length: Number of frames of a sequence.

    Raises:
        InvalidInputError: The steps are so long that the motion leaves the range of numbers.
    """
    key = (rule, keys, sequences, length)
    if (known := _remembered.get(key)) is not None:
        return known
    (motion,) = _simulate_objects(rule, [keys], sequences, length)
    _remember(key, motion)
    return motion


class MotionsAhead:
    """The motions of objects in the order in which they are rendered, simulated many at a time.

    Args:
        recipe: Recipe of the objects. Without particles there is nothing to simulate.
        object_ids: Ids of the objects, in order.
    """

    def __init__(self, recipe: Recipe, object_ids: Sequence[str]) -> None:
        self._recipe = recipe
        has_particles = recipe.source == "particles"
        self._waiting = list(
            dict.fromkeys(get_drawn_id(recipe, name) for name in object_ids if has_particles)
        )

    def reach(self, object_id: str) -> None:
        """Simulate an object that is rendered now, and some of those after it, unless they are known.

        Raises:
            InvalidInputError: The steps are so long that the motion leaves the range of numbers.
        """
        name = get_drawn_id(self._recipe, object_id)
        if name in self._waiting:
            first = self._waiting.index(name)
            last = first + _count_at_once(self._recipe)
            _simulate_ahead(self._recipe, self._waiting[first:last])
            del self._waiting[:last]


def forget_motions() -> None:
    """Forget the motions that are remembered."""
    _remembered.clear()


def _simulate_ahead(recipe: Recipe, object_ids: Sequence[str]) -> None:
    """Simulate all sequences of some objects, which are no twins, together, and remember their motions."""
    rule, sequence = recipe.dynamics, recipe.sequence
    assert rule is not None
    assert sequence is not None
    keys = [WorldKeys.from_recipe(recipe, name) for name in object_ids]
    sequences = tuple(range(recipe.views // sequence.length))
    motions = _simulate_objects(rule, keys, sequences, sequence.length)
    for own, motion in zip(keys, motions, strict=True):
        _remember((rule, own, sequences, sequence.length), motion)


def _simulate_objects(
    rule: DynamicsRule, keys: Sequence[WorldKeys], sequences: tuple[int, ...], length: int
) -> list[ParticleMotion]:
    """Simulate the same sequences of several objects, which have the keys."""
    worlds, first = np.array(sequences, dtype=np.int64), np.zeros(1, dtype=np.int64)
    own = [draw_systems(rule, item.system, first) for item in keys]
    repeated = [_repeat_system(system, len(worlds)) for system in own]
    if rule.law == "branching":
        pairs = zip(repeated, keys, strict=True)
        tracks = [simulate_systems(rule, system, item, worlds, length) for system, item in pairs]
    else:
        places, velocities = (
            np.concatenate([draw(rule, item.motion, worlds) for item in keys])
            for draw in (draw_places, draw_velocities)
        )
        joined = Systems(
            np.concatenate([system.charges for system in repeated]),
            np.concatenate([system.interaction for system in repeated]),
        )
        tracks = integrate(rule, joined, places, velocities, length).split(len(keys))
    return [_center_motion(rule, item, system) for item, system in zip(tracks, own, strict=True)]


def _repeat_system(system: Systems, count: int) -> Systems:
    return Systems(np.repeat(system.charges, count, axis=0), np.repeat(system.interaction, count, axis=0))


def _center_motion(rule: DynamicsRule, tracks: ParticleTracks, system: Systems) -> ParticleMotion:
    """Return tracks of an object's sequences in the object's frame."""
    low, high = (bound(tracks.positions, axis=(1, 2)) for bound in (np.min, np.max))
    centers = (low + high) / 2
    motion = ParticleMotion(
        rule.scale * (tracks.positions - centers[:, None, None]),
        rule.scale * rule.frame_time * tracks.velocities,
        centers,
        system.charges[0],
        system.interaction[0],
    )
    for array in (motion.places, motion.velocities, motion.centers):
        array.setflags(write=False)  # remembered, and so shared
    return motion


def _remember(key: _Key, motion: ParticleMotion) -> None:
    _remembered.put(key, motion, motion.places.nbytes + motion.velocities.nbytes)


def _count_at_once(recipe: Recipe) -> int:
    """Return the number of objects whose worlds are simulated together: at least one."""
    assert recipe.dynamics is not None
    assert recipe.sequence is not None
    bytes_of_one = 2 * 8 * 3 * recipe.views * recipe.dynamics.bodies
    sequences = recipe.views // recipe.sequence.length
    return max(1, min(WORLDS_AT_ONCE // sequences, _BYTES_AT_ONCE // bytes_of_one))
