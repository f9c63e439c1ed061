"""The dynamics of a recipe: the law by which the parts of an assembly move over a sequence of views.

Particles move by forces between their pairs ("charged", "springs", "gravity"), in a world of their own units
of length and time; all have mass 1. In "branching" and "twist" parts are moved by twists, with the frame as
the unit of time.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from turntable.datasets.labels.sequence_rule import Span

ForceLaw = Literal["charged", "springs", "gravity"]
"""A law of forces between pairs of particles. "charged": the Coulomb force of charges -1 and 1. "springs":
linear springs without length between some pairs. "gravity": attraction of all pairs, softened."""
LawName = ForceLaw | Literal["branching", "twist"]
"""The law of a motion, besides those of forces. "twist": every free part has a constant twist of its own.
"branching": the turn of that twist is then multiplied by one of several factors, drawn for each sequence."""
FORCE_LAWS: tuple[ForceLaw, ...] = get_args(ForceLaw)
PARTICLE_LAWS: tuple[LawName, ...] = (*FORCE_LAWS, "branching")
"""The laws that particles can follow."""
LAW_KEYS: dict[LawName, tuple[str, ...]] = {
    **dict.fromkeys(FORCE_LAWS, ("bodies", "dt", "stride", "strength", "softening", "clip", "scale")),
    "branching": ("bodies", "scale", "speed_rad", "travel", "branches", "branch_at"),
    "twist": ("speed_rad", "travel"),
}
"""The keys of [dynamics] that each law uses."""

_FORCES: dict[str, Any] = {
    "bodies": 5,
    "dt": 1e-3,
    "stride": 100,
    "strength": 1.0,
    "softening": 0.0,
    "clip": 100.0,
    "scale": 0.25,
}
_DEFAULTS: dict[LawName, dict[str, Any]] = {
    "charged": _FORCES,
    "springs": {**_FORCES, "strength": 0.1, "scale": 0.5},
    "gravity": {**_FORCES, "bodies": 10, "softening": 0.1, "clip": 0.0},
    "branching": {"bodies": 6, "scale": 0.2, "speed_rad": (0.1, 0.3), "travel": (0.1, 0.2), "branches": 3},
    "twist": {"speed_rad": (0.05, 0.3), "travel": (0.0, 0.05)},
}
"""The defaults of each law. Those of the forces are the constants of EqMotion (Xu et al., CVPR 2023) for
charged particles and springs, and of GeoTDM (Han et al., NeurIPS 2024) for gravity."""


@dataclass(frozen=True, slots=True)
class DynamicsRule:
    """The rule by which parts move, as in a recipe's table [dynamics]. Keys that a law does not use are 0."""

    law: LawName
    bodies: int = 0
    """Number of particles."""
    dt: float = 0.0
    """Step of the integration, in units of time."""
    stride: int = 0
    """Number of steps from a frame to the next."""
    strength: float = 0.0
    """Factor of the force: of q_i q_j / r² for charges, of r for springs, of 1 / r² for gravity."""
    softening: float = 0.0
    """Length that is added to every distance in squares: r² + softening² takes the place of r²."""
    clip: float = 0.0
    """Greatest magnitude of each component of the force on a particle; 0 for no limit."""
    scale: float = 0.0
    """Length, in diagonals, of a unit of the particles' world in the picture."""
    speed_rad: Span = (0.0, 0.0)
    """Least and greatest angle of a part's twist from a frame to the next."""
    travel: Span = (0.0, 0.0)
    """Least and greatest length of its shift from a frame to the next, in diagonals (of particles: in their
    units of length)."""
    branches: int = 0
    """Number of possible futures, at equal odds."""
    branch_at: int = 0
    """Number of frames, from the start of a sequence, that all futures share."""

    @property
    def frame_time(self) -> float:
        """Time from a frame to the next, in units of the law's velocities: 1 where these are over a frame."""
        return self.dt * self.stride if self.law in FORCE_LAWS else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return the table [dynamics] of a recipe."""
        values = {name: getattr(self, name) for name in ("law", *LAW_KEYS[self.law])}
        spans = {
            name: {"low": values[name][0], "high": values[name][1]}
            for name in ("speed_rad", "travel")
            if name in values
        }
        return values | spans


def make_dynamics_rule(law: LawName, **keys: Any) -> DynamicsRule:
    """Return the rule of a law, with the defaults of the keys that are not given.

    Args:
        law: Name of the law.
        **keys: Fields of the rule. "branching" needs ``branch_at``.
    """
    given = {name: value for name, value in keys.items() if value is not None}
    return DynamicsRule(law, **{**_DEFAULTS[law], **given})
