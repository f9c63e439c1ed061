"""The tables of a recipe as pydantic models, with the types and bounds of their keys."""

import math
import re
from typing import Annotated, Any, Literal, cast

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    create_model,
    field_validator,
    model_validator,
)

from turntable.choices import ChannelOrder, QualityName, SourceName
from turntable.datasets.files import (
    MAX_POINTS,
    MAX_SHARD_OBJECTS,
    MAX_SIZE_PX,
    MAX_SUPERSAMPLING,
    MAX_VIEWS,
    MIN_SIZE_PX,
    JpegSubsampling,
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
    MAX_MARGIN_DEG,
    MAX_POLES,
    MAX_SCENE_OBJECTS,
    MAX_STREET_OBJECTS,
    MAX_WALLS,
    MIN_GRAPH_VERTICES,
    MIN_SCENE_OBJECTS,
    OUTPUTS,
    ROTATION_NAMES,
    STANDARD_FACTORS,
    Draws,
    ElementName,
    Front,
    JointMotion,
    JointRange,
    JointScope,
    LawName,
    MoleculeDataset,
    MotionName,
    Orientation,
    OutputName,
    ScanRule,
    SceneLaw,
    StandardFactor,
    StreetRule,
    TrainingRange,
)
from turntable.datasets.objects import MAX_PARTS, SPLITS, SplitName, SplitRule
from turntable.errors import format_value, is_plain

_PI_PATTERN = re.compile(
    r"\s*(?P<sign>[+-]?)\s*(?P<times>\d+(?:\.\d*)?)?\s*\*?\s*pi\s*(?:/\s*(?P<over>\d+(?:\.\d*)?))?\s*"
)
_MAX_NUMBER_LENGTH = 40
"""Maximum number of characters of a number that is written as text. The pattern allows spaces in several
places, so long runs of spaces could be matched in very many ways."""

MAX_SCENE_LENGTH = 100.0
"""Largest length in the table [scene], in the unit of the world."""
MAX_STREET_M = 1000.0
"""Largest length in the table [street], in meters."""
MAX_LENGTHS = 64
"""Maximum number of categories in the table [street]."""
MAX_METERS_PER_UNIT = 10_000.0
"""Largest number of meters of a unit of the world."""
MAX_BRANCHES = 16
"""Maximum number of futures of a sequence."""
MAX_SPEEDS = 256
"""Maximum number of speeds in a list."""
MAX_POSE_BANK = 100_000
"""Maximum number of rotations of a pose bank."""
MAX_ENVIRONMENTS = 256
"""Maximum number of environments."""
_MAX_NUMBER = 1e6
"""Maximum magnitude of the numbers of a coupling."""

MAX_DESCRIPTION_LENGTH = 2_000
"""Maximum number of characters of a description, which is one line of a recipe's text."""


def _parse_number(value: object) -> object:
    """Parse a multiple of pi, such as "-pi/2", which no decimal number in a TOML file equals exactly."""
    short = isinstance(value, str) and len(value) <= _MAX_NUMBER_LENGTH
    match = _PI_PATTERN.fullmatch(cast("str", value)) if short else None
    if match is None or float(match["over"] or 1) == 0:
        return value
    magnitude = float(match["times"] or 1) * math.pi / float(match["over"] or 1)
    return -magnitude if match["sign"] == "-" else magnitude


_Number = Annotated[float, BeforeValidator(_parse_number), Field(allow_inf_nan=False)]


