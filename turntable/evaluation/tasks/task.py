"""The interface of an evaluation task, and the splits that tasks are fitted and scored on."""

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.figure_data import TaskFigureData
from turntable.evaluation.measurement import (
    BootstrapResamples,
    ProbeConfig,
    ProbeTrainer,
    Scores,
    do_nothing,
)
from turntable.evaluation.score_table_specs import ScoreTable
from turntable.evaluation.tasks.samples import Features, PairConfig
from turntable.loaders import Samples


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedSplit:
    """A split to fit or to score on, with the settings that all tasks of a protocol share."""

    name: str
    """Name of the split in notes."""
    split: SplitFeatures
    """Features and labels of the split."""
    resamples: BootstrapResamples
    """Bootstrap resamples of its objects; they turn values of each object into scores with intervals."""
    pairs: PairConfig
    """Settings of its pairs of views."""
    is_own_dataset: bool = True
    """True if the split is of the data set that tasks are fitted on."""
    report_epoch: Callable[[], None] = do_nothing
    """Function to call after each epoch of the training of a head, so that progress can be shown."""


Scorer = Callable[[EvaluatedSplit], Scores]
"""Function from a split to scores by metric; the mapping is empty if the split cannot be scored."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedTask:
    """A task fitted for one row of the scores."""

    score: Scorer
    """Function that scores a split."""
    dim: int
    """Number of features of a view that the task reads."""
    make_figure_data: Callable[[EvaluatedSplit], TaskFigureData] | None = None
    """Function from a split to the data of the task's figures; None if it has no figures."""


class Task(typing.Protocol):
    """A task that scores a method, or the features that it has computed."""

    @property
    def name(self) -> str:
        """Name of the task, unique in a protocol."""
        ...

    @property
    def title(self) -> str:
        """Title in notes about tasks that are left out; in the plural if the task requires abilities."""
        ...

    @property
    def required_abilities(self) -> tuple[type, ...]:
        """Abilities that the method must have; none if features are enough."""
        ...

    @property
    def tables(self) -> tuple[ScoreTable, ...]:
        """Tables of its scores in a report."""
        ...

    @property
    def main_metrics(self) -> tuple[str, ...]:
        """Metrics that short tables show, in order."""
        ...

    def find_obstacle(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Return why a split cannot be scored, such as missing labels or views; None if it can."""
        ...

    def list_rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """List the rows of its scores: parts of the features, or rows of its own."""
        ...

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> FittedTask:
        """Fit the task for a row, on the train split."""
        ...

    def build_baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Build the baselines of its scores, by row.

        The constant baseline, "constant", must be there: it sees no image. Others are called "baseline_NAME".
        """
        ...


class FeatureTask(ABC):
    """Base class of tasks that are fitted to every part of the features separately."""

    required_abilities: tuple[type, ...] = ()
    """Abilities that the method must have: none, features are enough."""
    tables: tuple[ScoreTable, ...] = ()
    """Tables of its scores in a report; scores without a table are listed under "Other scores"."""
    main_metrics: tuple[str, ...] = ()
    """Metrics that short tables show, in order."""

    def find_obstacle(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Return why a split cannot be scored; None: every split can."""
        del split, method
        return None

    def list_rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """List the parts of the features."""
        del method
        return tuple(train.split.parts)

    @abstractmethod
    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> FittedTask:
        """Fit the task to a part of the features, ``train.split.parts[row]`` [N, V, D]."""

    @abstractmethod
    def build_baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Build the baselines of its scores, by row; "constant" must be there."""


@typing.runtime_checkable
class HeadTask(Task, typing.Protocol):
    """A task over features whose head is trained batch by batch, as ``train_mode_heads`` needs it."""

    @property
    def probe(self) -> ProbeConfig:
        """Settings of the training of the head."""
        ...

    @property
    def num_views(self) -> int:
        """Number of views of a sample, 1 or 2."""
        ...

    def make_trainer(self, dim: int, train: EvaluatedSplit) -> ProbeTrainer:
        """Make an untrained head for features of width ``dim``."""
        ...

    def compute_head_targets(self, train: SplitFeatures, samples: Samples) -> NDArray[Any]:
        """Compute the targets [P, ...] of P samples."""
        ...

    def build_fitted_task(self, row: str, dim: int, probe: Callable[[Features], Features]) -> FittedTask:
        """Make a fitted task of a trained head that reads features [P, num_views * dim]."""
        ...
