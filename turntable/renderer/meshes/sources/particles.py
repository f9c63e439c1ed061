"""Systems of particles as a source: balls, each a part of its own, which the recipe's dynamics moves."""

import colorsys
import re
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import make_system_key
from turntable.datasets.labels import PARTICLE_LAWS, DynamicsRule, LawName, make_dynamics_rule
from turntable.datasets.objects import MAX_PARTS, ObjectPart, to_pose_rows
from turntable.errors import InvalidInputError
from turntable.renderer.dynamics import draw_systems
from turntable.renderer.meshes.mesh import Material, Mesh, compute_mesh_digest
from turntable.renderer.meshes.mesh_parts import join_parts
from turntable.renderer.meshes.sources.generated import GeneratedSource
from turntable.renderer.meshes.sources.source import SourceObject

Array = NDArray[np.float64]

BALL_RADIUS = 0.07
"""Radius of a ball in diagonals."""
_REST_RADIUS = 0.4
"""Radius of the sphere on which balls lie at rest."""
_RINGS, _POINTS = 12, 24
"""Number of rings of a ball's surface, and of points of each."""
_GRID = 2.0**-20
"""Spacing of the grid to which positions are rounded, so that a mesh is the same on every processor."""
_ID = re.compile(rf"({'|'.join(PARTICLE_LAWS)})-(\d{{1,2}})/\d{{6}}")
_CHARGE_COLORS = {1.0: (0.80, 0.04, 0.03), -1.0: (0.03, 0.12, 0.80)}
"""Linear colors of balls with a charge: red and blue."""
_REMEMBERED_MESHES = 64
"""Number of meshes that are remembered: one for every choice of five or six charges."""
_HUE_STEP = 0.61803398875
"""Difference of the hues of balls without a charge: any few of them are told apart by color."""


@dataclass(frozen=True, slots=True)
class ParticleSource(GeneratedSource):
    """Systems of balls. Ids are ``law-bodies/number``, with the number in six digits.

    The charges of a system follow from its id. Balls are red (charge 1) and blue (-1); where balls have no
    charge, each has a hue of its own.
    """

    num_objects: int
    """Number of systems."""
    law: LawName = "charged"
    """Law by which they move, one of ``PARTICLE_LAWS``."""
    bodies: int = 5
    """Number of balls of a system."""
    name: str = "particles"
    """Name of the source."""
    license: str = "Apache-2.0"
    """License of the meshes."""

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return the systems. Their category is the law.

        Raises:
            InvalidInputError: The number of systems is not positive.
        """
        if self.num_objects < 1:
            raise InvalidInputError(f"there cannot be {self.num_objects} systems; give --objects 1 or more")
        ids = (f"{self.law}-{self.bodies}/{number:06d}" for number in range(self.num_objects))
        return tuple(SourceObject(name, self.law) for name in ids)

    def load(self, object_id: str) -> Mesh:
        """Build the balls of a system, at rest on a sphere.

        Raises:
            InvalidInputError: The id does not name a system.
        """
        match = _ID.fullmatch(object_id)
        if match is None or not 2 <= int(match[2]) <= MAX_PARTS:
            raise InvalidInputError(
                f"{object_id!r} is not a system of particles; ids are like charged-5/000007, with 2 to "
                f"{MAX_PARTS} bodies"
            )
        law: LawName = next(name for name in PARTICLE_LAWS if name == match[1])
        return _build_balls(_draw_charges(object_id, make_dynamics_rule(law, bodies=int(match[2]))))

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """Return the SHA-256 of the mesh."""
        return _digest_balls(mesh)


def _draw_charges(object_id: str, rule: DynamicsRule) -> tuple[float, ...]:
    system = draw_systems(rule, make_system_key(object_id), np.zeros(1, dtype=np.int64))
    return tuple(system.charges[0].tolist())


@lru_cache(maxsize=_REMEMBERED_MESHES)
def _digest_balls(mesh: Mesh) -> str:
    return compute_mesh_digest(mesh)


@lru_cache(maxsize=_REMEMBERED_MESHES)
def _build_balls(charges: tuple[float, ...]) -> Mesh:
    """Build balls of the charges, at rest. Thousands of systems share few meshes, which are remembered."""
    rest = np.tile(np.eye(4), (len(charges), 1, 1))
    rest[:, :3, 3] = _spread_over_sphere(len(charges))
    parts = [
        ObjectPart(f"ball-{index:02d}", _name_category(charge), rest_pose=to_pose_rows(pose))
        for index, (charge, pose) in enumerate(zip(charges, rest, strict=True))
    ]
    balls = [_make_ball(_choose_color(charge, index)) for index, charge in enumerate(charges)]
    return join_parts(balls, parts, "balls")


def _name_category(charge: float) -> str:
    return {1.0: "positive", -1.0: "negative"}.get(charge, "ball")


def _choose_color(charge: float, index: int) -> tuple[float, float, float]:
    return _CHARGE_COLORS.get(charge) or colorsys.hsv_to_rgb(index * _HUE_STEP % 1, 0.9, 0.7)


def _spread_over_sphere(count: int) -> Array:
    """Return points [count, 3] at about even distances on a sphere, from bottom to top in a spiral."""
    index = np.arange(count)
    z = (2 * index + 1) / count - 1
    angle = 2 * np.pi * _HUE_STEP * index
    radius = np.sqrt(1 - z * z)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=-1)
    return np.rint(_REST_RADIUS * points / _GRID) * _GRID


def _make_ball(color: tuple[float, float, float]) -> Mesh:
    directions, triangles = _build_sphere()
    return Mesh(
        positions=np.float32(BALL_RADIUS) * directions,
        triangles=triangles,
        normals=directions,
        texcoords=np.zeros((len(directions), 2), np.float32),
        material_index=np.zeros(len(triangles), np.int32),
        materials=(Material("ball", base_color=color, roughness=0.4),),
    )


@cache
def _build_sphere() -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Build a sphere of radius 1: directions [N, 3], and triangles [T, 3] counter-clockwise from outside."""
    polar, turn = np.meshgrid(
        np.pi * np.arange(_RINGS + 1) / _RINGS, 2 * np.pi * np.arange(_POINTS) / _POINTS, indexing="ij"
    )
    directions = np.stack(
        [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], axis=-1
    )
    corner = np.arange(directions[..., 0].size).reshape(polar.shape)
    after = np.roll(corner, -1, axis=1)
    # All points of the first ring are one place, and so are those of the last: there, a cell is one triangle.
    upper = np.stack([corner[:-1], corner[1:], after[1:]], axis=-1)[:-1]
    lower = np.stack([corner[:-1], after[1:], after[:-1]], axis=-1)[1:]
    triangles = np.concatenate([upper.reshape(-1, 3), lower.reshape(-1, 3)])
    rounded = np.rint(directions.reshape(-1, 3) / _GRID) * _GRID
    return rounded.astype(np.float32), triangles.astype(np.int32)
