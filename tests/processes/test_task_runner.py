import os
import pickle
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.support import with_tests
from tests.support.processes import alive, wait_until, wait_until_gone
from tests.support.task_runner_work import ERRORS, STEPS, RunLog, read_numbers, run_misbehaving
from turntable.errors import DeviceError, TurntableError
from turntable.processes import WorkerLimits, task_runner
from turntable.processes.task_runner import MAX_TRIES

BY_SIGKILL = "ended by SIGKILL (usually by the kernel's out-of-memory killer: use fewer workers)"
ENDS = [
    ("kill", BY_SIGKILL),
    ("exit", "ended with exit code 7"),
    ("lose", "lost its device (reset by the driver)"),
]


@pytest.fixture
def folder(tmp_path):
    """A folder for the files of workers. After the test no worker may be left, not even as a zombie."""
    yield tmp_path
    assert read_numbers(tmp_path, "process"), "no worker was started"
    assert not [pid for pid in read_numbers(tmp_path, "process") if alive(pid)]


def test_every_task_is_done_by_the_same_few_processes(folder):
    log = run_misbehaving(folder, ["one", "two", "three", "four", "five"], ["a", "b"])
    assert sorted(answer.task for answer in log.done) == ["five", "four", "one", "three", "two"]
    assert len(read_numbers(folder, "process")) == 2
    assert log.steps[-1] == 5 * STEPS
    assert log.replaced == []


def test_no_process_is_started_without_a_task(folder):
    run_misbehaving(folder, ["one"], ["a", "b", "c"])
    assert len(read_numbers(folder, "process")) == 1


@pytest.mark.parametrize(("word", "how"), ENDS)
def test_a_worker_that_ends_is_replaced(folder, word, how):
    log = run_misbehaving(folder, ["one", f"{word} once", "three"])
    assert sorted(answer.task for answer in log.done) == sorted(["one", f"{word} once", "three"])
    assert log.replaced == [(0, f"{how} while making <{word} once>")]
    assert len(read_numbers(folder, "process")) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("word", "how"), ENDS)
def test_a_task_that_ends_every_worker_ends_the_run(folder, word, how):
    log = RunLog()
    with pytest.raises(TurntableError) as raised:
        run_misbehaving(folder, ["one", word, "three"], log=log)
    assert str(raised.value) == (
        f"<{word}>: {MAX_TRIES} worker processes failed at it, one after the other; the last {how}. "
        "Run the same command again: it resumes"
    )
    assert len(read_numbers(folder, "process")) == MAX_TRIES
    assert len(log.replaced) == MAX_TRIES - 1
    assert [answer.task for answer in log.done] == ["one"]


@pytest.mark.slow
def test_what_a_dead_worker_reported_is_not_counted(folder):
    log = run_misbehaving(folder, ["kill once", "exit once", "lose once", "four"], ["a", "b"])
    assert max(log.steps) == log.steps[-1] == 4 * STEPS


@pytest.mark.slow
def test_a_worker_that_replaces_another_has_its_number_and_setup(folder):
    """The first worker is kept busy, so that it cannot take over the task."""
    log = run_misbehaving(folder, ["after done kill once", "kill once"], ["a", "b"])
    assert [number for number, _ in log.replaced] == [1]
    assert (folder / "first kill once").read_text() == "b"
    assert {answer.task: answer.setup for answer in log.done} == {
        "after done kill once": "a",
        "kill once": "b",
    }


@pytest.mark.parametrize("name", ["ValueError", "MeshError", "MissingExtraError", "DeviceError", "EOFError"])
def test_an_error_arrives_as_it_was_raised(folder, name):
    log = RunLog()
    with pytest.raises(type(ERRORS[name])) as raised:
        run_misbehaving(folder, ["one", f"raise {name}", "three"], log=log)
    assert type(raised.value) is type(ERRORS[name])
    assert str(raised.value) == str(ERRORS[name])
    assert any("task_runner_work.py" in note for note in raised.value.__notes__), "it does not say where"
    assert [answer.task for answer in log.done] == ["one"]
    assert log.replaced == []


def test_an_error_that_cannot_be_sent_arrives_as_text(folder):
    with pytest.raises(RuntimeError, match="UnpicklableError: leftright"):
        run_misbehaving(folder, ["raise UnpicklableError"])


def test_a_worker_that_cannot_be_made_is_not_tried_again(folder):
    with pytest.raises(DeviceError, match="there is no device"):
        run_misbehaving(folder, ["one", "two"], ["no device"])
    assert len(read_numbers(folder, "process")) == 1


@pytest.mark.parametrize("name", [name for name in ERRORS if name != "UnpicklableError"])
def test_errors_can_be_sent(name):
    error = ERRORS[name]
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_busy_workers_are_stopped_and_tidy_up(folder):
    started = time.monotonic()
    with pytest.raises(ValueError, match="a value"):
        run_misbehaving(folder, ["sleep", "after sleeping", "raise ValueError", "four"], ["a", "b"])
    assert read_numbers(folder, "tidied") == read_numbers(folder, "sleeping")
    assert not (folder / "done four").exists()
    assert time.monotonic() - started < 30, "the sleeper was waited for"


