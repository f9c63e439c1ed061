from dataclasses import replace

import pytest

from tests.support.own_tasks import HiddenNumber, split_of
from turntable.evaluation.measurement import ProbeConfig
from turntable.evaluation.tasks import TASKS
from turntable.testing.tasks import TaskContract

SHORT = ProbeConfig(epochs=15, batch_size=64, learning_rate=2e-2, hidden=64, cosine=True, standardize=True)


def short(task):
    """With a head that is trained shortly."""
    return replace(task, probe=SHORT) if hasattr(task, "probe") else task


class TestTasks(TaskContract):
    """turntable's own."""

    @pytest.fixture(params=[short(task) for task in TASKS], ids=lambda task: task.name)
    def task(self, request):
        return request.param


class TestATaskOfOnesOwn(TaskContract):
    @pytest.fixture
    def task(self):
        return HiddenNumber()

    @pytest.fixture
    def train(self):
        return split_of()

    @pytest.fixture
    def val(self):
        return split_of(seed=1)
