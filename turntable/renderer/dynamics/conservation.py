"""Conserved quantities of particles under forces: momentum and energy of every frame, and their drift."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import DynamicsRule
from turntable.renderer.dynamics.pair_forces import compute_couplings
from turntable.renderer.dynamics.systems import Systems
from turntable.renderer.dynamics.tracks import ParticleTracks

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ConservedQuantities:
    """The quantities of W worlds that no exact motion changes, at each of T frames."""

    momentum: Array
    """[W, T, 3] sum of the velocities."""
    energy: Array
    """[W, T] kinetic and potential energy."""

    @property
    def momentum_drift(self) -> Array:
        """[W] greatest distance of a frame's momentum from that of the start."""
        return np.linalg.norm(self.momentum - self.momentum[:, :1], axis=-1).max(axis=-1)

    @property
    def energy_drift(self) -> Array:
        """[W] greatest difference of a frame's energy from that of the start."""
        return np.abs(self.energy - self.energy[:, :1]).max(axis=-1)


def measure_conservation(rule: DynamicsRule, tracks: ParticleTracks) -> ConservedQuantities:
    """Measure momentum and energy of particles under forces.

    The energy drifts by the order of the step squared (gravity) or of the step (charges and springs). Energy
    and momentum jump where the force is clipped, as of charges that come near one another.

    Args:
        rule: Rule by which the tracks were simulated; its law is one of forces.
        tracks: Tracks of W worlds.
    """
    kinetic = (tracks.velocities**2).sum(axis=(-1, -2)) / 2
    potential = _compute_potential(rule, Systems(tracks.charges, tracks.interaction), tracks.positions)
    return ConservedQuantities(tracks.velocities.sum(axis=-2), kinetic + potential)


def _compute_potential(rule: DynamicsRule, systems: Systems, positions: Array) -> Array:
    """Return the potential energy [W, T]: c / r of each pair, or -c r² / 2 for springs, with coupling c."""
    i, j = np.triu_indices(rule.bodies, 1)
    coupling = compute_couplings(rule, systems)[:, None, i, j]
    square = ((positions[:, :, i] - positions[:, :, j]) ** 2).sum(axis=-1)
    if rule.law == "springs":
        return (-coupling * square / 2).sum(axis=-1)
    return (coupling / np.sqrt(square + rule.softening**2)).sum(axis=-1)
