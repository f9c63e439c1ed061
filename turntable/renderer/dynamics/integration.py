"""Integration of the motion of particles, in steps of equal length."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import DynamicsRule
from turntable.renderer.dynamics.pair_forces import PairForces
from turntable.renderer.dynamics.systems import Systems

Array = NDArray[np.float64]


class Motion:
    """The motion of W worlds of N particles: places and velocities that go on in steps.

    Args:
        rule: Rule with the law and the length of a step.
        systems: Charges and springs of the worlds.
        places: Places [W, N, 3] at the start.
        velocities: Velocities [W, N, 3] at the start.
    """

    def __init__(self, rule: DynamicsRule, systems: Systems, places: Array, velocities: Array) -> None:
        self._n, self._dt = rule.bodies, rule.dt
        self._forces = PairForces(rule, systems)
        self._places = np.tile(places.transpose(2, 1, 0), (1, 2, 1))
        self._velocities = np.ascontiguousarray(velocities.transpose(2, 1, 0))
        self._buffer, self._change = np.empty_like(self._places), np.empty_like(self._velocities)
        self._force = self._forces.compute(self._places, self._buffer)
        self._step = self._step_by_leapfrog if rule.law == "gravity" else self._step_by_euler

    def iter_frames(self, num_frames: int, stride: int) -> Iterator[tuple[Array, Array]]:
        """Iterate over the places and velocities [3, N, W] of frames, which the next frame overwrites.

        Args:
            num_frames: Number of frames, the first of which is the start.
            stride: Number of steps from a frame to the next.
        """
        for frame in range(num_frames):
            for _ in range(stride if frame else 0):
                self._step()
            yield self._places[:, : self._n], self._velocities

    def _step_by_euler(self) -> None:
        """Go a step of the semi-implicit Euler method: the velocity first, then the place by it."""
        self._change_velocities(self._dt)
        self._move()

    def _step_by_leapfrog(self) -> None:
        """Go a step of the leapfrog method, with half of the force before the drift and half after it."""
        self._change_velocities(self._dt / 2)
        self._move()
        self._change_velocities(self._dt / 2)

    def _change_velocities(self, dt: float) -> None:
        self._velocities += np.multiply(self._force, dt, out=self._change)

    def _move(self) -> None:
        first, second = self._places[:, : self._n], self._places[:, self._n :]
        first += np.multiply(self._velocities, self._dt, out=self._change)
        second[:] = first
        self._force = self._forces.compute(self._places, self._buffer)
