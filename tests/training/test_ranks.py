"""Two ranks are one process: proven in one start of torchrun, which does all jobs of a plan."""

import json
import subprocess
import sys

import pytest
import torch

from tests.support import with_tests
from tests.support.train_ranks import StopAt, double_precision, write_plan
from turntable.errors import StoppedError
from turntable.models import METHODS
from turntable.training import hold_output_folder, make_demo_config, open_run, read_records, train
from turntable.training.runs.checkpoints import read_weights

pytestmark = pytest.mark.slow

SCRIPT = "tests.support.train_ranks"
FLOATS = {"double": True}
CHANGES = {
    "accumulated": {
        "epochs": 2,
        "batch_size": 8,
        "accumulate": 2,
        "clip_norm": 1.0,
        "average_decay": 0.5,
        "optimizer": "adamw",
    },
    "local": {"sync_batch_norm": False},
}


def short(dataset, method="sie", **changes):
    settings = {"epochs": 1, "pairs_per_object": 1, "batch_size": 6, "log_every": 1}
    return make_demo_config(method, dataset, **{**settings, **changes})


def without_draws(method):
    """What a loss draws for its rows differs between ranks."""
    config = METHODS[method].make_config()
    drawn = {name: 0.0 for name in ("dropout", "jitter") if hasattr(config, name)}
    return {"method_config": drawn} if drawn else {}


def long(dataset, **changes):
    return short(dataset, epochs=3, batch_size=4, average_decay=0.9, checkpoint_every=1, **changes)


def launch(*arguments):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=with_tests(OMP_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def made(full_dataset, tmp_path_factory):
    """The folder of all runs of two ranks, and what each rank had to say."""
    folder = tmp_path_factory.mktemp("ranks")
    jobs = {
        folder / method: (short(full_dataset, method, **without_draws(method)), FLOATS) for method in METHODS
    }
    jobs |= {folder / name: (short(full_dataset, **changes), FLOATS) for name, changes in CHANGES.items()}
    jobs[folder / "whole"] = (long(full_dataset), {})
    jobs[folder / "stopped"] = (long(full_dataset), {"stop_at": 4, "stop_on": 1})
    jobs[folder / "sie" / ".." / "stopped"] = (long(full_dataset, num_workers=1), {})
    jobs[folder / "odd"] = (short(full_dataset, batch_size=5), {})
    jobs[folder / "sie" / ".." / "vicreg"] = (short(full_dataset), {})
    jobs[folder / "begun-alone"] = (short(full_dataset), FLOATS)
    with pytest.raises(StoppedError), double_precision():
        train(short(full_dataset), folder / "begun-alone", stop=StopAt(1, 0))
    jobs[folder / "held"] = (short(full_dataset), {})
    write_plan(folder / "plan.json", jobs)
    with hold_output_folder(folder / "held", pytest.fail):
        started = launch(
            "-m", "torch.distributed.run", "--nproc-per-node", 2, "-m", SCRIPT, folder / "plan.json"
        )
    said = [json.loads((folder / f"plan.rank{rank}").read_text()) for rank in (0, 1)]
    return folder, said, started.stderr


def furthest(first, second):
    one, two = read_weights(first / "weights.pt"), read_weights(second / "weights.pt")
    assert one.keys() == two.keys()
    return max(float((one[name].double() - two[name].double()).abs().max()) for name in one)


def losses(folder):
    return [record["loss"] for record in read_records(folder / "records.jsonl")]


@pytest.mark.parametrize("name", [*METHODS, "accumulated", "begun-alone"])
def test_two_ranks_train_as_one_process_does(made, tmp_path, name):
    folder, said, _ = made
    assert [words[str(folder / name)] for words in said] == ["", ""]
    config = open_run(folder / name).config
    with double_precision():
        alone = train(config, tmp_path / "run")
    assert furthest(folder / name, alone) < 1e-6
    assert losses(folder / name) == pytest.approx(losses(alone), abs=1e-6)


def test_batch_norms_over_ranks_are_those_of_one_process(made):
    for words in made[1]:
        assert set(words["norms"]) == {"vectors", "maps", "bare"}
        assert max(words["norms"].values()) < 1e-10


def test_no_thread_of_their_talk_outlives_it(made):
    # A thread that held a tensor until Python ended would abort the process.
    for words in made[1]:
        assert not [name for name in words["threads"] if "gloo" in name]


def test_without_statistics_over_ranks_it_is_another_training(made):
    folder, said, _ = made
    assert [words[str(folder / "local")] for words in said] == ["", ""]
    assert furthest(folder / "local", folder / "sie") > 1e-4


def same_bits(first, second):
    assert furthest(first, second) == 0
    assert (first / "records.jsonl").read_bytes() == (second / "records.jsonl").read_bytes()


def test_one_rank_that_is_asked_stops_all_and_the_same_call_goes_on(made):
    folder, said, _ = made
    for words in said:
        assert words[str(folder / "stopped")].startswith("StoppedError: ")
        assert "stopped after step 4 of 9" in words[str(folder / "stopped")]
        assert words[str(folder / "sie" / ".." / "stopped")] == ""
    same_bits(folder / "stopped", folder / "whole")


def test_a_checkpoint_has_the_generators_of_all_ranks(made):
    first, second = torch.load(made[0] / "whole" / "checkpoint.pt", weights_only=True)["generators"]
    assert not torch.equal(first["cpu"], second["cpu"])


def test_what_cannot_be_is_said_on_all_ranks(made):
    folder, said, _ = made
    for words in said:
        assert "batch_size 5 cannot be divided among 2 ranks" in words[str(folder / "odd")]
        assert "holds a run of vicreg, not of sie" in words[str(folder / "sie" / ".." / "vicreg")]
    assert not (folder / "odd").exists()


def test_a_folder_that_another_run_holds_is_refused_on_all_ranks(made):
    folder, said, _ = made
    for words in said:
        assert "held: another run is writing there (process " in words[str(folder / "held")]
    assert not list((folder / "held").iterdir())


def test_another_number_of_ranks_is_warned_of_and_nothing_else(made):
    folder, _, said = made
    assert (
        f"{folder / 'begun-alone'}: started with 1 ranks, continues with 2: the samples are the same" in said
    )
    assert said.count("continues with 2") == 1
    assert "Warning" not in said


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(full_dataset, tmp_path, ranks):
    write_plan(
        tmp_path / "plan.json", {tmp_path / name: (long(full_dataset), {}) for name in ("whole", "killed")}
    )
    done = launch("-m", SCRIPT, "kill", tmp_path / "plan.json", ranks, 3, 5)
    kept = json.loads(done.stdout)
    assert 0 < max(kept) < 9
    same_bits(tmp_path / "whole", tmp_path / "killed")
    if ranks == 2:  # the first kill was of the second rank alone
        assert "TurntableError: rank 0 of 2 lost the connection to the others" in done.stderr
