"""The contract of tasks finds what is wrong with one, and says what it wants."""

CODE = """
from dataclasses import dataclass

import numpy as np
import pytest

from turntable.evaluation import ScoreColumn, ScoreTable
from turntable.evaluation.tasks import FeatureTask, Fitted
from turntable.testing.tasks import TaskContract

COLUMN = ScoreColumn("turn_error", "error", lower_is_better=True)


def scores(place, told):
    turn = place.split.quaternions[..., 3]
    return {"turn_error": place.resamples.mean(np.abs(told - turn))}


@dataclass(frozen=True)
class Right(FeatureTask):
    name = "turn"
    title = "turn"
    tables = (ScoreTable("Turn", "How far w is missed.", (COLUMN,)),)
    main = ("turn_error",)

    def fit(self, row, train, method=None):
        def inputs(place):
            return place.split.parts[row].reshape(-1, place.split.parts[row].shape[2])

        wanted = train.split.quaternions[..., 3].ravel()
        weights = np.linalg.lstsq(inputs(train), wanted, rcond=None)[0]
        return Fitted(lambda place: self.measured(place, (inputs(place) @ weights)), len(weights))

    def measured(self, place, told):
        return scores(place, told.reshape(place.split.quaternions.shape[:2]))

    def baselines(self, train):
        mean = train.split.quaternions[..., 3].mean()
        return {"constant": lambda place: scores(place, mean)}


@dataclass(frozen=True)
class Ordered(Right):
    def measured(self, place, told):
        shape = place.split.quaternions.shape[:2]
        off = 0.01 * np.arange(shape[0]) * place.split.categories
        return scores(place, told.reshape(shape) + off[:, None])


@dataclass(frozen=True)
class Seeing(Right):
    def baselines(self, train):
        part = train.split.parts["representation"].mean()
        return {"constant": lambda place: scores(place, part)}


@dataclass(frozen=True)
class Backwards(Right):
    tables = (ScoreTable("Turn", "Less is taken for worse.", (ScoreColumn("turn_error", "error"),)),)


@dataclass(frozen=True)
class NoBaseline(Right):
    def baselines(self, train):
        return {"mean": super().baselines(train)["constant"]}


@dataclass(frozen=True)
class Random(Right):
    def measured(self, place, told):
        return super().measured(place, told + np.random.normal(scale=1e-3, size=told.shape))


@dataclass(frozen=True)
class Unbounded(Right):
    def measured(self, place, told):
        return {"turn_error": place.resamples.mean(np.full(place.split.quaternions.shape[:2], -5.0))}


def tested(kind):
    class Tested(TaskContract):
        ranges = {"turn_error": (0, 2)}

        @pytest.fixture
        def task(self):
            return kind()

    return Tested


TestRight, TestOrdered, TestSeeing = tested(Right), tested(Ordered), tested(Seeing)
TestBackwards, TestNoBaseline = tested(Backwards), tested(NoBaseline)
TestRandom, TestUnbounded = tested(Random), tested(Unbounded)
"""


def test_a_wrong_task_fails_by_name(fail_by_name):
    wanted = {
        "TestOrdered.test_the_order_of_objects_changes_nothing": "does not depend on the order",
        "TestSeeing.test_it_has_a_baseline_that_sees_nothing": "the constant sees no features",
        "TestBackwards.test_features_that_hold_the_answer_score_better": "score better than noise",
        "TestNoBaseline.test_it_has_a_baseline_that_sees_nothing": "there is a baseline 'constant'",
        "TestRandom.test_the_same_call_gives_the_same_scores": "the same scores, to the bit",
        "TestUnbounded.test_scores_are_finite_and_within_their_intervals": "is between 0 and 2, as `ranges`",
    }
    fail_by_name(CODE, "TestRight", wanted)
