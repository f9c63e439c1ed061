"""The contract tests of tasks fail for a wrong task, and name the rule that it breaks."""

CODE = """
from dataclasses import dataclass

import numpy as np
import pytest

from turntable.evaluation import ScoreColumn, ScoreTable
from turntable.evaluation.tasks import FeatureTask, FittedTask
from turntable.testing.tasks import TaskContract

COLUMN = ScoreColumn("turn_error", "error", lower_is_better=True)


def compute_scores(evaluated, prediction):
    turn = evaluated.split.quaternions[..., 3]
    return {"turn_error": evaluated.resamples.compute_mean(np.abs(prediction - turn))}


@dataclass(frozen=True)
class Right(FeatureTask):
    name = "turn"
    title = "turn"
    tables = (ScoreTable("Turn", "Error of w.", (COLUMN,)),)
    main_metrics = ("turn_error",)

    def fit(self, row, train, method=None):
        def inputs(evaluated):
            return evaluated.split.parts[row].reshape(-1, evaluated.split.parts[row].shape[2])

        target = train.split.quaternions[..., 3].ravel()
        weights = np.linalg.lstsq(inputs(train), target, rcond=None)[0]
        return FittedTask(lambda evaluated: self.score(evaluated, inputs(evaluated) @ weights), len(weights))

    def score(self, evaluated, prediction):
        return compute_scores(evaluated, prediction.reshape(evaluated.split.quaternions.shape[:2]))

    def build_baselines(self, train):
        mean = train.split.quaternions[..., 3].mean()
        return {"constant": lambda evaluated: compute_scores(evaluated, mean)}


@dataclass(frozen=True)
class DependsOnOrder(Right):
    def score(self, evaluated, prediction):
        shape = evaluated.split.quaternions.shape[:2]
        off = 0.01 * np.arange(shape[0]) * evaluated.split.categories
        return compute_scores(evaluated, prediction.reshape(shape) + off[:, None])


@dataclass(frozen=True)
class DependsOnFeatures(Right):
    def build_baselines(self, train):
        part = train.split.parts["representation"].mean()
        return {"constant": lambda evaluated: compute_scores(evaluated, part)}


@dataclass(frozen=True)
class WrongDirection(Right):
    tables = (ScoreTable("Turn", "Lower is taken for worse.", (ScoreColumn("turn_error", "error"),)),)


@dataclass(frozen=True)
class NoBaseline(Right):
    def build_baselines(self, train):
        return {"mean": super().build_baselines(train)["constant"]}


@dataclass(frozen=True)
class Random(Right):
    def score(self, evaluated, prediction):
        return super().score(evaluated, prediction + np.random.normal(scale=1e-3, size=prediction.shape))


@dataclass(frozen=True)
class Unbounded(Right):
    def score(self, evaluated, prediction):
        errors = np.full(evaluated.split.quaternions.shape[:2], -5.0)
        return {"turn_error": evaluated.resamples.compute_mean(errors)}


def make_test_class(task_class):
    class Tested(TaskContract):
        ranges = {"turn_error": (0, 2)}

        @pytest.fixture
        def task(self):
            return task_class()

    return Tested


TestRight = make_test_class(Right)
TestDependsOnOrder = make_test_class(DependsOnOrder)
TestDependsOnFeatures = make_test_class(DependsOnFeatures)
TestWrongDirection = make_test_class(WrongDirection)
TestNoBaseline = make_test_class(NoBaseline)
TestRandom = make_test_class(Random)
TestUnbounded = make_test_class(Unbounded)
"""


def test_a_wrong_task_fails_by_name(fail_by_name):
    wanted = {
        "TestDependsOnOrder.test_the_order_of_objects_changes_nothing": "does not depend on the order",
        "TestDependsOnFeatures.test_it_has_a_constant_baseline": "the constant baseline ignores the features",
        "TestWrongDirection.test_features_with_the_answer_score_better": "score better than noise",
        "TestNoBaseline.test_it_has_a_constant_baseline": "there is a baseline 'constant'",
        "TestRandom.test_the_same_call_gives_the_same_scores": "the same scores, to the bit",
        "TestUnbounded.test_scores_are_finite_and_within_their_intervals": "is between 0 and 2, as `ranges`",
    }
    fail_by_name(CODE, "TestRight", wanted)
