"""The contract of a task: it is fitted on one split, scored on others, and held against what sees nothing."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from turntable.evaluation import CONSTANT, Protocol, Row, ScoreColumn, SplitFeatures, is_baseline
from turntable.evaluation.numbers import Resamples, Resampling, Scores
from turntable.evaluation.report import tables
from turntable.evaluation.tasks import EvaluatedSplit, PairLists, Task
from turntable.models import Aggregates, Classifies, Embeds, Predicts
from turntable.testing.tasks.answers import VIEWS, Knowing, blind, chosen, knowing_split

ABILITIES = (Embeds, Predicts, Aggregates, Classifies)
PAIRS = PairLists(VIEWS * (VIEWS - 1), VIEWS * (VIEWS - 1))
"""All pairs: then the order of the objects decides nothing."""
FEW = Resampling(50)


def seen(split: SplitFeatures) -> EvaluatedSplit:
    """Return a split as a protocol gives it to tasks."""
    return EvaluatedSplit("a split", split, Resamples(split.num_objects, FEW), PAIRS)


def scored(task: Task, train: SplitFeatures, val: SplitFeatures, method: Any) -> dict[str, Scores]:
    """Return the scores of each row of a task, fitted on one split and scored on the other."""
    rows = task.rows(seen(train), method)
    return {row: task.fit(row, seen(train), method).score(seen(val)) for row in rows}


def values_of(rows: Mapping[str, Scores]) -> dict[tuple[str, str], float]:
    """Return the values of scores, by row and metric."""
    return {(row, name): score.value for row, scores in rows.items() for name, score in scores.items()}


def better_of(scores: Scores, others: Scores, columns: Iterable[ScoreColumn]) -> dict[str, bool]:
    """Say of each metric that has a direction, and that both have, whether the first is better."""
    return {
        column.metric: column.sign * (scores[column.metric].value - others[column.metric].value) > 0
        for column in columns
        if column.lower_is_better is not None and column.metric in scores.keys() & others.keys()
    }


class TaskContract:
    """The contract. A test class inherits it and gives a fixture ``task``; the attributes are its settings.

    The splits are made up: their features hold every label of 3DIEBench-T (angles, hues, the light's place,
    translations) and the category. A task that asks for something else gives fixtures ``train`` and ``val``,
    one that asks abilities beside Predicts, Aggregates and Classifies a fixture ``method``.

    .. code-block:: python

        class TestMyTask(TaskContract):
            ranges = {"light_error_deg": (0, 180)}

            @pytest.fixture
            def task(self):
                return LightHeight()
    """

    ranges: Mapping[str, tuple[float, float]] = {}
    """The least and the greatest that scores can be, by metric."""

    @pytest.fixture
    def task(self) -> Task:
        """The task, with heads that are trained shortly."""
        raise NotImplementedError("give the test class a fixture `task` that returns a Task")

    @pytest.fixture
    def train(self) -> SplitFeatures:
        """The split to fit on, whose features hold the answers."""
        return knowing_split(48, 0)

    @pytest.fixture
    def val(self) -> SplitFeatures:
        """The split to score on."""
        return knowing_split(12, 1)

    @pytest.fixture
    def method(self) -> Any:
        """The method that is asked, where the task asks for abilities."""
        return Knowing()

    @pytest.fixture
    def found(self, task: Task, train: SplitFeatures, val: SplitFeatures, method: Any) -> dict[str, Scores]:
        """The scores of each row, of features that hold the answers."""
        return scored(task, train, val, method)

    @pytest.fixture
    def columns(self, task: Task) -> dict[str, ScoreColumn]:
        """The columns of its tables, by metric."""
        return {column.metric: column for table in task.tables for column in table.columns}

    def test_it_says_what_it_is(self, task: Task) -> None:
        """A frozen value with a name, a title, and the abilities that it asks for."""
        params: Any = getattr(task, "__dataclass_params__", None)
        assert params is not None, "a task is a dataclass: its fields are the settings that results tell"
        assert params.frozen, "a task is a frozen value: @dataclass(frozen=True)"
        assert task.name.strip(), "a task has a name, which no other task of a protocol has"
        assert task.title.strip(), "a task has a title, for notes that say what is left out"
        for ability in task.asks:
            assert ability in ABILITIES, "a task asks for abilities of turntable.models"

    def test_results_can_tell_it(self, task: Task) -> None:
        """What a file of results says of the protocol."""
        plain = Protocol("mine", (task,)).to_plain()
        assert json.loads(json.dumps(plain)) == plain, "the settings of a task are plain values, or name them"

    def test_its_tables_show_its_scores(
        self, task: Task, found: dict[str, Scores], columns: dict[str, ScoreColumn]
    ) -> None:
        """Every column has a heading and its place; findings and short tables name columns."""
        of_all = [column.metric for table in task.tables for column in table.columns]
        assert len(of_all) == len(columns), "a metric stands in one column"
        for metric, column in columns.items():
            assert column.heading.strip(), f"the column of {metric} has a heading"
        for table in task.tables:
            assert table.title.strip(), "a table has a title"
            assert table.meaning.strip(), "a table says in a sentence what it means"
            if table.finding is not None:
                assert table.finding.metric in columns, "a finding is about a metric of the task's tables"
        assert set(task.main) <= columns.keys(), "the main metrics are columns of the task's tables"
        metrics = {name for scores in found.values() for name in scores}
        assert set(task.main) <= metrics, "the task gives every main metric"
        if task.tables:
            assert metrics <= columns.keys(), "every score has a column in the task's tables"
            rows = [("a method", Row(name, 1, scores)) for name, scores in found.items()]
            assert tables(rows), "a report shows the scores"

    def test_scores_are_finite_and_within_their_intervals(self, found: dict[str, Scores]) -> None:
        """And within the ranges that the test class states."""
        assert any(found.values()), "features that hold the answers have scores"
        for row, scores in found.items():
            for name, score in scores.items():
                assert np.isfinite([score.value, score.low, score.high]).all(), f"{name} of {row} is finite"
                assert score.low <= score.value <= score.high or np.isclose(score.low, score.high), (
                    f"the interval of {name} holds its value: let place.resamples make it"
                )
                low, high = self.ranges.get(name, (-np.inf, np.inf))
                assert low <= score.value <= high, f"{name} is between {low} and {high}, as `ranges` says"

    def test_it_has_a_baseline_that_sees_nothing(
        self, task: Task, train: SplitFeatures, val: SplitFeatures, found: dict[str, Scores]
    ) -> None:
        """The constant gives the same scores for any features; other baselines are called so."""
        baselines = task.baselines(seen(train))
        assert CONSTANT in baselines, f"there is a baseline {CONSTANT!r}, which sees no features"
        wrong = [name for name in baselines if not is_baseline(name)]
        assert not wrong, f"baselines beside {CONSTANT!r} are called baseline_NAME, not {', '.join(wrong)}"
        here = baselines[CONSTANT](seen(val))
        there = task.baselines(seen(blind(train, 2)))[CONSTANT](seen(blind(val, 3)))
        metrics = {name for scores in found.values() for name in scores}
        assert set(task.main) <= here.keys() <= metrics, (
            "the constant has the task's main metrics, and none that the rows do not have"
        )
        if not task.asks:  # what a method makes may be the target itself
            assert here == there, "the constant sees no features: its scores are the same for others"

    def test_features_that_hold_the_answer_score_better(
        self,
        task: Task,
        train: SplitFeatures,
        val: SplitFeatures,
        method: Any,
        found: dict[str, Scores],
        columns: dict[str, ScoreColumn],
    ) -> None:
        """Better than noise and than what sees nothing, by each main metric; by one where none is main."""
        noise = scored(task, blind(train, 2), blind(val, 3), method)
        constant = task.baselines(seen(train))[CONSTANT](seen(val))
        enough = all if task.main else any
        for row, scores in found.items():
            for which, others in (("noise", noise[row]), ("what sees nothing", constant)):
                better = better_of(scores, others, [columns[name] for name in task.main or columns])
                worse = ", ".join(name for name, is_better in better.items() if not is_better)
                told = (
                    f"features that hold the answer score better than {which} does; not so {worse} of {row}"
                )
                assert enough(better.values()) or not better, told

    def test_the_order_of_objects_changes_nothing(
        self, task: Task, train: SplitFeatures, val: SplitFeatures, method: Any, found: dict[str, Scores]
    ) -> None:
        """Scores are of a split, however its objects are numbered."""
        order = np.random.default_rng(0).permutation(val.num_objects)
        moved = values_of(scored(task, train, chosen(val, order), method))
        for key, value in values_of(found).items():
            wanted = f"{key[1]} of {key[0]} does not depend on the order of the objects that are scored on"
            assert moved[key] == pytest.approx(value, rel=1e-6, abs=1e-9), wanted

    def test_the_same_call_gives_the_same_scores(
        self, task: Task, train: SplitFeatures, val: SplitFeatures, method: Any, found: dict[str, Scores]
    ) -> None:
        """To the bit: what is drawn has a seed among the task's settings."""
        assert scored(task, train, val, method) == found, "the same call gives the same scores, to the bit"

    def test_what_it_cannot_be_asked_it_says(
        self, task: Task, train: SplitFeatures, val: SplitFeatures, method: Any
    ) -> None:
        """Of one category, of one view, without labels: a reason, or scores; never an error."""
        assert task.lacks(train, method) is None, "a split with all labels can be asked"
        for told, change in CUTS.items():
            cut_train, cut_val = change(train), change(val)
            reasons = [task.lacks(split, method) for split in (cut_train, cut_val)]
            for reason in reasons:
                assert reason is None or reason.strip(), "a reason is a text that users read; None is none"
            if reasons == [None, None]:
                for row, scores in scored(task, cut_train, cut_val, method).items():
                    values = [score.value for score in scores.values()]
                    assert np.isfinite(values).all(), (
                        f"scores of {told} are finite, or lacks says why not ({row})"
                    )


def one_view(split: SplitFeatures) -> SplitFeatures:
    """Return the split with the first view of each object alone."""
    return chosen(split, slice(None), slice(0, 1))


def one_category(split: SplitFeatures) -> SplitFeatures:
    """Return the split as if all its objects were of one category."""
    return dataclasses.replace(split, categories=np.zeros_like(split.categories))


def no_labels(split: SplitFeatures) -> SplitFeatures:
    """Return the split without labels, and without embeddings to predict from."""
    return dataclasses.replace(split, labels=None, schema=None, source=None, target=None)


CUTS = {"one view": one_view, "one category": one_category, "no labels": no_labels}
"""What splits may lack."""