def test_a_worker_that_does_not_stop_is_killed(folder, monkeypatch):
    monkeypatch.setattr(task_runner, "GRACE_S", 0.2)
    with pytest.raises(ValueError, match="a value"):
        run_misbehaving(folder, ["cling", "after sleeping", "raise ValueError"], ["a", "b"])
    assert read_numbers(folder, "sleeping")
    assert not read_numbers(folder, "tidied")


def test_an_error_of_the_caller_ends_the_workers(folder):
    class FullDisk(list):
        def append(self, item):
            raise TurntableError("the disk is full")

    with pytest.raises(TurntableError, match="the disk is full"):
        run_misbehaving(folder, ["sleep", "after sleeping"], ["a", "b"], RunLog(done=FullDisk()))


@pytest.mark.slow
def test_a_worker_that_hangs_is_killed_and_replaced(folder):
    log = run_misbehaving(folder, ["one", "sleep once", "three"], limits=WorkerLimits(max_silence_s=5.0))
    assert len(log.done) == 3
    ((number, how),) = log.replaced
    assert number == 0
    assert re.fullmatch(r"hung \(no message for [5-9] s\) and was killed while making <sleep once>", how)


@pytest.mark.slow
def test_a_worker_that_takes_too_much_memory_is_killed_and_replaced(folder):
    log = run_misbehaving(folder, ["one", "swell once", "three"], limits=WorkerLimits(max_bytes=250 * 2**20))
    assert len(log.done) == 3
    ((_, how),) = log.replaced
    assert re.match(r"took 0\.[234] GiB of memory, more than 0\.2 GiB, and was killed while", how)


@pytest.mark.slow
def test_workers_are_replaced_after_their_share(folder):
    log = run_misbehaving(folder, ["one", "two", "three", "four", "five"], limits=WorkerLimits(max_tasks=2))
    assert len(log.done) == 5
    assert len(read_numbers(folder, "process")) == 3
    assert log.replaced == [], "that is no failure"


@pytest.mark.slow
def test_workers_that_have_grown_are_replaced_after_their_task(folder):
    run_misbehaving(folder, ["one", "weigh"])
    (weight,) = read_numbers(folder, "weight")
    before = len(read_numbers(folder, "process"))
    log = run_misbehaving(folder, ["two", "three"], limits=WorkerLimits(max_bytes=1.6 * weight))
    assert len(read_numbers(folder, "process")) == before + 2
    assert log.replaced == []


def test_when_asked_to_stop_only_tasks_in_hand_are_finished(folder):
    log = RunLog()
    run_misbehaving(folder, ["one", "two", "three", "four"], log=log, should_stop=lambda: len(log.done) >= 2)
    assert [answer.task for answer in log.done] == ["one", "two"]
    assert not (folder / "done three").exists()


@pytest.mark.slow
def test_another_task_may_take_the_place_of_a_lost_one(folder):
    deaths = []

    def choose_other_task(death):
        deaths.append((death.worker_number, death.reason, death.task, death.last_report))
        return "three" if len(deaths) == 2 else death.task

    log = run_misbehaving(folder, ["one", "kill"], choose_retry=choose_other_task)
    assert sorted(answer.task for answer in log.done) == ["one", "three"]
    assert deaths == [(0, BY_SIGKILL, "kill", 2)] * 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_workers_go_on_when_all_of_a_job_is_signalled(folder, number):
    """Batch systems signal every process of a job. Workers go on, and the parent decides what to do."""
    ignoring = signal.signal(number, signal.SIG_IGN)
    try:
        log = RunLog()

        def signal_all() -> bool:
            for pid in read_numbers(folder, "sleeping"):
                os.kill(pid, number)
            return False

        with pytest.raises(ValueError, match="a value"):
            run_misbehaving(
                folder,
                ["sleep", "after sleeping", "raise ValueError"],
                ["a", "b"],
                log,
                should_stop=signal_all,
            )
        assert [answer.task for answer in log.done] == ["after sleeping"]
    finally:
        signal.signal(number, ignoring)


RUN = """
import signal
import sys
from pathlib import Path
from tests.support.task_runner_work import run_misbehaving

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
    # The run prints one word only, however deep in a chain of errors it is interrupted.
    sys.excepthook = lambda kind, error, trace: print(kind.__name__, file=sys.stderr)
    run_misbehaving(Path(sys.argv[1]), ["one", "sleep", "sleep"], ["a", "b"])
"""


@pytest.fixture
def run_asleep(tmp_path, folder):
    """A run in a new session. Its two workers are in the middle of tasks that take a minute."""
    script = tmp_path / "run.py"
    script.write_text(RUN)
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        env=with_tests(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        wait_until(lambda: len(read_numbers(folder, "sleeping")) == 2 or process.poll() is not None)
        yield process


@pytest.mark.slow
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to the run", "to all its processes"])
def test_ctrl_c_ends_the_workers_without_a_word_of_theirs(run_asleep, folder, send):
    send(run_asleep.pid, signal.SIGINT)
    _, said = run_asleep.communicate(timeout=60)
    assert run_asleep.returncode == -signal.SIGINT
    assert said == "KeyboardInterrupt\n"
    assert sorted(read_numbers(folder, "tidied")) == sorted(read_numbers(folder, "sleeping"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_leave_when_the_run_is_killed(run_asleep, folder, number):
    run_asleep.send_signal(number)
    assert run_asleep.wait() == -number
    wait_until_gone(read_numbers(folder, "process"))
    assert run_asleep.stderr.read() == ""
