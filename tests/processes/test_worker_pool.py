import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support import with_tests
from tests.support.processes import alive, in_a_fork, shared_memory, shared_memory_left, wait_until_gone
from turntable.errors import InvalidInputError, TurntableError
from turntable.processes import ArraySpec, SharedSlots, WorkerPool
from turntable.processes.worker_pool import NUM_SPARE_SLOTS

LAYOUT = {"value": ArraySpec((6, 3), "float32"), "other": ArraySpec((), "int64")}
ROWS = (slice(0, 2), slice(2, 6))


def make(workers=2, ahead=3, slow_s=0.0, **more):
    return WorkerPool(
        "tests.support.worker_pool_work:open_number",
        {"slow_s": slow_s},
        LAYOUT,
        num_workers=workers,
        num_ahead=ahead,
        **more,
    )


def jobs(numbers, what="", parts=ROWS):
    return [[(number, rows, what) for rows in parts] for number in numbers]


ALONE = (slice(0, 6),)


def test_jobs_come_filled_in_their_order_by_all_workers():
    pool = make()
    pids = set()
    for number, filled in enumerate(pool.run(jobs(range(20)))):
        assert (filled.arrays["value"] == number).all()
        pids |= set(filled.reports)
    assert number == 19
    assert len(pids) == 2
    assert os.getpid() not in pids
    pool.close()


def test_what_is_kept_is_not_written_over():
    pool = make()
    for _ in range(2):
        kept = [filled.arrays["value"] for filled in pool.run(jobs(range(12)))]
        parts = [array[1:, ::2] for array in kept]  # views of what was given keep it too
        del kept
        list(pool.run(jobs(range(100, 112))))
        assert all((part == number).all() for number, part in enumerate(parts))
    pool.close()


def test_what_is_let_go_is_used_again():
    pool = make(workers=1, ahead=2)
    addresses = {filled.arrays["value"].ctypes.data for filled in pool.run(jobs(range(30), parts=ALONE))}
    assert len(addresses) <= 2 + NUM_SPARE_SLOTS
    pool.close()


def test_an_iteration_that_is_left_disturbs_no_later_one():
    pool = make(slow_s=0.02)
    for start in range(0, 30, 10):
        left = pool.run(jobs(range(start, start + 10)))
        assert (next(left).arrays["value"] == start).all()
    assert [int(f.arrays["value"][0, 0]) for f in pool.run(jobs(range(5)))] == list(range(5))
    with pytest.raises(TurntableError, match="a new iteration over the same loader was started"):
        next(left)
    pool.close()


def test_a_slot_waits_for_the_device_that_reads_it():
    done = []
    pool = make(workers=1, ahead=1, fence=lambda: lambda: bool(done))
    taken = pool.run(jobs(range(8), parts=ALONE))
    seen = {next(taken).arrays["value"].ctypes.data for _ in range(1 + NUM_SPARE_SLOTS)}
    assert len(seen) == 1 + NUM_SPARE_SLOTS  # none was free yet
    done.append(True)
    assert {filled.arrays["value"].ctypes.data for filled in taken} <= seen
    pool.close()


FORKS = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def numbers_of(filled):
    return [int(item.arrays["value"][0, 0]) for item in filled]


@FORKS
def test_a_fork_has_workers_and_slots_of_its_own():
    pool = make()
    running = pool.run(jobs(range(40)))
    first = next(running)
    pids, kept = set(first.reports), first.arrays["value"]

    def look():
        own = list(pool.run(jobs(range(100, 120))))
        both = not pids & {pid for item in own for pid in item.reports}
        return both and numbers_of(own) == list(range(100, 120)) and (kept == 0).all()

    assert in_a_fork(look)
    assert (kept == 0).all()
    assert numbers_of(running) == list(range(1, 40))
    pool.close()


@FORKS
def test_a_fork_does_not_go_on_with_an_iteration():
    pool = make()
    running = pool.run(jobs(range(9)))
    next(running)

    def look():
        with pytest.raises(TurntableError, match="a forked process cannot continue"):
            next(running)
        return numbers_of(pool.run(jobs(range(3)))) == [0, 1, 2]

    assert in_a_fork(look)
    assert numbers_of(running) == list(range(1, 9))
    pool.close()


def test_what_a_filler_raises_comes_here_and_a_later_run_starts_anew():
    pool = make()
    with pytest.raises(ValueError, match="no 1") as caught:
        list(pool.run([*jobs([0]), *jobs([1], "raise"), *jobs([2])]))
    assert "worker_pool_work.py" in "".join(caught.value.__notes__)
    assert len(list(pool.run(jobs(range(3))))) == 3
    pool.close()


def test_a_factory_that_cannot_be_found_is_an_error_here():
    pool = WorkerPool("tests.support.worker_pool_work:open_nothing", {}, LAYOUT, num_workers=1)
    with pytest.raises(AttributeError, match="open_nothing"):
        list(pool.run(jobs([0], parts=ALONE)))


