"""The tables of a recipe that say what a view shows besides one object, and what is read from it."""

import math
from typing import Annotated

from pydantic import (
    Field,
    field_validator,
    model_validator,
)

from turntable.datasets.files import (
    MAX_VIEWS,
)
from turntable.datasets.labels import (
    DEFAULT_ELEVATION_DEG,
    DEFAULT_GAP,
    DEFAULT_GRAPH_VERTICES,
    DEFAULT_LENGTHS,
    DEFAULT_MAX_HEAVY_ATOMS,
    DEFAULT_SEEN_FRACTION,
    DEFAULT_TRIES,
    HEAVY_ELEMENTS,
    LAW_ORIENTATIONS,
    MAX_BEAMS,
    MAX_GRAPH_VERTICES,
    MAX_HEAVY_ATOMS,
    MAX_KEYPOINTS,
    MAX_POLES,
    MAX_SCENE_OBJECTS,
    MAX_STREET_OBJECTS,
    MAX_WALLS,
    MIN_GRAPH_VERTICES,
    MIN_SCENE_OBJECTS,
    ElementName,
    Front,
    JointMotion,
    JointRange,
    JointScope,
    LawName,
    MoleculeDataset,
    Orientation,
    ScanRule,
    SceneLaw,
    StreetRule,
)
from turntable.datasets.objects import MAX_PARTS
from turntable.datasets.recipes.base_tables import Number, SpanTable, StrictTable, WholeSpanTable

MAX_SCENE_LENGTH = 100.0
"""Largest length in the table [scene], in the unit of the world."""
MAX_STREET_M = 1000.0
"""Largest length in the table [street], in meters."""
MAX_LENGTHS = 64
"""Maximum number of categories in the table [street]."""
MAX_BRANCHES = 16
"""Maximum number of futures of a sequence."""


class JointsTable(StrictTable):
    """The table [joints]: the values of the joints of articulated objects."""

    range: JointRange
    seen_fraction: Number = Field(default=DEFAULT_SEEN_FRACTION, ge=0.05, le=0.95)
    per: JointScope = "view"
    motion: JointMotion = "linear"


class GraphTable(StrictTable):
    """The table [graph]: the graph of each object's surface."""

    vertices: int = Field(default=DEFAULT_GRAPH_VERTICES, ge=MIN_GRAPH_VERTICES, le=MAX_GRAPH_VERTICES)


class CountTable(WholeSpanTable):
    """A range { low, high } of the number of a scene's objects."""

    low: int = Field(ge=MIN_SCENE_OBJECTS, le=MAX_SCENE_OBJECTS)
    high: int = Field(ge=MIN_SCENE_OBJECTS, le=MAX_SCENE_OBJECTS)


class SceneTable(StrictTable):
    """The table [scene]: several objects composed into one scene."""

    objects: CountTable
    size: SpanTable
    area: Number = Field(gt=0, le=MAX_SCENE_LENGTH)
    law: SceneLaw | None = None
    orientation: Orientation | None = None
    gap: Number = Field(default=DEFAULT_GAP, ge=0, le=MAX_SCENE_LENGTH)
    level: Number | None = Field(default=None, ge=-1, le=MAX_SCENE_LENGTH)
    tries: int = Field(default=DEFAULT_TRIES, ge=1, le=10_000)
    arrangements: int | None = Field(default=None, ge=1, le=MAX_VIEWS)

    def get_orientation(self) -> Orientation:
        """Return the orientation as given, or that of the law; upright if neither is given."""
        return self.orientation or LAW_ORIENTATIONS[self.law or "train"]


_STREET, _SCAN = StreetRule(), ScanRule()  # the defaults
_Positive = Annotated[Number, Field(gt=0)]
_NotNegative = Annotated[Number, Field(ge=0)]


class DynamicsTable(StrictTable):
    """The table [dynamics]: the law by which parts move over a sequence; missing keys have its defaults."""

    law: LawName
    bodies: int | None = Field(default=None, ge=2, le=MAX_PARTS)
    dt: _Positive | None = None
    stride: int | None = Field(default=None, ge=1, le=100_000)
    strength: _Positive | None = None
    softening: _NotNegative | None = None
    clip: _NotNegative | None = None
    scale: _Positive | None = None
    speed_rad: SpanTable | None = None
    travel: SpanTable | None = None
    branches: int | None = Field(default=None, ge=2, le=MAX_BRANCHES)
    branch_at: int | None = Field(default=None, ge=2)


