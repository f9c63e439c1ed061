"""Dynamics: laws by which particles and the parts of assemblies move, in plain numpy and float64.

Motion by forces is the same to the bit on every machine, and whatever worlds are simulated together.
"""

from turntable.renderer.dynamics.conservation import measure_conservation
from turntable.renderer.dynamics.part_motions import compute_free_motions, compute_free_twists
from turntable.renderer.dynamics.particle_motions import (
    MotionsAhead,
    ParticleMotion,
    compute_particle_motion,
    forget_motions,
)
from turntable.renderer.dynamics.systems import Systems, draw_systems
from turntable.renderer.dynamics.tracks import (
    ParticleTracks,
    compute_futures,
    integrate,
    iter_tracks,
    simulate,
)
from turntable.renderer.dynamics.twists import compute_twist_motions

__all__ = [
    "MotionsAhead",
    "ParticleMotion",
    "ParticleTracks",
    "Systems",
    "compute_free_motions",
    "compute_free_twists",
    "compute_futures",
    "compute_particle_motion",
    "compute_twist_motions",
    "draw_systems",
    "forget_motions",
    "integrate",
    "iter_tracks",
    "measure_conservation",
    "simulate",
]
