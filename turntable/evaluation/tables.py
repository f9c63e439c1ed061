"""Tables of scores: which metrics stand together, how they are shown, and which are worth a sentence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A metric as tables show it."""

    metric: str
    heading: str
    """Without its unit."""
    unit: str = ""
    factor: float = 1
    """By which values are multiplied to be shown in the unit."""
    digits: int | None = 3
    """After the point; None: four digits that mean something."""
    lower_is_better: bool | None = False
    """None: it is not known which is better, so none is marked."""
    short: str = ""
    """The heading where its table's title does not stand above it; by default the same."""

    @property
    def full_heading(self) -> str:
        """The heading with the unit."""
        return _with_unit(self.heading, self.unit)

    @property
    def short_heading(self) -> str:
        """A heading that says without its table's title what it is of."""
        return _with_unit(self.short or self.heading, self.unit)

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return -1 if self.lower_is_better else 1

    def told(self, value: float) -> str:
        """A value of it, in the digits that mean something."""
        scaled = self.factor * value
        return f"{scaled:.4g}" if self.digits is None else fixed(scaled, self.digits)


@dataclass(frozen=True, slots=True)
class ScoreFinding:
    """A sentence about the best of a table; metrics in braces become their values."""

    metric: str
    """By which the best is found."""
    says: str
    """The half about the best, {who}."""
    against: str
    """The half about what sees nothing."""
    blind: Mapping[str, float] = field(default_factory=dict)
    """Values that follow from a metric's definition without any data; what sees none counts by the better."""


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Metrics of one kind; those of tasks that name one title stand in one table."""

    title: str
    meaning: str
    """In a sentence, for who does not know them."""
    columns: tuple[ScoreColumn, ...]
    finding: ScoreFinding | None = None


def fixed(value: float, digits: int) -> str:
    """A number with so many digits, without a minus before nothing."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with each name in braces replaced by its value; a name without one stays as it is."""
    return _NAME.sub(lambda found: values.get(found[1], found[0]), text)


def _with_unit(heading: str, unit: str) -> str:
    if not unit:
        return heading
    return f"{heading} {unit}" if unit == "°" else f"{heading}, {unit}"