class StrictTable(BaseModel):
    """A table of a recipe's file. Unknown keys and values of another type are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class FactorTable(StrictTable):
    """A table [factors.<name>]: one of four ways to draw. Subclasses limit the fields' ranges."""

    low: float | None = None
    high: float | None = None
    value: float | None = None
    inner: float | None = None
    outer: float | None = None
    integer: bool = False

    @model_validator(mode="after")
    def _check_one_way_to_draw(self) -> "FactorTable":
        ways = ("low", "high", "value", "inner", "outer")
        given = {name for name in ways if getattr(self, name) is not None}
        if given & {"inner", "outer"}:
            if given != {"inner", "outer"}:
                raise ValueError("give either low and high, or value, or inner and outer, and nothing else")
            _check_order("inner", self.inner, "outer", self.outer)
        elif self.value is not None:
            if given != {"value"}:
                raise ValueError("give either value, or low and high, not both")
        elif given != {"low", "high"}:
            raise ValueError("give low and high, or value")
        else:
            _check_order("low", self.low, "high", self.high)
        if self.integer:
            self._check_integers(given)
        return self

    def _check_integers(self, given: set[str]) -> None:
        if given != {"low", "high"}:
            raise ValueError("integer = true needs low and high; leave it out")
        for name in ("low", "high"):
            if not float(getattr(self, name)).is_integer():
                raise ValueError(f"integer = true needs whole numbers; {name} is {getattr(self, name)}")


def _check_order(least: str, low: float | None, greatest: str, high: float | None) -> None:
    assert low is not None
    assert high is not None
    if not low < high:
        hint = "; for one value write value = …" if least == "low" else ""
        raise ValueError(f"{least} {low} is not below {greatest} {high}{hint}")
    if not float(np.float32(low)) < float(np.float32(high)):
        raise ValueError(
            f"{least} {low} and {greatest} {high} are the same number in float32, the type of labels"
        )


class SpanTable(StrictTable):
    """A range { low, high } of a motion. Both ends may be equal."""

    low: _Number
    high: _Number

    @model_validator(mode="after")
    def _check_span_order(self) -> "SpanTable":
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class SpeedTable(StrictTable):
    """The speeds of a motion: a range { low, high }, or a list { values }."""

    low: _Number | None = None
    high: _Number | None = None
    values: list[_Number] | None = Field(default=None, min_length=1, max_length=MAX_SPEEDS)

    @model_validator(mode="after")
    def _check_one_way(self) -> "SpeedTable":
        if self.values is None:
            if self.low is None or self.high is None:
                raise ValueError("give low and high, or values")
            if self.low > self.high:
                raise ValueError(f"low {self.low} is above high {self.high}")
        elif self.low is not None or self.high is not None:
            raise ValueError("give either values, or low and high, not both")
        elif len(set(self.values)) < len(self.values):
            raise ValueError("values: names a speed twice")
        return self


class RotationTable(StrictTable):
    """The table [rotation]: rotations drawn on SO(3), in place of the tables of the three angles."""

    kind: Literal["uniform"]
    outside: TrainingRange | None = None
    margin_deg: _Number = Field(default=0.0, ge=0, le=MAX_MARGIN_DEG)


class SequenceTable(StrictTable):
    """The table [sequence]: the motion of an object over consecutive views."""

    length: int = Field(ge=2, le=MAX_VIEWS)
    motion: MotionName
    speed_rad: SpeedTable | None = None
    offset: SpanTable | None = None
    travel: SpanTable | None = None
    vary: list[str] = []


class JointsTable(StrictTable):
    """The table [joints]: the values of the joints of articulated objects."""

    range: JointRange
    seen_fraction: _Number = Field(default=DEFAULT_SEEN_FRACTION, ge=0.05, le=0.95)
    per: JointScope = "view"
    motion: JointMotion = "linear"


class GraphTable(StrictTable):
    """The table [graph]: the graph of each object's surface."""

    vertices: int = Field(default=DEFAULT_GRAPH_VERTICES, ge=MIN_GRAPH_VERTICES, le=MAX_GRAPH_VERTICES)


class WholeSpanTable(StrictTable):
    """A range { low, high } of a number of things. Both ends may be equal. Subclasses limit them."""

    low: int
    high: int

    @model_validator(mode="after")
    def _check_count_order(self) -> "WholeSpanTable":
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class CountTable(WholeSpanTable):
    """A range { low, high } of the number of a scene's objects."""

    low: int = Field(ge=MIN_SCENE_OBJECTS, le=MAX_SCENE_OBJECTS)
    high: int = Field(ge=MIN_SCENE_OBJECTS, le=MAX_SCENE_OBJECTS)


