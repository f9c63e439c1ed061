"""The contract of a task: it is fitted on one split, scored on another, and has a constant baseline."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from turntable.evaluation import CONSTANT_ROW, Protocol, ScoreColumn, ScoreRow, SplitFeatures, is_baseline
from turntable.evaluation.measurement import BootstrapConfig, BootstrapResamples, Scores
from turntable.evaluation.report import build_tables
from turntable.evaluation.tasks import EvaluatedSplit, PairConfig, Task
from turntable.models import Aggregates, Classifies, Embeds, Predicts
from turntable.testing.tasks.oracle import (
    NUM_VIEWS,
    OracleMethod,
    make_oracle_split,
    select_views,
    with_noise,
)

ABILITIES = (Embeds, Predicts, Aggregates, Classifies)
PAIRS = PairConfig(NUM_VIEWS * (NUM_VIEWS - 1), NUM_VIEWS * (NUM_VIEWS - 1))
"""Settings that evaluate all pairs, so that the order of the objects does not matter."""
FEW_RESAMPLES = BootstrapConfig(50)
"""Settings of the confidence intervals, with few resamples for speed."""


def to_evaluated_split(split: SplitFeatures) -> EvaluatedSplit:
    """Return a split in the form in which a protocol passes it to tasks."""
    return EvaluatedSplit("a split", split, BootstrapResamples(split.num_objects, FEW_RESAMPLES), PAIRS)


def compute_scores(task: Task, train: SplitFeatures, val: SplitFeatures, method: Any) -> dict[str, Scores]:
    """Compute the scores of each row of a task, fitted on one split and scored on the other."""
    rows = task.list_rows(to_evaluated_split(train), method)
    return {
        row: task.fit(row, to_evaluated_split(train), method).score(to_evaluated_split(val)) for row in rows
    }


def get_values(rows: Mapping[str, Scores]) -> dict[tuple[str, str], float]:
    """Return the values of scores by row and metric."""
    return {(row, name): score.value for row, scores in rows.items() for name, score in scores.items()}


def compare_scores(scores: Scores, others: Scores, columns: Iterable[ScoreColumn]) -> dict[str, bool]:
    """Return for each metric True if the first score is better than the second.

    Metrics without a direction, or that one of the two lacks, are left out.
    """
    return {
        column.metric: column.sign * (scores[column.metric].value - others[column.metric].value) > 0
        for column in columns
        if column.lower_is_better is not None and column.metric in scores.keys() & others.keys()
    }


class TaskContract:
    """The contract tests of a task. A test class inherits them and provides a fixture ``task``.

    The class attribute is a setting of the tests. The splits are synthetic: their features contain the
    category and every label of 3DIEBench-T (angles, hues, the position of the light, translations). For a
    task that needs something else, override the fixtures ``train`` and ``val``. For one that needs other
    abilities than Embeds, Predicts, Aggregates and Classifies, override the fixture ``method``.

    .. code-block:: python

        class TestMyTask(TaskContract):
            ranges = {"light_error_deg": (0, 180)}

            @pytest.fixture
            def task(self):
                return LightHeight()
    """

    ranges: Mapping[str, tuple[float, float]] = {}
    """Smallest and largest possible scores by metric."""

    @pytest.fixture
    def task(self) -> Task:
        """The task, with heads that train briefly; a test class overrides this fixture."""
        raise NotImplementedError("give the test class a fixture `task` that returns a Task")

    @pytest.fixture
    def train(self) -> SplitFeatures:
        """The split to fit on, whose features contain the answers."""
        return make_oracle_split(48, 0)

    @pytest.fixture
    def val(self) -> SplitFeatures:
        """The split to score on."""
        return make_oracle_split(12, 1)

    @pytest.fixture
    def method(self) -> Any:
        """The method for tasks that need abilities of a method."""
        return OracleMethod()

    @pytest.fixture
    def found(self, task: Task, train: SplitFeatures, val: SplitFeatures, method: Any) -> dict[str, Scores]:
        """The scores of each row, for features that contain the answers."""
        return compute_scores(task, train, val, method)

    @pytest.fixture
    def columns(self, task: Task) -> dict[str, ScoreColumn]:
        """The columns of the task's tables by metric."""
        return {column.metric: column for table in task.tables for column in table.columns}

    def test_it_says_what_it_is(self, task: Task) -> None:
        """A task is a frozen dataclass with a name, a title, and the abilities that it needs."""
        params: Any = getattr(task, "__dataclass_params__", None)
        assert params is not None, "a task is a dataclass, whose fields are the settings in a file of results"
        assert params.frozen, "a task is frozen: @dataclass(frozen=True)"
        assert task.name.strip(), "a task has a name, which no other task of a protocol has"
        assert task.title.strip(), "a task has a title, for notes about tasks that are left out"
        for ability in task.required_abilities:
            assert ability in ABILITIES, "the abilities that a task needs are those of turntable.models"

    def test_its_settings_are_plain_values(self, task: Task) -> None:
        """A file of results can store the settings of the task as JSON."""
        plain = Protocol("mine", (task,)).to_plain()
        assert json.loads(json.dumps(plain)) == plain, "the settings of a task are plain values, or name them"

    def test_its_tables_show_its_scores(
        self, task: Task, found: dict[str, Scores], columns: dict[str, ScoreColumn]
    ) -> None:
        """Each column has a heading and a metric of its own; findings and main metrics name columns."""
        metrics_of_columns = [column.metric for table in task.tables for column in table.columns]
        assert len(metrics_of_columns) == len(columns), "a metric has only one column"
        for metric, column in columns.items():
            assert column.heading.strip(), f"the column of {metric} has a heading"
        for table in task.tables:
            assert table.title.strip(), "a table has a title"
            assert table.meaning.strip(), "a table has a sentence that explains it"
            if table.finding is not None:
                assert table.finding.metric in columns, "a finding is about a metric of the task's tables"
        assert set(task.main_metrics) <= columns.keys(), "the main metrics are columns of the task's tables"
        metrics = {name for scores in found.values() for name in scores}
        assert set(task.main_metrics) <= metrics, "the task has a score for every main metric"
        if task.tables:
            assert metrics <= columns.keys(), "every score has a column in the task's tables"
            rows = [("a method", ScoreRow(name, 1, scores)) for name, scores in found.items()]
            assert build_tables(rows), "a report shows the scores"

    def test_scores_are_finite_and_within_their_intervals(self, found: dict[str, Scores]) -> None:
        """Scores are finite, within their confidence intervals, and within ``ranges``."""
        assert any(found.values()), "features that contain the answers have scores"
        for row, scores in found.items():
            for name, score in scores.items():
                assert np.isfinite([score.value, score.low, score.high]).all(), f"{name} of {row} is finite"
                assert score.low <= score.value <= score.high or np.isclose(score.low, score.high), (
                    f"the interval of {name} contains its value (EvaluatedSplit.resamples computes both)"
                )
                low, high = self.ranges.get(name, (-np.inf, np.inf))
                assert low <= score.value <= high, f"{name} is between {low} and {high}, as `ranges` says"

    def test_it_has_a_constant_baseline(
        self, task: Task, train: SplitFeatures, val: SplitFeatures, found: dict[str, Scores]
    ) -> None:
        """The constant baseline has the same scores for all features; others are named baseline_NAME."""
        baselines = task.build_baselines(to_evaluated_split(train))
        assert CONSTANT_ROW in baselines, f"there is a baseline {CONSTANT_ROW!r}, which ignores the features"
        wrong = [name for name in baselines if not is_baseline(name)]
        assert not wrong, (
            f"baselines other than {CONSTANT_ROW!r} are named baseline_NAME, not {', '.join(wrong)}"
        )
        here = baselines[CONSTANT_ROW](to_evaluated_split(val))
        there = task.build_baselines(to_evaluated_split(with_noise(train, 2)))[CONSTANT_ROW](
            to_evaluated_split(with_noise(val, 3))
        )
        metrics = {name for scores in found.values() for name in scores}
        assert set(task.main_metrics) <= here.keys() <= metrics, (
            "the constant baseline has the task's main metrics, and no metric that the rows lack"
        )
        # A task that uses a method may compare with features that the method made, so those do matter.
        if not task.required_abilities:
            assert here == there, "the constant baseline ignores the features: its scores are always the same"

    def test_features_with_the_answer_score_better(
        self,
        task: Task,
        train: SplitFeatures,
        val: SplitFeatures,
        method: Any,
        found: dict[str, Scores],
        columns: dict[str, ScoreColumn],
    ) -> None:
        """Features with the answer beat noise and the constant baseline, in each main metric.

        A task without main metrics has to beat them in at least one metric.
        """
        noise = compute_scores(task, with_noise(train, 2), with_noise(val, 3), method)
        constant = task.build_baselines(to_evaluated_split(train))[CONSTANT_ROW](to_evaluated_split(val))
        all_or_any = all if task.main_metrics else any
        for row, scores in found.items():
            for which, others in (("noise", noise[row]), ("the constant baseline", constant)):
                better = compare_scores(
                    scores, others, [columns[name] for name in task.main_metrics or columns]
                )
                worse = ", ".join(name for name, is_better in better.items() if not is_better)
                rule = f"features with the answer score better than {which}; not so {worse} of {row}"
                assert all_or_any(better.values()) or not better, rule

    def test_the_order_of_objects_changes_nothing(
        self, task: Task, train: SplitFeatures, val: SplitFeatures, method: Any, found: dict[str, Scores]
    ) -> None:
        """Scores do not depend on the order of the objects."""
        order = np.random.default_rng(0).permutation(val.num_objects)
        permuted = get_values(compute_scores(task, train, select_views(val, order), method))
        for key, value in get_values(found).items():
            rule = f"{key[1]} of {key[0]} does not depend on the order of the objects"
            assert permuted[key] == pytest.approx(value, rel=1e-6, abs=1e-9), rule

    def test_the_same_call_gives_the_same_scores(
        self, task: Task, train: SplitFeatures, val: SplitFeatures, method: Any, found: dict[str, Scores]
    ) -> None:
        """Scores are the same to the bit, as the seeds are settings of the task."""
        assert compute_scores(task, train, val, method) == found, (
            "the same call gives the same scores, to the bit"
        )

    def test_it_says_why_a_split_is_not_enough(
        self, task: Task, train: SplitFeatures, val: SplitFeatures, method: Any
    ) -> None:
        """A task has a reason or scores for one category, one view or no labels, but never an error."""
        assert task.find_obstacle(train, method) is None, "a split with all labels is enough for a task"
        for description, change in REDUCTIONS.items():
            reduced_train, reduced_val = change(train), change(val)
            reasons = [task.find_obstacle(split, method) for split in (reduced_train, reduced_val)]
            for reason in reasons:
                assert reason is None or reason.strip(), "a reason is a text for users; None if there is none"
            if reasons == [None, None]:
                for row, scores in compute_scores(task, reduced_train, reduced_val, method).items():
                    values = [score.value for score in scores.values()]
                    assert np.isfinite(values).all(), (
                        f"scores with {description} are finite, or find_obstacle says why not ({row})"
                    )


def keep_one_view(split: SplitFeatures) -> SplitFeatures:
    """Return the split with the first view of each object only."""
    return select_views(split, slice(None), slice(0, 1))


def with_one_category(split: SplitFeatures) -> SplitFeatures:
    """Return the split with all objects in one category."""
    return dataclasses.replace(split, categories=np.zeros_like(split.categories))


def without_labels(split: SplitFeatures) -> SplitFeatures:
    """Return the split without labels, and without embeddings to predict from."""
    return dataclasses.replace(split, labels=None, schema=None, source=None, target=None)


REDUCTIONS = {"one view": keep_one_view, "one category": with_one_category, "no labels": without_labels}
"""Functions that remove from a split what a task may need, by a description."""
