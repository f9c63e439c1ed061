"""A fake cluster that loses shards, raises errors, or is asked to stop."""

from collections import namedtuple
from types import SimpleNamespace

import pytest

from turntable.errors import MeshError, TurntableError
from turntable.renderer.runs.engines import ray as engine

Task = namedtuple("Task", "name")  # noqa: PYI024
TASKS = [Task("train/shard-000000"), Task("train/shard-000001")]


class LostNodeError(Exception):
    pass


class FailedError(Exception):
    """The error of a task; ``cause`` is what it raised."""

    def __init__(self, cause):
        super().__init__(f"a task raised {cause!r}")
        self.cause = cause


class Cluster:
    """A cluster with a place for each CPU; a shard's result is the next of its ``answers``."""

    exceptions = SimpleNamespace(
        WorkerCrashedError=LostNodeError,
        NodeDiedError=LostNodeError,
        OutOfMemoryError=LostNodeError,
        ObjectLostError=LostNodeError,
        RayTaskError=FailedError,
    )

    def __init__(self, answers=None, resources=({"CPU": 1},)):
        self.answers = answers or {}
        self.resources = list(resources)
        self.asked, self.begun, self.cancelled = None, [], []

    def remote(self, **asked):
        self.asked = asked
        return lambda make: SimpleNamespace(remote=self.begin)

    def begin(self, setup, task):
        self.begun.append(task.name)
        return task.name

    def wait(self, references, num_returns, timeout):
        return references[:num_returns], references[num_returns:]

    def get(self, reference):
        answer = self.answers.get(reference, []).pop(0) if self.answers.get(reference) else reference
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self, reference, force):
        self.cancelled.append(reference)

    def cluster_resources(self):
        return self.resources.pop(0) if len(self.resources) > 1 else self.resources[0]


class FakeCallbacks:
    """Callbacks that note what they are told, and may ask to stop after some shards."""

    def __init__(self, stop_after=None):
        self.done, self.replaced, self.stop_after = [], [], stop_after

    def on_shard_done(self, task, result):
        self.done.append(result)

    def on_progress(self, counts):
        pass

    def on_worker_replaced(self, worker, cause):
        self.replaced.append((worker, cause))

    def should_stop(self):
        return self.stop_after is not None and len(self.done) >= self.stop_after


def run(cluster, callbacks, **settings):
    engine._RayTasks(cluster, engine.RayEngine(**settings), list(TASKS), None, callbacks).run()


def test_what_is_lost_is_made_again():
    name = TASKS[0].name
    cluster, callbacks = Cluster({name: [LostNodeError(), LostNodeError()]}), FakeCallbacks()
    run(cluster, callbacks)
    assert cluster.begun == [name] * 3 + [TASKS[1].name]
    assert callbacks.done == [task.name for task in TASKS]
    assert callbacks.replaced == [
        (number, f"of the cluster was lost with {name} (LostNodeError)") for number in (1, 2)
    ]


def test_what_is_always_lost_ends_the_run_and_what_is_in_work():
    cluster = Cluster({TASKS[0].name: [LostNodeError()] * engine.MAX_LOSSES}, resources=[{"CPU": 2}])
    with pytest.raises(TurntableError, match=r"000000: lost 10 times .* by LostNodeError; look at the clus"):
        run(cluster, FakeCallbacks())
    assert cluster.cancelled in ([], [TASKS[1].name])
    assert cluster.begun.count(TASKS[0].name) == engine.MAX_LOSSES


@pytest.mark.parametrize(
    "cause", [MeshError("chair: broken", reason="broken"), ValueError("a fault of ours")]
)
def test_what_a_task_raises_ends_the_run(cause):
    """An error for users comes as it was; any other with all that Ray knows of it."""
    cluster = Cluster({TASKS[0].name: [FailedError(cause)]}, resources=[{"CPU": 2}])
    with pytest.raises(MeshError if isinstance(cause, MeshError) else FailedError, match=str(cause)):
        run(cluster, FakeCallbacks())
    assert cluster.cancelled == [TASKS[1].name]


def test_a_stop_leaves_what_is_not_begun():
    cluster, callbacks = Cluster(), FakeCallbacks(stop_after=1)
    run(cluster, callbacks)
    assert cluster.begun == callbacks.done == [TASKS[0].name]


def test_a_cluster_without_a_place_is_waited_for(monkeypatch):
    monkeypatch.setattr(engine, "POLL_S", 0)
    cluster, callbacks = Cluster(resources=[{}, {}, {}, {"CPU": 4}]), FakeCallbacks()
    run(cluster, callbacks)
    assert len(callbacks.done) == 2


@pytest.mark.parametrize(
    ("resources", "settings", "gpus"),
    [
        ({"CPU": 8}, {}, 0.0),
        ({"CPU": 8, "GPU": 2}, {}, 0.25),
        ({"CPU": 2, "GPU": 8}, {}, 1.0),
        ({"CPU": 8, "GPU": 2}, {"cpus": 4}, 1.0),
        ({"CPU": 8, "GPU": 2}, {"gpus": 0.5}, 0.5),
    ],
)
def test_gpus_are_shared_out_among_the_places(resources, settings, gpus):
    cluster = Cluster(resources=[resources])
    run(cluster, FakeCallbacks(), **settings)
    assert cluster.asked == {"max_retries": 0, "num_cpus": settings.get("cpus", 1.0), "num_gpus": gpus}