class SceneTable(StrictTable):
    """The table [scene]: several objects composed into one scene."""

    objects: CountTable
    size: SpanTable
    area: _Number = Field(gt=0, le=MAX_SCENE_LENGTH)
    law: SceneLaw | None = None
    orientation: Orientation | None = None
    gap: _Number = Field(default=DEFAULT_GAP, ge=0, le=MAX_SCENE_LENGTH)
    level: _Number | None = Field(default=None, ge=-1, le=MAX_SCENE_LENGTH)
    tries: int = Field(default=DEFAULT_TRIES, ge=1, le=10_000)
    arrangements: int | None = Field(default=None, ge=1, le=MAX_VIEWS)

    def get_orientation(self) -> Orientation:
        """Return the orientation as given, or that of the law; upright if neither is given."""
        return self.orientation or LAW_ORIENTATIONS[self.law or "train"]


_STREET, _SCAN = StreetRule(), ScanRule()  # the defaults
_Positive = Annotated[_Number, Field(gt=0)]
_NotNegative = Annotated[_Number, Field(ge=0)]


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
    lengths_m: dict[str, Annotated[_Number, Field(gt=0, le=MAX_STREET_M)]] = Field(
        default=dict(DEFAULT_LENGTHS), min_length=1, max_length=MAX_LENGTHS
    )
    front: Front = _STREET.front
    area_m: _Number = Field(default=_STREET.area_m, gt=0, le=MAX_STREET_M)
    gap_m: _Number = Field(default=_STREET.gap_m, ge=0, le=MAX_STREET_M)
    clearance_m: _Number = Field(default=_STREET.clearance_m, ge=0, le=MAX_STREET_M)
    frame_s: _Number = Field(default=_STREET.frame_s, gt=0, le=60)
    resting: _Number = Field(default=_STREET.resting, ge=0, le=1)
    speed_m_per_s: SpanTable = SpanTable(low=_STREET.speed_m_per_s[0], high=_STREET.speed_m_per_s[1])
    yaw_rate_rad_per_s: _Number = Field(default=_STREET.yaw_rate_rad_per_s, ge=0, le=math.pi)
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
    azimuth_step_deg: _Number = Field(default=_SCAN.azimuth_step_deg, gt=0, le=180)
    range_m: _Number = Field(default=_SCAN.range_m, gt=0, le=1000)
    noise_m: _Number = Field(default=_SCAN.noise_m, ge=0, le=1)
    dropout: _Number = Field(default=_SCAN.dropout, ge=0, lt=1)
    height_m: _Number = Field(default=_SCAN.height_m, gt=0, le=1000)
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


def _build_factor_table(standard: StandardFactor) -> type[FactorTable]:
    below = Field(lt=standard.maximum) if standard.maximum_excluded else Field(le=standard.maximum)
    number: Any = Annotated[_Number, Field(ge=standard.minimum), below]
    field: Any = (number | None, None)
    # inner and outer are magnitudes with a random sign, so both ends of the factor's range limit them.
    limit = min(standard.maximum, max(-standard.minimum, 0))
    magnitude: Any = Annotated[_Number, Field(ge=0, le=limit or standard.maximum)]
    size: Any = (magnitude | None, None)
    return create_model(
        standard.factor.name, __base__=FactorTable, low=field, high=field, value=field, inner=size, outer=size
    )


def _build_factors_table(name: str, is_whole: bool) -> type[StrictTable]:
    """Build the model of a table of factors; if it is whole, it names every factor without a default."""
    fields: dict[str, Any] = {}
    for standard in STANDARD_FACTORS:
        table: Any = _build_factor_table(standard)
        # [rotation] may replace the tables of the angles, so checking._find_missing_angles reports those
        # that are missing.
        required = is_whole and standard.default is None and standard.factor.name not in ROTATION_NAMES
        fields[standard.factor.name] = (table, ...) if required else (table | None, None)
    return create_model(name, __base__=StrictTable, **fields)


FactorsTable: Any = _build_factors_table("factors", is_whole=True)
_OverridesTable: Any = _build_factors_table("overrides", is_whole=False)

_Coefficient = Annotated[_Number, Field(ge=-_MAX_NUMBER, le=_MAX_NUMBER)]


