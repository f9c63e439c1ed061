"""The interface of a study: a function from ``StudyInput`` to ``StudyOutcome``, and its registry entry.

A study trains nothing but small heads. It writes and prints nothing; its caller does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset
from turntable.evaluation import ProgressCallback, Score, SplitFeatures, format_fixed
from turntable.evaluation.report import ReportFigure
from turntable.training import Run


@dataclass(frozen=True, slots=True)
class StudiedRun:
    """A finished run that is studied."""

    label: str
    """Name of the run on the page, unique in the study."""
    run: Run
    """The run: its settings, folder and weights."""
    get_features: Callable[[str], SplitFeatures]
    """Function from the name of a split to its features, which are computed once and cached in the run's
    folder."""


@dataclass(frozen=True, slots=True)
class StudyInput:
    """The input of a study."""

    runs: tuple[StudiedRun, ...]
    """Runs, at least ``Study.min_runs``."""
    dataset: Dataset
    """Data set that the runs are studied on."""
    split: str
    """Name of the split that is measured."""
    choices: Mapping[str, str]
    """Value of each of the study's choices, by name."""
    progress: ProgressCallback
    """Function that is called with the progress of each stage."""


@dataclass(frozen=True, slots=True)
class StudyColumn:
    """A column of a table."""

    name: str
    """Heading of the column."""
    factor: float = 1
    """Factor from values to the unit that is shown."""
    digits: int = 2
    """Number of decimals."""
    lower_is_better: bool | None = None
    """True if lower values are better; None if that is not known, so that no value is marked."""

    def format_value(self, value: float) -> str:
        """Format a value in the unit and with the decimals of the column."""
        return format_fixed(self.factor * value, self.digits)


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A row of a table."""

    names: tuple[str, ...]
    """Names of the row, one under each of the table's ``named``; the last is "constant" in the row of the
    constant baseline."""
    scores: tuple[Score | None, ...]
    """Score in each column; None if there is none."""


@dataclass(frozen=True, slots=True)
class StudyTable:
    """A table of scores with their intervals."""

    title: str
    """Title of the table."""
    meaning: str
    """Explanation of the numbers, in a sentence or two."""
    named: tuple[str, ...]
    """Headings of the names of a row, such as ("run", "part")."""
    columns: tuple[StudyColumn, ...]
    """Columns of scores."""
    rows: tuple[StudyRow, ...]
    """Rows of the table."""


@dataclass(frozen=True, slots=True, eq=False)
class StudyOutcome:
    """The output of a study."""

    tables: tuple[StudyTable, ...]
    """Tables of scores."""
    findings: tuple[str, ...] = ()
    """Sentences about the scores."""
    notes: tuple[str, ...] = ()
    """Sentences about what is left out, and why."""
    figures: tuple[ReportFigure, ...] = ()
    """Figures of the page."""
    details: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    """Arrays by name, from which the scores can be computed again."""


@dataclass(frozen=True, slots=True)
class Study:
    """A study, as an entry of the registry."""

    name: str
    """Name of the study at the command line."""
    help: str
    """The question that it answers, in a line."""
    needs: str
    """Requirements on runs and data, in words."""
    compute: Callable[[StudyInput], StudyOutcome]
    """Function that computes the study."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Possible values of each choice by name; the first is the default."""
    min_runs: int = 1
    """Minimal number of runs."""
    splits: tuple[str, ...] = ()
    """Splits that the data set must have, besides the one that is measured."""
