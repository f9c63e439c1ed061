"""The tables of a recipe as pydantic models, with the types and bounds of their keys."""

from typing import Annotated, Any, Literal, cast

from pydantic import (
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
    MAX_MARGIN_DEG,
    OUTPUTS,
    ROTATION_NAMES,
    STANDARD_FACTORS,
    Draws,
    MotionName,
    OutputName,
    StandardFactor,
    TrainingRange,
)
from turntable.datasets.objects import SPLITS, SplitName, SplitRule
from turntable.datasets.recipes.base_tables import Number, SpanTable, StrictTable, check_order
from turntable.datasets.recipes.content_tables import (
    DynamicsTable,
    GraphTable,
    JointsTable,
    MoleculesTable,
    ScanTable,
    SceneTable,
    StreetTable,
    TracksTable,
)
from turntable.errors import format_value, is_plain

MAX_METERS_PER_UNIT = 10_000.0
"""Largest number of meters of a unit of the world."""
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
            check_order("inner", self.inner, "outer", self.outer)
        elif self.value is not None:
            if given != {"value"}:
                raise ValueError("give either value, or low and high, not both")
        elif given != {"low", "high"}:
            raise ValueError("give low and high, or value")
        else:
            check_order("low", self.low, "high", self.high)
        if self.integer:
            self._check_integers(given)
        return self

    def _check_integers(self, given: set[str]) -> None:
        if given != {"low", "high"}:
            raise ValueError("integer = true needs low and high; leave it out")
        for name in ("low", "high"):
            if not float(getattr(self, name)).is_integer():
                raise ValueError(f"integer = true needs whole numbers; {name} is {getattr(self, name)}")


class SpeedTable(StrictTable):
    """The speeds of a motion: a range { low, high }, or a list { values }."""

    low: Number | None = None
    high: Number | None = None
    values: list[Number] | None = Field(default=None, min_length=1, max_length=MAX_SPEEDS)

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
    margin_deg: Number = Field(default=0.0, ge=0, le=MAX_MARGIN_DEG)


class SequenceTable(StrictTable):
    """The table [sequence]: the motion of an object over consecutive views."""

    length: int = Field(ge=2, le=MAX_VIEWS)
    motion: MotionName
    speed_rad: SpeedTable | None = None
    offset: SpanTable | None = None
    travel: SpanTable | None = None
    vary: list[str] = Field(default=[])


def _build_factor_table(standard: StandardFactor) -> type[FactorTable]:
    below = Field(lt=standard.maximum) if standard.maximum_excluded else Field(le=standard.maximum)
    number: Any = Annotated[Number, Field(ge=standard.minimum), below]
    field: Any = (number | None, None)
    # inner and outer are magnitudes with a random sign, so both ends of the factor's range limit them.
    limit = min(standard.maximum, max(-standard.minimum, 0))
    magnitude: Any = Annotated[Number, Field(ge=0, le=limit or standard.maximum)]
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
_Coefficient = Annotated[Number, Field(ge=-_MAX_NUMBER, le=_MAX_NUMBER)]


class EnvironmentTable(StrictTable):
    """A table [[environment]]: the factors that have another law in it, and slopes of couplings."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    factors: _OverridesTable | None = None  # pyright: ignore[reportInvalidTypeForm]
    slopes: dict[str, _Coefficient] = Field(default={})

    def get_factor_tables(self) -> dict[str, FactorTable]:
        """Return the tables of the factors that differ in this environment, in the standard order."""
        return {} if self.factors is None else _list_factor_tables(self.factors)


class CouplingTable(StrictTable):
    """A table [[coupling]]: a factor that follows another, or the category of the object."""

    factor: str
    on: str
    slope: _Coefficient
    offset: _Coefficient = 0.0
    noise: Annotated[Number, Field(ge=0, le=_MAX_NUMBER)] = 0.0


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
    outputs: list[OutputName] = Field(default=["rgb"])
    points: int = Field(default=0, ge=0, le=MAX_POINTS)
    mirrored: bool = False
    parts: bool = False
    objects_per_shard: int = Field(default=128, ge=1, le=MAX_SHARD_OBJECTS)
    val_fraction: float = Field(default=0.2, ge=0, lt=1)
    split_rule: SplitRule = "overall"
    split_seed: int = Field(default=0, ge=0, le=2**63 - 1)
    splits: list[SplitName] = Field(default=list(SPLITS))
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
    coupling: list[CouplingTable] = Field(default=[])
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
