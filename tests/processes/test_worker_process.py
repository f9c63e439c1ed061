"""A worker process and its parent: start, tasks, errors, and the end of either process."""

import gc
import os
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from tests.support import with_tests
from tests.support.processes import alive, in_a_fork, wait_until_gone
from tests.support.worker_process_work import Unloadable, make_task_function, refuse_to_start
from turntable.errors import InvalidInputError
from turntable.processes import IsolatedWorker
from turntable.processes.worker_main import TaskFailure, TaskProgress, TaskResult, WorkerReady
from turntable.processes.worker_process import WorkerExit, WorkerProcess, end_workers, receive_any

SECONDS = 60.0


@pytest.fixture
def worker():
    made = WorkerProcess(make_task_function, (3,))
    yield made
    made.kill()
    made.end()


@pytest.fixture
def ready(worker):
    assert worker.receive(SECONDS) == WorkerReady()
    return worker


def asked(worker, task):
    worker.send(task)
    return worker.receive(SECONDS)


def test_it_says_that_it_is_ready_and_answers_each_task(ready):
    assert [asked(ready, number) for number in range(4)] == [
        TaskResult(0),
        TaskResult(3),
        TaskResult(6),
        TaskResult(9),
    ]
    assert asked(ready, "pid") == TaskResult(ready.pid)
    assert ready.receive(0.01) is None
    assert ready.end() == 0


def test_tasks_may_be_sent_before_it_has_started(worker):
    worker.send(1)
    worker.send(2)
    assert [worker.receive(SECONDS) for _ in range(3)] == [WorkerReady(), TaskResult(3), TaskResult(6)]


@pytest.mark.parametrize(
    ("task", "kind"), [("stumble", KeyError), ("refuse", InvalidInputError), (Unloadable(), ValueError)]
)
def test_what_a_task_raises_is_sent_and_it_goes_on(ready, task, kind):
    failure = asked(ready, task)
    assert isinstance(failure, TaskFailure)
    assert type(failure.error) is kind
    assert any("Traceback" in note for note in failure.error.__notes__)
    assert asked(ready, 1) == TaskResult(3)


def test_an_answer_that_cannot_be_sent_is_an_error_of_the_task(ready):
    failure = asked(ready, "unpicklable")
    assert isinstance(failure, TaskFailure)
    assert "pickle" in str(failure.error)
    assert asked(ready, 1) == TaskResult(3)


def test_only_errors_that_are_to_be_answered_come_back(capfd):
    worker = WorkerProcess(make_task_function, reported_errors=InvalidInputError)
    assert worker.receive(SECONDS) == WorkerReady()
    assert isinstance(asked(worker, "refuse"), TaskFailure)
    assert asked(worker, "stumble") == WorkerExit(1)
    assert "KeyError: 'a fault of ours'" in capfd.readouterr().err


def test_one_that_cannot_be_made_says_why_and_leaves():
    worker = WorkerProcess(refuse_to_start)
    failure = worker.receive(SECONDS)
    assert isinstance(failure, TaskFailure)
    assert str(failure.error) == "there is nothing to work with"
    assert worker.receive(SECONDS) == WorkerExit(0)


def test_its_death_is_noticed_within_a_second_even_if_another_process_holds_its_pipe(ready):
    assert asked(ready, 1) == TaskResult(3)
    ready.send("share the pipe and die")
    began = time.monotonic()
    assert receive_any([ready], SECONDS) == [(ready, WorkerExit(3))]
    assert time.monotonic() - began < 10  # of a machine that may be busy; an end of file would take 20 s


def test_nothing_is_heard_of_workers_that_say_nothing(ready):
    assert receive_any([ready], 0.0) == []
    assert receive_any([ready], 0.05) == []


def test_it_is_asked_to_leave_and_tidies_up(ready):
    ready.send("tidy up")
    assert ready.receive(SECONDS) == TaskProgress("sleeping")
    ready.request_exit()
    assert [ready.receive(SECONDS), ready.receive(SECONDS)] == [
        TaskProgress("tidied"),
        WorkerExit(128 + signal.SIGHUP),
    ]


