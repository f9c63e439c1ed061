"""Runs that are killed, stopped, shared out and joined: the same bytes as one that was left alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.support import with_tests
from tests.support.processes import wait_until
from tests.support.quick_run import OBJECTS, TINY, InProcess, contents, quick
from turntable.datasets import verify_dataset
from turntable.datasets.writing import FolderDestination, Job
from turntable.datasets.writing.destination import LOCK_NAME
from turntable.errors import InvalidInputError, StoppedError
from turntable.renderer import generate, generate_share, merge
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.runs import ObjectSelection, RunListener

pytestmark = [pytest.mark.gl, pytest.mark.slow]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The data set, made without interruption."""
    folder = tmp_path_factory.mktemp("whole") / "set"
    quick(folder)
    return folder


def test_kills_at_every_place_and_at_random_moments_change_no_byte(whole, tmp_path):
    seed = random.SystemRandom().randrange(2**32)  # printed: pytest shows it where the test fails
    print(f"seed {seed}")  # noqa: T201
    script = [sys.executable, "-m", "tests.support.killed_runs", str(tmp_path), "50", str(seed)]
    subprocess.run(script, env=with_tests(), check=True, timeout=600)
    folders = sorted(tmp_path.iterdir())
    assert len(folders) > 2
    for folder in folders:
        assert contents(folder) == contents(whole), folder.name


COMMAND = ["render", "zoo", "--image-size", "16", "--quality", "fast", "--objects", "12"]


def turntable(*arguments, **how):
    return subprocess.Popen(
        [sys.executable, "-c", "from turntable.cli import main; main()", *arguments],
        text=True,
        start_new_session=True,
        **how,
    )


