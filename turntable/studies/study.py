"""The contract of a study: finished runs and a data set in; tables, details, pictures and words out.

A study is one file with a function from ``StudyInput`` to ``StudyOutcome``, and one entry in the registry. It
trains nothing but small heads, writes nothing, and prints nothing: whoever runs it does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset
from turntable.evaluation import Score, SplitFeatures, fixed
from turntable.evaluation.report import Picture
from turntable.training import Run


@dataclass(frozen=True, slots=True)
class StudiedRun:
    """A finished run, and how its features of the data set are had."""

    label: str
    """Its name on the page, other than that of every other run of the study."""
    run: Run
    """With its settings, its folder, and the weights from which the method itself is had."""
    features: Callable[[str], SplitFeatures]
    """From the name of a split to its features: computed once, and kept in the run's folder."""


@dataclass(frozen=True, slots=True)
class StudyInput:
    """The material of a study."""

    runs: tuple[StudiedRun, ...]
    """At least as many as it needs."""
    dataset: Dataset
    split: str
    """Where numbers are measured."""
    choices: Mapping[str, str]
    """By name, each one of those that the study offers."""
    tell: Callable[[str], None]
    """Called with what is being done."""


@dataclass(frozen=True, slots=True)
class StudyColumn:
    """A number of a table."""

    name: str
    factor: float = 1
    """By which it is multiplied where people read it."""
    digits: int = 2

    def told(self, value: float) -> str:
        """Return a value in the digits that mean something, without a minus before nothing."""
        return fixed(self.factor * value, self.digits)


@dataclass(frozen=True, slots=True)
class StudyRow:
    """The numbers of one thing."""

    names: tuple[str, ...]
    """Names of the thing, one under each of the table's ``named``."""
    scores: tuple[Score | None, ...]
    """One a column; None where there is none."""


@dataclass(frozen=True, slots=True)
class StudyTable:
    """Numbers with their intervals."""

    title: str
    meaning: str
    """In a sentence or two, for who does not know them."""
    named: tuple[str, ...]
    """Headings of the names of a row: ("run", "part")."""
    columns: tuple[StudyColumn, ...]
    rows: tuple[StudyRow, ...]


@dataclass(frozen=True, slots=True, eq=False)
class StudyOutcome:
    """The findings of a study."""

    tables: tuple[StudyTable, ...]
    findings: tuple[str, ...] = ()
    """In sentences."""
    notes: tuple[str, ...] = ()
    """Sentences about what is left out, and why."""
    pictures: tuple[Picture, ...] = ()
    details: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    """Plain arrays by name, from which the numbers can be had again."""


@dataclass(frozen=True, slots=True)
class Study:
    """An entry of the registry."""

    name: str
    help: str
    """In a line: the question that it answers."""
    needs: str
    """Its needs, in words."""
    compute: Callable[[StudyInput], StudyOutcome]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Choices by name; the first of each is taken where nobody chooses."""
    fewest_runs: int = 1
    splits: tuple[str, ...] = ()
    """Splits that the data set must have, beside the one where numbers are measured."""
