import dataclasses

import pytest
import torch

from tests.support.equal_runs import same_bits
from turntable.datasets import open_dataset
from turntable.errors import IntegrityError, InvalidInputError, StoppedError, TurntableError
from turntable.models import Method
from turntable.models.image_methods import SIE
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import load_method, make_demo_config, open_run, read_records, train
from turntable.training.runs.checkpoints import read_weights


def short(dataset, method="sie", **changes):
    settings = {"epochs": 3, "pairs_per_object": 2, "batch_size": 4, "log_every": 1, "checkpoint_every": 3}
    return make_demo_config(method, dataset, **{**settings, **changes})


class Killed(BaseException):
    """As a kill: nothing in the package catches it."""


def kill_at(step):
    def onlooker(progress):
        if progress.step == step:
            raise Killed

    return onlooker


@pytest.fixture(scope="module")
def whole(dataset, tmp_path_factory):
    """An uninterrupted run; all trainings of methods are in test_ranks."""
    return train(short(dataset), tmp_path_factory.mktemp("runs") / "whole")


def test_a_run_leaves_its_files_and_a_method_that_loads(dataset, whole):
    folder = whole
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "records.jsonl", "tb", "checkpoint.pt", "weights.pt"}
    run = open_run(folder)
    assert run.config == short(dataset)
    trained = load_method(run)
    assert not trained.training
    written = read_weights(folder / "weights.pt")
    assert all(torch.equal(tensor, written[name]) for name, tensor in trained.state_dict().items())


def test_records_hold_every_step_and_the_means_of_every_epoch(dataset, whole):
    records = read_records(whole / "records.jsonl")
    per_epoch = open_dataset(dataset).open_split("train").num_objects * 2 // 4
    steps = [record for record in records if record["kind"] == "step"]
    epochs = [record for record in records if record["kind"] == "epoch"]
    assert [record["step"] for record in steps] == list(range(1, 3 * per_epoch + 1))
    assert [record["epoch"] for record in epochs] == [0, 1, 2]
    for epoch in epochs:
        losses = [record["loss"] for record in steps if record["epoch"] == epoch["epoch"]]
        assert epoch["loss"] == pytest.approx(sum(losses) / len(losses))
    assert {"invariance", "equivariance", "variance", "covariance"} <= set(epochs[0])


@pytest.mark.parametrize("killed_at", [2, 5, 8])
def test_a_killed_run_continues_to_the_same_bits(dataset, whole, tmp_path, killed_at):
    with pytest.raises(Killed):
        train(short(dataset), tmp_path / "run", progress=kill_at(killed_at))
    same_bits(whole, train(short(dataset), tmp_path / "run"))


class StopAt:
    def __init__(self, step):
        self.step, self.asked = step, 0

    def __call__(self):
        self.asked += 1
        return self.asked >= self.step


def test_a_run_that_is_asked_to_stop_saves_and_goes_on(dataset, whole, tmp_path):
    stopped = "stopped after step 5 of 12; run the same command again to resume"
    with pytest.raises(StoppedError, match=stopped):
        train(short(dataset), tmp_path / "run", stop=StopAt(5))
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 5
    same_bits(whole, train(short(dataset, num_workers=1, checkpoint_every=2), tmp_path / "run"))


def test_a_run_that_is_asked_at_its_last_step_ends_well(dataset, whole, tmp_path):
    same_bits(whole, train(short(dataset), tmp_path / "run", stop=StopAt(12)))


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(dataset, whole, tmp_path):
    with pytest.raises(Killed):
        train(short(dataset), tmp_path / "run", progress=kill_at(8))
    last = tmp_path / "run" / "checkpoint.pt"
    last.write_bytes(last.read_bytes()[:-1000])
    said = []
    same_bits(whole, train(short(dataset), tmp_path / "run", warn=said.append))
    assert [line for line in said if "continuing from checkpoint-previous.pt, step 3" in line]