@pytest.mark.parametrize(
    ("end", "told"),
    [("die", "ended with exit code 3"), (signal.SIGKILL, r"ended by SIGKILL \(.*out-of-memory")],
)
def test_a_worker_that_ends_is_an_error_within_seconds(end, told):
    pool = make(slow_s=0.01)
    running = pool.run([*jobs(range(9)), *jobs([9], "die")] if end == "die" else jobs(range(1000)))
    pids = next(running).reports
    if end != "die":
        os.kill(pids[1], end)
    began = time.monotonic()
    with pytest.raises(TurntableError, match=told):
        list(running)
    assert time.monotonic() - began < 5
    assert not any(alive(pid) for pid in pids)


def test_a_worker_that_hangs_is_given_up():
    pool = make(stall_s=0.5)
    with pytest.raises(TurntableError, match="sent no message for"):
        list(pool.run(jobs([0], "hang")))


def test_workers_leave_with_their_parent(tmp_path):
    script = tmp_path / "trainer.py"
    script.write_text(
        "import signal, sys, os, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from turntable.processes.worker_pool import WorkerPool\n"
        "from turntable.processes.shared_memory import ArraySpec\n"
        "layout = {'value': ArraySpec((6, 3), 'float32')}\n"
        "args = 'tests.support.worker_pool_work:open_number', {'slow_s': 0.05}, layout\n"
        "pool = WorkerPool(*args, num_workers=2)\n"
        "jobs = ([(n, slice(0, 2), ''), (n, slice(2, 6), '')] for n in range(10_000))\n"
        "for filled in pool.run(jobs):\n"
        "    print(*filled.reports, flush=True)\n"
    )
    for number in (signal.SIGKILL, signal.SIGINT):
        before = shared_memory()
        trainer = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=with_tests(),
        )
        assert trainer.stdout is not None
        pids = [int(pid) for pid in trainer.stdout.readline().split()]
        trainer.send_signal(number)
        trainer.wait(60)
        trainer.stdout.close()
        wait_until_gone(pids)
        assert not shared_memory_left(before)


def test_a_main_script_without_a_guard_runs_once_and_workers_stay_light(tmp_path):
    script = tmp_path / "no_guard.py"
    script.write_text(
        "import sys\n"
        "print('ran', flush=True)\n"
        "import json as torch_stands_for_something_heavy\n"
        "from turntable.processes.worker_pool import WorkerPool\n"
        "pool = WorkerPool('tests.support.worker_pool_work:open_modules', {}, {}, num_workers=1)\n"
        "print(next(pool.run([[['torch', 'moderngl', 'no_guard']]])).reports)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, env=with_tests()
    )
    assert done.stdout.splitlines() == ["ran", "([],)"]


def test_slots_hold_what_the_layout_says_and_share_it():
    layout = {"a": ArraySpec((3, 5), "uint8"), "b": ArraySpec((2,), "float64"), "c": ArraySpec((), "int64")}
    slots = SharedSlots(layout, 3)
    other = SharedSlots(layout, 3, slots.descriptor)
    for slot in range(3):
        _, arrays = slots.get_arrays(slot)
        for name, array in arrays.items():
            assert array.shape == layout[name].shape
            assert array.dtype == layout[name].dtype
            array[...] = slot + 1
    assert [int(other.get_arrays(slot)[1]["a"].sum()) for slot in range(3)] == [15, 30, 45]
    assert [float(other.get_arrays(slot)[1]["c"]) for slot in range(3)] == [1, 2, 3]


def test_slots_that_nobody_uses_leave_nothing_open():
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        whole, named = SharedSlots({"a": ArraySpec((1000,), "uint8")}, 2).get_arrays(1)
        del whole, named
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_too_little_memory_is_told_before_anything_starts(monkeypatch, tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 1000 kB\nMemAvailable: 100 kB\n")
    monkeypatch.setattr("turntable.processes.shared_memory._MEMINFO", meminfo)
    with pytest.raises(
        InvalidInputError, match=r"in shared memory need 1.0 MB, but only 102 kB are free: use a smaller"
    ):
        SharedSlots({"a": ArraySpec((1000, 1000), "uint8")}, 1)
    limit, used = tmp_path / "max", tmp_path / "current"
    meminfo.write_text("MemAvailable: 100000 kB\n")
    limit.write_text("500000\n")
    used.write_text("400000\n")
    monkeypatch.setattr("turntable.processes.shared_memory._CGROUP_FILES", ((limit, used),))
    with pytest.raises(InvalidInputError, match="100 kB are free"):
        SharedSlots({"a": ArraySpec((1000, 1000), "uint8")}, 1)
    limit.write_text("max\n")
    assert np.prod(SharedSlots({"a": ArraySpec((10, 10), "uint8")}, 1).get_arrays(0)[1]["a"].shape) == 100
