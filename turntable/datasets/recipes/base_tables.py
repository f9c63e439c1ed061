"""Tables that others are made of, and numbers as multiples of pi."""

import math
import re
from typing import Annotated, cast

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

_PI_PATTERN = re.compile(
    r"\s*(?P<sign>[+-]?)\s*(?P<times>\d+(?:\.\d*)?)?\s*\*?\s*pi\s*(?:/\s*(?P<over>\d+(?:\.\d*)?))?\s*"
)
_MAX_NUMBER_LENGTH = 40
"""Maximum number of characters of a number that is written as text. The pattern allows spaces in several
places, so long runs of spaces could be matched in very many ways."""


def _parse_number(value: object) -> object:
    """Parse a multiple of pi, such as "-pi/2", which no decimal number in a TOML file equals exactly."""
    short = isinstance(value, str) and len(value) <= _MAX_NUMBER_LENGTH
    match = _PI_PATTERN.fullmatch(cast("str", value)) if short else None
    if match is None or float(match["over"] or 1) == 0:
        return value
    magnitude = float(match["times"] or 1) * math.pi / float(match["over"] or 1)
    return -magnitude if match["sign"] == "-" else magnitude


Number = Annotated[float, BeforeValidator(_parse_number), Field(allow_inf_nan=False)]
"""A finite number, or a text with a multiple of pi."""


class StrictTable(BaseModel):
    """A table of a recipe's file. Unknown keys and values of another type are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def check_order(least: str, low: float | None, greatest: str, high: float | None) -> None:
    """Raise ValueError if the least of two numbers, each with the name of its key, is not below the other."""
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

    low: Number
    high: Number

    @model_validator(mode="after")
    def _check_span_order(self) -> "SpanTable":
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class WholeSpanTable(StrictTable):
    """A range { low, high } of a number of things. Both ends may be equal. Subclasses limit them."""

    low: int
    high: int

    @model_validator(mode="after")
    def _check_count_order(self) -> "WholeSpanTable":
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self