class EnvironmentTable(StrictTable):
    """A table [[environment]]: the factors that have another law in it, and slopes of couplings."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    factors: _OverridesTable | None = None  # pyright: ignore[reportInvalidTypeForm]
    slopes: dict[str, _Coefficient] = {}

    def get_factor_tables(self) -> dict[str, FactorTable]:
        """Return the tables of the factors that differ in this environment, in the standard order."""
        return {} if self.factors is None else _list_factor_tables(self.factors)


class CouplingTable(StrictTable):
    """A table [[coupling]]: a factor that follows another, or the category of the object."""

    factor: str
    on: str
    slope: _Coefficient
    offset: _Coefficient = 0.0
    noise: Annotated[_Number, Field(ge=0, le=_MAX_NUMBER)] = 0.0


def _list_factor_tables(factors: object) -> dict[str, FactorTable]:
    tables = {standard.factor.name: getattr(factors, standard.factor.name) for standard in STANDARD_FACTORS}
    return {name: cast("FactorTable", table) for name, table in tables.items() if table is not None}


class RecipeTable(StrictTable):
    """The whole table of a recipe."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    description: str = Field(default="", max_length=MAX_DESCRIPTION_LENGTH)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    source: SourceName
    views: int = Field(ge=1, le=MAX_VIEWS)
    image_size_px: int = Field(ge=MIN_SIZE_PX, le=MAX_SIZE_PX)
    quality: QualityName = "standard"
    supersampling: int | None = Field(default=None, ge=1, le=MAX_SUPERSAMPLING)
    jpeg_quality: int = Field(default=95, ge=1, le=100)
    jpeg_subsampling: JpegSubsampling = "420"
    channel_order: ChannelOrder = "rgb"
    outputs: list[OutputName] = ["rgb"]
    points: int = Field(default=0, ge=0, le=MAX_POINTS)
    mirrored: bool = False
    parts: bool = False
    objects_per_shard: int = Field(default=128, ge=1, le=MAX_SHARD_OBJECTS)
    val_fraction: float = Field(default=0.2, ge=0, lt=1)
    split_rule: SplitRule = "overall"
    split_seed: int = Field(default=0, ge=0, le=2**63 - 1)
    splits: list[SplitName] = list(SPLITS)
    draws: Draws = "philox"
    chunks: int = Field(default=1, ge=1, le=100_000)
    rotation: RotationTable | None = None
    sequence: SequenceTable | None = None
    joints: JointsTable | None = None
    scene: SceneTable | None = None
    dynamics: DynamicsTable | None = None
    tracks: TracksTable | None = None

    molecules: MoleculesTable | None = None
    pose_bank: int = Field(default=0, ge=0, le=MAX_POSE_BANK)
    environment: list[EnvironmentTable] = Field(default=[], max_length=MAX_ENVIRONMENTS)
    coupling: list[CouplingTable] = []
    meters_per_unit: float = Field(default=0.0, ge=0, le=MAX_METERS_PER_UNIT, allow_inf_nan=False)
    street: StreetTable | None = None
    scan: ScanTable | None = None
    graph: GraphTable | None = None
    factors: FactorsTable  # pyright: ignore[reportInvalidTypeForm]

    @field_validator("description")
    @classmethod
    def _check_printable(cls, description: str) -> str:
        if not is_plain(description.replace("\n", " ").replace("\t", " ")):
            raise ValueError(f"{format_value(description)} has control characters; leave them out")
        return description

    @field_validator("outputs")
    @classmethod
    def _sort_outputs(cls, outputs: list[OutputName]) -> list[OutputName]:
        if len(set(outputs)) < len(outputs):
            raise ValueError("names an output twice")
        return [name for name in OUTPUTS if name in outputs]

    @field_validator("splits")
    @classmethod
    def _sort_splits(cls, splits: list[str]) -> list[str]:
        if not splits:
            raise ValueError('must name "train", "val" or both')
        if len(set(splits)) < len(splits):
            raise ValueError("names a split twice")
        return [name for name in SPLITS if name in splits]

    def get_factor_tables(self) -> dict[str, FactorTable]:
        """Return the tables of the factors that this recipe names, in the standard order."""
        return _list_factor_tables(self.factors)