def test_one_that_hangs_is_killed_after_its_grace(ready):
    ready.send("hang")
    assert ready.receive(SECONDS) == TaskProgress("hanging")
    assert ready.end(0.05) == -signal.SIGKILL
    assert not alive(ready.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_what_is_sent_to_all_of_a_job_does_not_end_it_even_as_it_starts(worker, number):
    for _ in range(20):
        os.kill(worker.pid, number)
        time.sleep(0.01)
    assert worker.receive(SECONDS) == WorkerReady()
    os.kill(worker.pid, number)
    assert asked(worker, 1) == TaskResult(3)


def test_one_that_nobody_holds_any_more_is_ended():
    worker = WorkerProcess(make_task_function)
    pid = worker.pid
    assert worker.receive(SECONDS) == WorkerReady()
    del worker
    gc.collect()
    assert not alive(pid)


def test_several_are_ended_at_once():
    workers = [WorkerProcess(make_task_function) for _ in range(3)]
    for worker in workers:
        worker.send("hang")
        assert [worker.receive(SECONDS), worker.receive(SECONDS)] == [WorkerReady(), TaskProgress("hanging")]
    began = time.monotonic()
    end_workers(workers, 1.0)
    assert time.monotonic() - began < 2.5, "each had its own grace"
    assert not any(alive(worker.pid) for worker in workers)


class NamedPath(str):
    """A path with a repr of its own."""

    __slots__ = ()

    def __repr__(self):
        return f"NamedPath({str(self)!r})"


class Folder:
    """An object that is a path."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


def asked_for_path(entries, monkeypatch):
    """Return the import paths of a worker that was started with those of this process and some more."""
    monkeypatch.setattr(sys, "path", [*sys.path, *entries])
    worker = WorkerProcess(make_task_function)
    try:
        assert worker.receive(SECONDS) == WorkerReady()
        return asked(worker, "path").value[-len(entries) :]
    finally:
        worker.end()


def test_it_finds_modules_where_this_process_does_whatever_stands_in_the_path(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    texts = ["relative", "a.zip", 'it\'s "quoted"\\', "line\nend", "größer-雪-🙂", "not-\udcff-utf8"]
    entries = {
        tmp_path / "a path": str(tmp_path / "a path"),
        os.fsencode(tmp_path / "bytes"): str(tmp_path / "bytes"),
        b"\xff": "\udcff",
        Folder("of an object"): "of an object",
        NamedPath("named"): "named",
        np.str_("of numpy"): "of numpy",
        **{text: text for text in texts},
        "": str(tmp_path),
    }
    assert asked_for_path([None, 7, *entries], monkeypatch)[2:] == list(entries.values())


def test_it_imports_from_an_archive_and_from_a_folder_with_an_odd_name(monkeypatch, tmp_path):
    folder = tmp_path / 'it\'s "mine" größer'
    folder.mkdir()
    (folder / "from_folder.py").write_text("from from_archive import make\n")
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("from_archive.py", "def make():\n    return lambda task, report: task + 1\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder), str(tmp_path / "code.zip")])
    import from_folder

    worker = WorkerProcess(from_folder.make)
    assert worker.receive(SECONDS) == WorkerReady()
    assert asked(worker, 1) == TaskResult(2)
    worker.end()


def test_it_starts_where_the_working_directory_is_gone(monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert asked_for_path([""], monkeypatch) == [""]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_has_none_and_cannot_end_it(ready):
    def look():
        ready.kill()
        ready.request_exit()
        return not ready.is_own and ready.end() == 0

    assert in_a_fork(look)
    assert ready.is_own
    assert asked(ready, 2) == TaskResult(6)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_its_pipe_ends_although_a_fork_lives_on(ready):
    child = os.fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    began = time.monotonic()
    assert ready.end(10.0) == 0
    assert time.monotonic() - began < 5
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_who_asks_in_a_fork_asks_a_process_of_its_own():
    asker = IsolatedWorker("tests.support.isolated_worker_work:make_handler")
    ours = asker.call("pid", SECONDS)
    assert in_a_fork(lambda: asker.call("pid", SECONDS) not in (ours, os.getpid()))
    assert asker.call("pid", SECONDS) == ours
    asker.close()


def run_python(*arguments, **more):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, env=with_tests(), **more
    )


MAIN = """
print("ran as", __name__, flush=True)
from turntable.processes.worker_process import WorkerProcess

class Doubler:
    def __call__(self, task, report):
        return 2 * task

class Asker:
    def __init__(self, made_by):
        self.worker = WorkerProcess(made_by)

    def __call__(self, task, report):
        self.worker.send(task)
        return [self.worker.receive(60), self.worker.receive(60)]

if __name__ == "__main__":
    worker = WorkerProcess(Doubler)
    worker.send(4)
    print(worker.receive(60), worker.receive(60))
    worker = WorkerProcess(Asker, (Doubler,))
    worker.send(5)
    print(worker.receive(60), worker.receive(60))
"""


def test_what_the_main_script_defines_is_imported_there(tmp_path):
    script = tmp_path / "own.py"
    script.write_text(MAIN)
    done = run_python(script)
    assert done.stdout.splitlines() == [
        "ran as __main__",
        "ran as __mp_main__",
        "WorkerReady() TaskResult(value=8)",
        "ran as __mp_main__",
        "ran as __mp_main__",
        "WorkerReady() TaskResult(value=[WorkerReady(), TaskResult(value=10)])",
    ]
    assert done.stderr == ""


def test_what_a_command_defines_cannot_go_there():
    done = run_python("-c", MAIN)
    assert "InvalidInputError: functions and classes that are defined in a notebook" in done.stderr


PARENT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.support.worker_process_work import make_task_function
from turntable.processes.worker_process import WorkerProcess
worker = WorkerProcess(make_task_function)
worker.send("hang")
print(worker.receive(60) and worker.receive(60) and worker.pid, flush=True)
worker.receive(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_leaves_with_its_parent_from_the_middle_of_a_task(number):
    command = [sys.executable, "-c", PARENT]
    parent = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=with_tests()
    )
    pid = int(parent.stdout.readline())
    parent.send_signal(number)
    parent.communicate(timeout=60)
    wait_until_gone([pid])


def test_all_are_ended_when_the_parent_leaves_without_a_word(tmp_path):
    body = "\n".join(
        [
            "import sys",
            "from tests.support.worker_process_work import make_task_function",
            "from turntable.processes.worker_process import WorkerProcess",
            "workers = [WorkerProcess(make_task_function) for _ in range(2)]",
            "for worker in workers: worker.receive(60)",
            "print(*[worker.pid for worker in workers])",
        ]
    )
    done = run_python("-W", "error", "-c", body, check=True)
    assert done.stderr == ""
    assert not any(alive(int(pid)) for pid in done.stdout.split())
