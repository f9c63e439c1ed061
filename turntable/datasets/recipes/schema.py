"""The tables of a recipe as pydantic models: which keys there are, of which types, within which bounds."""

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
    LEAST_SIZE_PX,
    MOST_POINTS,
    MOST_SAMPLES,
    MOST_SHARD_OBJECTS,
    MOST_SIZE_PX,
    MOST_VIEWS,
    JpegSubsampling,
)
from turntable.datasets.labels import (
    MOST_MARGIN_DEG,
    OUTPUTS,
    ROTATION_NAMES,
    STANDARD,
    Draws,
    MotionName,
    OutputName,
    StandardFactor,
    TrainingRange,
)
from turntable.datasets.objects import SPLITS, SplitName
from turntable.errors import is_plain, said

_PI = re.compile(
    r"\s*(?P<sign>[+-]?)\s*(?P<times>\d+(?:\.\d*)?)?\s*\*?\s*pi\s*(?:/\s*(?P<over>\d+(?:\.\d*)?))?\s*"
)
_LONGEST_NUMBER = 40
"""Characters of a number as a text; blanks in longer ones could be shared out in very many ways."""

MOST_DESCRIPTION = 2_000
"""Characters of a description, which is one line of a recipe's text."""


def _number(value: object) -> object:
    """Read multiples of pi, such as "-pi/2", which decimals in a TOML file cannot spell exactly."""
    short = isinstance(value, str) and len(value) <= _LONGEST_NUMBER
    match = _PI.fullmatch(cast("str", value)) if short else None
    if match is None or float(match["over"] or 1) == 0:
        return value
    size = float(match["times"] or 1) * math.pi / float(match["over"] or 1)
    return -size if match["sign"] == "-" else size


_Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]


class StrictTable(BaseModel):
    """A table of a recipe's file whose every key is known, and of the type it says."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class FactorTable(StrictTable):
    """[factors.<name>]: a way to draw. Subclasses narrow the fields to the limits."""

    low: float | None = None
    high: float | None = None
    value: float | None = None
    inner: float | None = None
    outer: float | None = None

    @model_validator(mode="after")
    def _one_way_to_draw(self) -> "FactorTable":
        given = {name for name, _ in self if getattr(self, name) is not None}
        if given & {"inner", "outer"}:
            if given != {"inner", "outer"}:
                raise ValueError("give either low and high, or value, or inner and outer, and nothing beside")
            _check_order("inner", self.inner, "outer", self.outer)
        elif self.value is not None:
            if given != {"value"}:
                raise ValueError("give either value, or low and high, not both")
        elif given != {"low", "high"}:
            raise ValueError("give low and high, or value")
        else:
            _check_order("low", self.low, "high", self.high)
        return self


def _check_order(least: str, low: float | None, greatest: str, high: float | None) -> None:
    assert low is not None
    assert high is not None
    if not low < high:
        hint = "; for one value write value = …" if least == "low" else ""
        raise ValueError(f"{least} {low} is not below {greatest} {high}{hint}")
    if not float(np.float32(low)) < float(np.float32(high)):
        raise ValueError(f"{least} {low} and {greatest} {high} are one number in float32, as labels are")


class SpanTable(StrictTable):
    """{ low, high } of a motion; equal where nothing is to be drawn."""

    low: _Number
    high: _Number

    @model_validator(mode="after")
    def _in_order(self) -> "SpanTable":
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class RotationTable(StrictTable):
    """[rotation]: rotations drawn on SO(3), in place of the three angles' tables."""

    kind: Literal["uniform"]
    outside: TrainingRange | None = None
    margin_deg: _Number = Field(default=0.0, ge=0, le=MOST_MARGIN_DEG)


class SequenceTable(StrictTable):
    """[sequence]: views that follow one another."""

    length: int = Field(ge=2, le=MOST_VIEWS)
    motion: MotionName
    speed_rad: SpanTable | None = None
    offset: SpanTable | None = None
    travel: SpanTable | None = None
    vary: list[str] = []