class StreetObjectsTable(WholeSpanTable):
    """A range { low, high } of the number of a street's objects."""

    low: int = Field(ge=1, le=MAX_STREET_OBJECTS)
    high: int = Field(ge=1, le=MAX_STREET_OBJECTS)


class WallsTable(WholeSpanTable):
    """A range { low, high } of the number of a street's walls."""

    low: int = Field(ge=0, le=MAX_WALLS)
    high: int = Field(ge=0, le=MAX_WALLS)


class PolesTable(WholeSpanTable):
    """A range { low, high } of the number of a street's poles."""

    low: int = Field(ge=0, le=MAX_POLES)
    high: int = Field(ge=0, le=MAX_POLES)


class StreetTable(StrictTable):
    """The table [street]: objects in true size on a street that a sensor drives through."""

    objects: StreetObjectsTable = StreetObjectsTable(low=_STREET.objects[0], high=_STREET.objects[1])
    lengths_m: dict[str, Annotated[Number, Field(gt=0, le=MAX_STREET_M)]] = Field(
        default=dict(DEFAULT_LENGTHS), min_length=1, max_length=MAX_LENGTHS
    )
    front: Front = _STREET.front
    area_m: Number = Field(default=_STREET.area_m, gt=0, le=MAX_STREET_M)
    gap_m: Number = Field(default=_STREET.gap_m, ge=0, le=MAX_STREET_M)
    clearance_m: Number = Field(default=_STREET.clearance_m, ge=0, le=MAX_STREET_M)
    frame_s: Number = Field(default=_STREET.frame_s, gt=0, le=60)
    resting: Number = Field(default=_STREET.resting, ge=0, le=1)
    speed_m_per_s: SpanTable = SpanTable(low=_STREET.speed_m_per_s[0], high=_STREET.speed_m_per_s[1])
    yaw_rate_rad_per_s: Number = Field(default=_STREET.yaw_rate_rad_per_s, ge=0, le=math.pi)
    ego_speed_m_per_s: SpanTable = SpanTable(
        low=_STREET.ego_speed_m_per_s[0], high=_STREET.ego_speed_m_per_s[1]
    )
    walls: WallsTable = WallsTable(low=_STREET.walls[0], high=_STREET.walls[1])
    poles: PolesTable = PolesTable(low=_STREET.poles[0], high=_STREET.poles[1])
    tries: int = Field(default=_STREET.tries, ge=1, le=10_000)


class ScanTable(StrictTable):
    """The table [scan]: a spinning LiDAR."""

    beams: int = Field(default=_SCAN.beams, ge=1, le=MAX_BEAMS)
    elevation_deg: SpanTable = SpanTable(low=DEFAULT_ELEVATION_DEG[0], high=DEFAULT_ELEVATION_DEG[1])
    azimuth_step_deg: Number = Field(default=_SCAN.azimuth_step_deg, gt=0, le=180)
    range_m: Number = Field(default=_SCAN.range_m, gt=0, le=1000)
    noise_m: Number = Field(default=_SCAN.noise_m, ge=0, le=1)
    dropout: Number = Field(default=_SCAN.dropout, ge=0, lt=1)
    height_m: Number = Field(default=_SCAN.height_m, gt=0, le=1000)
    distance_m: SpanTable | None = None


class TracksTable(StrictTable):
    """The table [tracks]: tracks of points of the surface, or of particles."""

    keypoints: int | None = Field(default=None, ge=0, le=MAX_KEYPOINTS)


class MoleculesTable(StrictTable):
    """The table [molecules]: the molecules of the source of that name."""

    dataset: MoleculeDataset = "ccd"
    min_heavy_atoms: int = Field(default=1, ge=1, le=MAX_HEAVY_ATOMS)
    max_heavy_atoms: int = Field(default=DEFAULT_MAX_HEAVY_ATOMS, ge=1, le=MAX_HEAVY_ATOMS)
    hydrogens: bool = True
    aromatic: bool = True
    elements: list[ElementName] = Field(default=list(HEAVY_ELEMENTS), min_length=1)

    @field_validator("elements")
    @classmethod
    def _sort_elements(cls, elements: list[ElementName]) -> list[ElementName]:
        if len(set(elements)) < len(elements):
            raise ValueError("names an element twice")
        return [name for name in HEAVY_ELEMENTS if name in elements]

    @model_validator(mode="after")
    def _check_atom_order(self) -> "MoleculesTable":
        if self.min_heavy_atoms > self.max_heavy_atoms:
            raise ValueError(
                f"min_heavy_atoms {self.min_heavy_atoms} is above max_heavy_atoms {self.max_heavy_atoms}"
            )
        return self