def test_everything_that_has_a_state_is_kept(dataset, tmp_path):
    """What a gap of one would leave out: the scale of gradients, momentum, an average, a warm-up, a draw."""
    changes = {"amp": "fp16", "average_decay": 0.9, "optimizer": "sgd", "accumulate": 2, "clip_norm": 1.0}
    config = short(dataset, epochs=2, batch_size=8, checkpoint_every=1, warmup_start=1e-4, **changes)
    whole = train(config, tmp_path / "whole")
    with pytest.raises(StoppedError):
        train(config, tmp_path / "run", stop=StopAt(2))
    same_bits(whole, train(config, tmp_path / "run"))


def test_what_a_loss_draws_goes_on_after_a_stop(toy_config, tmp_path):
    whole = train(toy_config(), tmp_path / "whole")
    with pytest.raises(StoppedError):
        train(toy_config(), tmp_path / "run", stop=StopAt(3))
    same_bits(whole, train(toy_config(), tmp_path / "run"))
    drawn = [record["drawn"] for record in read_records(whole / "records.jsonl")]
    assert len(set(drawn)) == len(drawn)


def test_the_seed_decides_the_run_and_the_callers_generator_is_left_alone(dataset, tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = train(short(dataset, epochs=1), tmp_path / "first")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    second = train(short(dataset, epochs=1), tmp_path / "second")
    other = train(short(dataset, epochs=1, seed=1), tmp_path / "other")
    assert (first / "records.jsonl").read_bytes() == (second / "records.jsonl").read_bytes()
    assert (first / "records.jsonl").read_bytes() != (other / "records.jsonl").read_bytes()


def test_workers_change_nothing(dataset, tmp_path):
    first = train(short(dataset, epochs=1), tmp_path / "first")
    second = train(short(dataset, epochs=1, num_workers=1), tmp_path / "second")
    assert (first / "records.jsonl").read_bytes() == (second / "records.jsonl").read_bytes()


def test_seq_jepa_trains_on_one_observed_view_and_on_more(dataset, tmp_path):
    """Of two views a loader makes a pair, of more a sequence."""
    for count in (1, 2):
        changes = {"epochs": 1, "method_config": {"num_observed_views": count}}
        assert (train(short(dataset, "seq-jepa", **changes), tmp_path / str(count)) / "weights.pt").exists()


def test_a_finished_run_is_left_alone(dataset, tmp_path):
    folder = train(short(dataset, epochs=1), tmp_path / "run")
    before = (folder / "weights.pt").stat().st_mtime_ns
    train(short(dataset, epochs=1), folder, progress=lambda progress: pytest.fail("it trained again"))
    assert (folder / "weights.pt").stat().st_mtime_ns == before


def test_other_settings_are_refused_by_name(dataset, tmp_path):
    folder = train(short(dataset, epochs=1), tmp_path / "run")
    with pytest.raises(InvalidInputError, match=r"learning_rate was 0\.001, now 0\.5"):
        train(short(dataset, epochs=1, learning_rate=0.5), folder)


def test_a_run_of_another_method_is_refused_by_name(dataset, whole):
    with pytest.raises(InvalidInputError, match="holds a run of sie, not of vicreg; train into"):
        train(short(dataset, "vicreg"), whole)


def test_a_checkpoint_of_another_method_is_refused_by_name(dataset, whole, tmp_path):
    with pytest.raises(StoppedError):
        train(short(dataset, "vicreg"), tmp_path / "run", stop=StopAt(1))
    (tmp_path / "run" / "checkpoint.pt").write_bytes((whole / "checkpoint.pt").read_bytes())
    with pytest.raises(IntegrityError, match="is a checkpoint of sie, but this run trains vicreg"):
        train(short(dataset, "vicreg"), tmp_path / "run")


def test_progress_tells_what_is_left(dataset, tmp_path):
    seen = []
    train(short(dataset, epochs=1), tmp_path / "run", progress=seen.append)
    assert [progress.step for progress in seen] == [1, 2, 3, 4]
    assert {progress.num_steps for progress in seen} == {4}
    assert all(progress.seconds_left > 0 for progress in seen[:-1])
    assert seen[-1].seconds_left is None
    assert all(0 < progress.wait_fraction < 1 for progress in seen)
    assert all(progress.images_per_second > 0 for progress in seen)


def test_other_data_are_refused(dataset, tmp_path):
    folder = train(short(dataset, epochs=1), tmp_path / "run")
    make_synthetic_dataset(tmp_path / "other", seed=1)
    with pytest.raises(InvalidInputError, match="fingerprint"):
        train(short(tmp_path / "other", epochs=1), folder)


def test_the_loss_falls(dataset, tmp_path):
    config = short(dataset, "supervised", epochs=15, learning_rate=2e-3, log_every=100)
    records = read_records(train(config, tmp_path / "run") / "records.jsonl")
    assert records[-1]["loss"] < 0.5 * records[0]["loss"]


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint(dataset, tmp_path, monkeypatch):
    forward = Method.forward

    def poisoned(self, batch):
        terms = forward(self, batch)
        self.steps = getattr(self, "steps", 0) + 1
        if self.steps != 6:
            return terms
        return {**terms, "loss": terms["loss"] * float("nan"), "variance": terms["variance"] / 0}

    monkeypatch.setattr(Method, "forward", poisoned)
    words = r"not finite at step 5 \(epoch 1, batch 1\), due to variance: loss nan, .*variance inf.* a lower"
    with pytest.raises(TurntableError, match=words):
        train(short(dataset), tmp_path / "run")
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 3
    assert not (tmp_path / "run" / "weights.pt").exists()


@pytest.mark.parametrize("amp", ["bf16", "fp16"])
def test_mixed_precision_trains_near_the_full_one(dataset, whole, tmp_path, amp):
    half = read_records(train(short(dataset, epochs=1, amp=amp), tmp_path / "half") / "records.jsonl")
    full = read_records(whole / "records.jsonl")
    assert full[0]["loss"] != half[0]["loss"]
    assert full[0]["loss"] == pytest.approx(half[0]["loss"], rel=0.05)


def test_weights_that_are_no_numbers_are_never_a_result(dataset, tmp_path, monkeypatch):
    def spoil(self, state):
        if state.step == state.num_steps - 1:
            torch.nn.init.constant_(next(self.parameters()), float("nan"))

    monkeypatch.setattr(SIE, "after_step", spoil)
    with pytest.raises(TurntableError, match="the weights are not finite after the last step"):
        train(short(dataset, epochs=1), tmp_path / "run")
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 3
    assert not (tmp_path / "run" / "weights.pt").exists()


def test_a_batch_larger_than_the_data_is_refused(dataset, tmp_path):
    with pytest.raises(InvalidInputError, match="batch_size"):
        train(short(dataset, batch_size=64), tmp_path / "run")


def test_an_unfinished_run_has_no_method(dataset, tmp_path):
    with pytest.raises(Killed):
        train(short(dataset), tmp_path / "run", progress=kill_at(4))
    with pytest.raises(InvalidInputError, match="not finished"):
        load_method(open_run(tmp_path / "run"))


def test_no_run_and_a_damaged_one_are_told_apart(dataset, tmp_path):
    with pytest.raises(InvalidInputError, match="holds no run"):
        open_run(tmp_path)
    folder = train(short(dataset, epochs=1), tmp_path / "run")
    (folder / "config.json").write_text('{"config": {}}')
    with pytest.raises(IntegrityError, match="does not hold the settings of a run"):
        open_run(folder)


def test_a_data_set_without_statistics_still_trains(tmp_path):
    from turntable.training.runs import TrainingData

    dataset = make_synthetic_dataset(tmp_path / "set", num_objects=4)
    bare = dataclasses.replace(dataset, manifest=dataclasses.replace(dataset.manifest, pixel_mean=None))
    assert TrainingData.from_dataset(bare).to_data_info().std == (0.25, 0.25, 0.25)
    assert TrainingData.from_dataset(dataset).to_data_info().mean == dataset.manifest.pixel_mean
