"""The number of steps of a run: the aim of a preset, the line for the user, and too few of them."""

from dataclasses import replace

import pytest

from turntable.datasets import open_dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, Pairs, Sequences
from turntable.models import METHODS
from turntable.models.image_methods import SIEConfig
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import make_demo_config, make_paper_config, open_run, train
from turntable.training.runs import (
    BENCHMARK_STEPS,
    TrainingData,
    count_epoch_samples,
    describe_training_data,
)
from turntable.training.runs.step_plan import set_epochs


@pytest.fixture
def data(dataset):
    """9 objects in the train split."""
    return TrainingData.from_dataset(open_dataset(dataset))


def with_objects(data, number):
    return replace(data, num_objects=number)


@pytest.mark.parametrize(
    ("objects", "batch_size", "target", "epochs"),
    [
        (24, 64, 960, 320),  # 3 steps an epoch
        (768, 128, 720, 12),  # the benchmark: 60 steps an epoch
        (9, 8, 100, 9),  # 11 steps an epoch: 99 are closer to 100 than 110
        (42_000, 128, 720, 1),  # an epoch has more than that already
    ],
)
def test_as_many_epochs_as_come_closest_to_the_steps(data, objects, batch_size, target, epochs):
    config = make_demo_config("sie", "set", batch_size=batch_size, target_steps=target)
    planned = set_epochs(config, with_objects(data, objects))
    assert planned.epochs == epochs
    assert planned.target_steps == target


@pytest.mark.parametrize("method", [name for name in METHODS if "pointnet" not in name])
def test_a_demo_has_the_steps_of_the_benchmark_whatever_the_data(method, full_dataset):
    config = make_demo_config(method, full_dataset, batch_size=4)
    data = describe_training_data(config)
    planned = set_epochs(config, data)
    assert config.target_steps == BENCHMARK_STEPS
    steps = count_epoch_samples(config, data) // 4 * planned.epochs
    assert steps == pytest.approx(BENCHMARK_STEPS, rel=0.05)


def test_the_benchmarks_own_runs_stay_what_they_are(data):
    """768 objects of five sequences: 12 epochs, or 8 for PointNet, as its page reports."""
    for method in METHODS:
        config = make_demo_config(method, "set")
        sources = 768 * (5 if config.method_config.sample.consecutive else 1)
        steps = sources * config.pairs_per_object // config.batch_size
        assert round(config.target_steps / steps) == (8 if "pointnet" in method else 12), method


def test_epochs_that_are_given_decide():
    assert make_demo_config("sie", "set", epochs=3).target_steps is None
    for make in (make_demo_config, make_paper_config):
        with pytest.raises(
            InvalidInputError, match=r"once: --epochs 3 \(epochs=3\), or --set target_steps=5"
        ):
            make("sie", "set", epochs=3, target_steps=5)
    assert make_paper_config("sie", "set").target_steps is None


def test_epochs_of_a_method_of_ones_own_decide(monkeypatch):
    monkeypatch.setattr(SIEConfig, "demo_training", {"epochs": 7})
    config = make_demo_config("sie", "set")
    assert (config.epochs, config.target_steps) == (7, None)


def test_the_run_has_the_number_of_epochs_that_was_planned(toy_config, tmp_path):
    config = replace(toy_config(epochs=99), target_steps=10)
    run = open_run(train(config, tmp_path / "run")).config
    assert run.epochs == 2  # 9 objects x 2 / 4 = 4 steps an epoch
    assert run.target_steps == 10
    assert train(config, tmp_path / "run")


def test_the_samples_are_counted_as_the_loader_does(dataset, full_dataset, toys):
    for place in (dataset, full_dataset):
        config = make_demo_config("sie", place, pairs_per_object=3)
        loader = Loader(place, BatchConfig(sampler=Pairs(3), batch_size=2, seed=0))
        assert count_epoch_samples(config, describe_training_data(config)) == loader.num_samples
    config = make_demo_config("vicreg-traj", full_dataset, pairs_per_object=2)
    loader = Loader(full_dataset, BatchConfig(sampler=Sequences(3, 2), batch_size=2, seed=0))
    assert count_epoch_samples(config, describe_training_data(config)) == loader.num_samples


def test_the_first_line_says_how_many_steps_there_are(toy_config, dataset, tmp_path):
    said = []
    config = make_demo_config("vicreg", dataset, epochs=2, pairs_per_object=2, batch_size=4)
    train(config, tmp_path / "run", say=said.append)
    assert said == [
        "9 objects: 8 steps of 4 pairs in 2 epochs; the paper's settings are about 80,000 steps of 1,024 on"
        " 3DIEBench, turntable's benchmark has 720 steps of 128 pairs"
    ]


def test_too_few_steps_are_warned_of_and_enough_are_not(toy_config, tmp_path):
    warned = []
    train(toy_config(), tmp_path / "few", warn=warned.append)
    assert len(warned) == 1
    assert warned[0].startswith("only 8 training steps: expect rotation scores no better than")
    assert "--epochs 180 (epochs=180) gives as many steps as the benchmark has" in warned[0]
    warned.clear()
    train(toy_config(epochs=60, log_every=100), tmp_path / "enough", warn=warned.append)
    assert warned == []


def test_a_batch_that_is_too_large_names_the_options(tmp_path):
    make_synthetic_dataset(tmp_path / "set")
    words = (
        r"than batch_size 128; give --batch-size 90 \(batch_size=90\) or less, or --set pairs_per_object=15"
    )
    with pytest.raises(InvalidInputError, match=words):
        train(make_demo_config("sie", tmp_path / "set"), tmp_path / "run")
