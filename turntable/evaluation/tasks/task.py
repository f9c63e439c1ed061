"""The contract of a task: it asks something of a method, is fitted on one split and scored on others."""

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from turntable.evaluation.details import Shown
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import Learner, ProbeConfig, Resamples, Scores
from turntable.evaluation.tables import ScoreTable
from turntable.evaluation.tasks.samples import Features, PairLists
from turntable.loaders import Samples


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedSplit:
    """A split to fit or to score on, with what all tasks of a protocol share."""

    name: str
    """The name that notes have for it."""
    split: SplitFeatures
    resamples: Resamples
    """Resamples of its objects: they make scores of values of each object."""
    pairs: PairLists
    is_home: bool = True
    """True where it is of the data set that tasks are fitted on."""


Scorer = Callable[[EvaluatedSplit], Scores]
"""From a split to scores by metric; an empty mapping where it cannot be asked after all."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A task that is fitted to a row."""

    score: Scorer
    dim: int
    """Numbers of a view that it reads."""
    show: Callable[[EvaluatedSplit], Shown] | None = None
    """Gives what the pictures of a report show of it."""


class Task(typing.Protocol):
    """Something that is asked of a method, or of the features that it made."""

    @property
    def name(self) -> str:
        """Its name; no other task of the protocol has it."""
        ...

    @property
    def title(self) -> str:
        """A title for notes that say what is left out; in the plural where it ``asks``."""
        ...

    @property
    def asks(self) -> tuple[type, ...]:
        """The abilities that it asks of the method; none where features are enough."""
        ...

    @property
    def tables(self) -> tuple[ScoreTable, ...]:
        """Its part of the report."""
        ...

    @property
    def main(self) -> tuple[str, ...]:
        """Its metrics that stand in short tables, in their order."""
        ...

    def lacks(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Say why a split cannot be asked, such as for want of labels or views; None where it can."""
        ...

    def rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """Name the rows of its scores: parts of the features, or rows of its own."""
        ...

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> Fitted:
        """Fit it to a row, on the train split."""
        ...

    def baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Give what its scores are held against, by row: "constant", which sees nothing, must be there.

        Others are called "baseline_NAME".
        """
        ...


class FeatureTask(ABC):
    """A task over every part of the features, by itself; what all such tasks have in common."""

    asks: tuple[type, ...] = ()
    tables: tuple[ScoreTable, ...] = ()
    """Without any, its scores stand among the other scores."""
    main: tuple[str, ...] = ()

    def lacks(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Say why a split cannot be asked; None: each can."""
        del split, method
        return None

    def rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """Name the parts."""
        del method
        return tuple(train.split.parts)

    @abstractmethod
    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> Fitted:
        """Fit it to a part, ``train.split.parts[row]`` [N, V, D]."""

    @abstractmethod
    def baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Give what its scores are held against, by row."""


@typing.runtime_checkable
class HeadTask(Task, typing.Protocol):
    """A task over features whose head learns batch by batch, so that the backbone may drift meanwhile."""

    @property
    def probe(self) -> ProbeConfig:
        """How the head is trained."""
        ...

    @property
    def views(self) -> int:
        """Views of a sample, 1 or 2."""
        ...

    def learner(self, dim: int, train: EvaluatedSplit) -> Learner:
        """Make a head for features of a width, which has learned nothing."""
        ...

    def targets(self, train: SplitFeatures, samples: Samples) -> NDArray[Any]:
        """Give what a head is to learn of P samples, [P, ...]."""
        ...

    def fitted(self, row: str, dim: int, probe: Callable[[Features], Features]) -> Fitted:
        """Make a fitted task of a trained head, from features [P, views * dim]."""
        ...