def command(*arguments, status=0):
    """What a finished command says."""
    process = turntable(*arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == status, said
    return said


def test_kills_of_all_processes_at_random_moments_change_no_byte(tmp_path):
    command(*COMMAND, "--views", "2", "--out", str(tmp_path / "whole"), "--workers", "2")
    killed, number = 0, 0
    while killed < 4:
        target = tmp_path / f"set-{number}"
        process = turntable(*COMMAND, "--views", "2", "--out", str(target), "--workers", "2")
        time.sleep(random.uniform(1.0, 4.0))
        os.killpg(process.pid, signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        number += (target / "manifest.json").exists()
    for index in range(number + 1):
        command(*COMMAND, "--views", "2", "--out", str(tmp_path / f"set-{index}"), "--workers", "2")
        assert contents(tmp_path / f"set-{index}") == contents(tmp_path / "whole")


@pytest.mark.parametrize("workers", [2, 5])
def test_any_number_of_workers_gives_the_same_bytes(whole, tmp_path, workers):
    generate(TINY, ZooSource(OBJECTS), tmp_path / "set", num_workers=workers)
    assert contents(tmp_path / "set") == contents(whole)


def share(number, folder):
    return generate_share(Job(number, 3), TINY, ZooSource(OBJECTS), folder, selection=ObjectSelection())


@pytest.fixture
def without_workers(monkeypatch):
    """Has jobs made in this process, where who makes the shards is not in question."""
    monkeypatch.setitem(generate_share.__globals__, "ProcessEngine", lambda workers: InProcess())


def without_journals(folder):
    return {name: digest for name, digest in contents(folder).items() if not name.startswith("journal-")}


def test_three_jobs_in_one_folder_merge_to_the_same_bytes(whole, tmp_path):
    folder = tmp_path / "set"
    share(3, folder)
    with pytest.raises(
        InvalidInputError,
        match=r"2 of 3 jobs have not finished: .* --job 1/3 and so on .1-2., .* --array=1-2, or",
    ):
        merge(folder)
    share(1, folder)
    with pytest.raises(
        InvalidInputError,
        match=r"2 of 6 shards are still missing .train/shard-000001, .*; job 2/3 has not finished: run the "
        r"command again with --job 2/3, in SLURM with sbatch --array=2, or give all folders",
    ):
        merge(folder)
    made = share(2, folder)
    assert (made.num_shards, made.num_total_shards) == (2, 6)
    merge(folder)
    assert without_journals(folder) == contents(whole)
    assert verify_dataset(folder).ok


@pytest.mark.usefixtures("without_workers")
def test_three_jobs_in_folders_of_their_own_merge_to_the_same_bytes(whole, tmp_path):
    parts = [tmp_path / f"part-{number}" for number in (1, 2, 3)]
    for number, part in enumerate(parts, 1):
        share(number, part)
    merge(tmp_path / "set", parts)
    assert without_journals(tmp_path / "set") == contents(whole)
    merge(tmp_path / "set", parts)
    assert without_journals(tmp_path / "set") == contents(whole)


@pytest.mark.usefixtures("without_workers")
def test_a_part_that_is_missing_is_named_by_its_job(tmp_path):
    parts = [tmp_path / f"part-{number}" for number in (1, 3)]
    for number, part in zip((1, 3), parts, strict=True):
        share(number, part)
    with pytest.raises(InvalidInputError, match=r"job 2/3 has not finished"):
        merge(tmp_path / "set", parts)


@pytest.mark.usefixtures("without_workers")
def test_jobs_of_different_counts_are_told_apart(tmp_path):
    """A single index that was submitted again with a count of its own."""
    share(1, tmp_path / "set")
    generate_share(Job(1, 9), TINY, ZooSource(OBJECTS), tmp_path / "set", selection=ObjectSelection())
    generate_share(Job(2, 2), TINY, ZooSource(OBJECTS), tmp_path / "set", selection=ObjectSelection())
    with pytest.raises(InvalidInputError, match=r"different counts, --job \.\.\./2 and 3; run those of one"):
        merge(tmp_path / "set")


@pytest.mark.usefixtures("without_workers")
def test_what_jobs_made_is_taken_up_by_a_whole_run(whole, tmp_path):
    share(2, tmp_path / "set")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tar")}
    quick(tmp_path / "set")
    assert without_journals(tmp_path / "set") == contents(whole)
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.usefixtures("without_workers")
def test_shares_of_different_sets_are_not_merged(tmp_path):
    share(1, tmp_path / "one")
    generate_share(Job(2, 3), TINY.replace(seed=1), ZooSource(OBJECTS), tmp_path / "two")
    with pytest.raises(InvalidInputError, match="two is a share of another data set"):
        merge(tmp_path / "set", [tmp_path / "one", tmp_path / "two"])
    with pytest.raises(InvalidInputError, match="holds no shares of a data set"):
        merge(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="empty holds no share"):
        merge(tmp_path / "set", [tmp_path / "empty"])


def test_a_second_run_in_one_folder_is_refused(whole):
    destination = FolderDestination(whole)
    with destination.claim(None):
        with pytest.raises(InvalidInputError, match="another run is writing there"):
            quick(whole)
        with pytest.raises(InvalidInputError, match="another run is writing there"):
            share(1, whole)
    with destination.claim(Job(1, 3)), pytest.raises(InvalidInputError, match="another run"):
        quick(whole)
    with destination.claim(Job(1, 3)), destination.claim(Job(2, 3)):
        assert (whole / LOCK_NAME).exists()
    assert not list(whole.glob("*.lock"))


@pytest.mark.parametrize(
    ("changes", "objects", "said"),
    [
        ({"views": 3}, OBJECTS, "views: 2 there, 3 now"),
        ({"quality": "high"}, OBJECTS, 'quality: "fast" there, "high" now'),
        ({}, OBJECTS - 1, "objects: 12 there, 11 now"),
        ({"split_seed": 1}, OBJECTS, "split_seed: 0 there, 1 now"),
    ],
)
def test_a_resume_with_other_arguments_says_what_differs(whole, changes, objects, said):
    with pytest.raises(InvalidInputError, match="holds a data set of another plan") as raised:
        generate(TINY.replace(**changes), ZooSource(objects), whole, engine=InProcess())
    assert said in str(raised.value)


def test_stopped_after_the_shard_in_hand_and_taken_up_again(whole, tmp_path):
    told = []

    def tell(event, /, **facts):
        told.append((event, facts))

    def stop():
        return sum(event == "shard" for event, _ in told) >= 3

    with pytest.raises(StoppedError, match="3 made now, 3 still missing; the same command resumes the run"):
        quick(tmp_path / "set", listener=RunListener(emit=tell, should_stop=stop))
    assert not (tmp_path / "set/manifest.json").exists()
    assert not list((tmp_path / "set").rglob(".*"))
    assert [event for event, _ in told] == ["begin", "shard", "shard", "shard", "stopped"]
    quick(tmp_path / "set")
    assert contents(tmp_path / "set") == contents(whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_all_processes_ends_the_command_after_the_shards_in_hand(tmp_path, number):
    out, events = tmp_path / "set", tmp_path / "events.jsonl"
    more = ["--views", "40", "--out", str(out), "--workers", "2", "--events", str(events)]
    process = turntable(*COMMAND, *more, stderr=subprocess.PIPE)
    wait_until(lambda: (out / "journal.jsonl").exists() or process.poll() is not None)
    os.killpg(process.pid, number)  # as batch systems do
    _, said = process.communicate(timeout=60)
    assert process.returncode == 75, said
    assert f"{number.name}: ending after the current shards" in said
    assert "stopped as asked" in said
    assert not list(out.rglob(".*"))
    assert not list(out.glob("*.lock"))
    names = [json.loads(line)["event"] for line in events.read_text().splitlines()]
    assert names[0] == "begin"
    assert names[-1] == "stopped"
    made = len((out / "journal.jsonl").read_text().splitlines())
    assert names.count("shard") == made < 8
    said = command(*COMMAND, *more)
    assert "fingerprint" in said
    last = json.loads(events.read_text().splitlines()[-1])
    assert last["event"] == "end"
    assert last["fingerprint"] in said
    assert verify_dataset(out).ok
