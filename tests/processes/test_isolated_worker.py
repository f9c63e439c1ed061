"""An isolated worker: requests, errors, time and memory limits, and the end of its process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.support import with_tests
from tests.support.processes import alive, wait_until_gone
from turntable.errors import InvalidInputError
from turntable.processes import IsolatedWorker, WorkerFailedError

SECONDS = 60.0


@pytest.fixture
def worker() -> Iterator[IsolatedWorker]:
    made = IsolatedWorker("tests.support.isolated_worker_work:make_handler", {"factor": 3})
    yield made
    made.close()


def test_it_answers_many_questions_with_one_process(worker: IsolatedWorker) -> None:
    pid = worker.call("pid", SECONDS)
    assert [worker.call(number, SECONDS) for number in range(5)] == [0, 3, 6, 9, 12]
    assert worker.call("pid", SECONDS) == pid != os.getpid()
    worker.close()
    assert not alive(pid)
    assert worker.call("pid", SECONDS) != pid


def test_what_it_refuses_is_raised_and_it_goes_on(worker: IsolatedWorker) -> None:
    pid = worker.call("pid", SECONDS)
    with pytest.raises(InvalidInputError, match="it cannot be right"):
        worker.call("refuse", SECONDS)
    assert worker.call("pid", SECONDS) == pid


@pytest.mark.parametrize(
    ("question", "seconds", "told"),
    [("hang", 0.3, "more than 0.3 s"), ("die", SECONDS, "exit code 3"), ("fault", SECONDS, "exit code 1")],
)
def test_a_process_that_hangs_or_dies_is_replaced(
    worker: IsolatedWorker, question: str, seconds: float, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    pid = worker.call("pid", SECONDS)
    began = time.monotonic()
    with pytest.raises(WorkerFailedError, match=told):
        worker.call(question, seconds)
    assert time.monotonic() - began < 30
    assert not alive(pid)
    assert worker.call(2, SECONDS) == 6


def test_a_killed_process_is_replaced(worker: IsolatedWorker) -> None:
    pid = worker.call("pid", SECONDS)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerFailedError, match="ended by SIGKILL"):
        worker.call(1, SECONDS)
    assert worker.call(2, SECONDS) == 6


def test_memory_has_a_bound(capfd: pytest.CaptureFixture[str]) -> None:
    worker = IsolatedWorker("tests.support.isolated_worker_work:make_handler", memory_bytes=2 << 30)
    assert worker.call(2, SECONDS) == 4
    with pytest.raises(WorkerFailedError, match="its process ended with exit code 1"):
        worker.call("swell", SECONDS)
    assert worker.call(2, SECONDS) == 4
    worker.close()


def test_what_makes_the_answerer_may_refuse(capfd: pytest.CaptureFixture[str]) -> None:
    worker = IsolatedWorker("tests.support.isolated_worker_work:refuse_to_start")
    for _ in range(2):
        with pytest.raises(InvalidInputError, match="there is no handler"):
            worker.call(1, SECONDS)
    missing = IsolatedWorker("no_such_module:function")
    with pytest.raises(WorkerFailedError, match="exit code 1"):
        missing.call(1, SECONDS)


PARENT = """
import sys
from turntable.processes.isolated_worker import IsolatedWorker
worker = IsolatedWorker("tests.support.isolated_worker_work:make_handler")
print(worker.call("pid", 60), flush=True)
worker.call("hang", 60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_it_leaves_with_its_parent_even_from_the_middle_of_a_request(number: int) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + PARENT,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=with_tests(),
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(number)
    parent.communicate(timeout=60)
    wait_until_gone([pid])