def _factor_table(standard: StandardFactor) -> type[FactorTable]:
    below = Field(lt=standard.maximum) if standard.maximum_excluded else Field(le=standard.maximum)
    number: Any = Annotated[_Number, Field(ge=standard.minimum), below]
    field: Any = (number | None, None)
    limit = min(standard.maximum, max(-standard.minimum, 0))  # the sign is drawn: both ends count
    magnitude: Any = Annotated[_Number, Field(ge=0, le=limit or standard.maximum)]
    size: Any = (magnitude | None, None)
    return create_model(
        standard.factor.name, __base__=FactorTable, low=field, high=field, value=field, inner=size, outer=size
    )


def _factors_table() -> type[StrictTable]:
    fields: dict[str, Any] = {}
    for standard in STANDARD:
        table: Any = _factor_table(standard)
        # [rotation] may stand in for the angles' tables: who is missing is told by _missing_angles.
        required = standard.default is None and standard.factor.name not in ROTATION_NAMES
        fields[standard.factor.name] = (table, ...) if required else (table | None, None)
    return create_model("factors", __base__=StrictTable, **fields)


FactorsTable: Any = _factors_table()


class RecipeTable(StrictTable):
    """Everything a recipe may say."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    description: str = Field(default="", max_length=MOST_DESCRIPTION)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    source: SourceName
    views: int = Field(ge=1, le=MOST_VIEWS)
    image_size_px: int = Field(ge=LEAST_SIZE_PX, le=MOST_SIZE_PX)
    quality: QualityName = "standard"
    supersampling: int | None = Field(default=None, ge=1, le=MOST_SAMPLES)
    jpeg_quality: int = Field(default=95, ge=1, le=100)
    jpeg_subsampling: JpegSubsampling = "420"
    channel_order: ChannelOrder = "rgb"
    outputs: list[OutputName] = ["rgb"]
    points: int = Field(default=0, ge=0, le=MOST_POINTS)
    objects_per_shard: int = Field(default=128, ge=1, le=MOST_SHARD_OBJECTS)
    val_fraction: float = Field(default=0.2, ge=0, lt=1)
    split_seed: int = Field(default=0, ge=0, le=2**63 - 1)
    splits: list[SplitName] = list(SPLITS)
    draws: Draws = "philox"
    chunks: int = Field(default=1, ge=1, le=100_000)
    rotation: RotationTable | None = None
    sequence: SequenceTable | None = None
    factors: FactorsTable  # pyright: ignore[reportInvalidTypeForm]

    @field_validator("description")
    @classmethod
    def _printable(cls, description: str) -> str:
        if not is_plain(description.replace("\n", " ").replace("\t", " ")):
            raise ValueError(f"{said(description)} has control characters; leave them out")
        return description

    @field_validator("outputs")
    @classmethod
    def _in_order(cls, outputs: list[OutputName]) -> list[OutputName]:
        if "rgb" not in outputs:
            raise ValueError('must contain "rgb"; the others are kept beside the picture')
        if len(set(outputs)) < len(outputs):
            raise ValueError("names an output twice")
        return [name for name in OUTPUTS if name in outputs]

    @field_validator("splits")
    @classmethod
    def _splits_in_order(cls, splits: list[str]) -> list[str]:
        if not splits:
            raise ValueError('must name "train", "val" or both')
        if len(set(splits)) < len(splits):
            raise ValueError("names a split twice")
        return [name for name in SPLITS if name in splits]

    def factor_tables(self) -> dict[str, FactorTable]:
        """The factors this recipe names, in the standard order."""
        tables = {standard.factor.name: getattr(self.factors, standard.factor.name) for standard in STANDARD}
        return {name: cast("FactorTable", table) for name, table in tables.items() if table is not None}
