"""Specifications of score tables: which metrics form a table, how they are formatted, and its finding."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A column of a table: a metric and its format."""

    metric: str
    """Name of the metric."""
    heading: str
    """Heading of the column, without the unit."""
    unit: str = ""
    """Unit of the values as they are shown."""
    factor: float = 1
    """Factor from values to the unit that is shown."""
    digits: int | None = 3
    """Number of decimals; None: four significant digits."""
    lower_is_better: bool | None = False
    """True if lower values are better; None if that is not known, so that no value is marked."""
    short: str = ""
    """Heading in short tables, which have no title; by default the heading."""

    @property
    def full_heading(self) -> str:
        """Heading with the unit."""
        return _append_unit(self.heading, self.unit)

    @property
    def short_heading(self) -> str:
        """Heading with the unit that is clear without the table's title."""
        return _append_unit(self.short or self.heading, self.unit)

    @property
    def sign(self) -> int:
        """Factor that makes greater values better: 1, or -1 if lower is better."""
        return -1 if self.lower_is_better else 1

    def format_value(self, value: float) -> str:
        """Format a value of the metric, in the unit and with the decimals of the column."""
        scaled = self.factor * value
        return f"{scaled:.4g}" if self.digits is None else format_fixed(scaled, self.digits)


@dataclass(frozen=True, slots=True)
class ScoreFinding:
    """The template of a sentence that compares the best row of a table with the constant baseline.

    Names of metrics in braces are replaced by their values.
    """

    metric: str
    """Metric by which the best row is found."""
    says: str
    """First half, about the best row; {who} is replaced by its name."""
    against: str
    """Second half, about the constant baseline."""
    blind: Mapping[str, float] = field(default_factory=dict)
    """Values that a predictor without any data has by a metric's definition; the better of such a value and
    the constant baseline's score is compared with."""


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """A table of related metrics; tables of the same title are merged."""

    title: str
    """Title of the table."""
    meaning: str
    """Explanation of its metrics, in a sentence or two."""
    columns: tuple[ScoreColumn, ...]
    """Columns of the table."""
    finding: ScoreFinding | None = None
    """Template of the sentence about its best row; None: no sentence."""


def format_fixed(value: float, digits: int) -> str:
    """Format a number with a fixed number of decimals; zero has no minus sign."""
    return f"{round(value, digits) + 0.0:.{digits}f}"  # adding 0.0 turns -0.0 into 0.0


def fill_placeholders(text: str, values: Mapping[str, str]) -> str:
    """Return a text with each name in braces replaced by its value; names without a value stay.

    This is not ``str.format``, which would let a file of results read attributes of objects.
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def _append_unit(heading: str, unit: str) -> str:
    if not unit:
        return heading
    return f"{heading} {unit}" if unit == "°" else f"{heading}, {unit}"
