"""One training step: samples, state, accumulated gradients, clipping, precision, averages, random state."""

import random
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from turntable.errors import TurntableError
from turntable.models import TrainState
from turntable.training import read_records, train
from turntable.training.runs.checkpoints import read_weights
from turntable.training.steps import random_state
from turntable.training.steps.optimizers import make_optimizer, set_learning_rate
from turntable.training.steps.precision import MixedPrecision
from turntable.training.steps.weight_average import WeightAverage

CPU = torch.device("cpu")


def records_of(folder, kind="step"):
    return [record for record in read_records(folder / "records.jsonl") if record["kind"] == kind]


def test_a_method_is_told_the_moment_before_and_after_each_step(toy_config, toys, tmp_path):
    train(toy_config(accumulate=2), tmp_path / "run")
    moments = [TrainState(step, 8, step // 4, 2) for step in range(8)]
    assert toys[-1].before == moments
    assert toys[-1].after == moments
    assert len(toys[-1].batches) == 2 * 8


def test_pairs_come_with_the_labels_that_are_read_and_no_others(toy_config, toys, tmp_path):
    reads = ("view_1", "view_2", "category", "relative_quaternion", "floor_hue_2")
    changes = {"method_config": {"fields": reads}, "image_size": 24, "quaternion_sign": "canonical"}
    train(toy_config(**changes), tmp_path / "run")
    batch = toys[-1].batches[0]
    assert tuple(batch) == reads
    assert batch["view_1"].shape == (4, 3, 24, 24)
    assert batch["relative_quaternion"].shape == (4, 4)
    assert all((batch["relative_quaternion"][:, 3] >= 0).all() for batch in toys[-1].batches)


def test_more_views_come_as_one_field(toy_config, toys, tmp_path):
    fields = {"fields": ("views", "relative_quaternion", "view_index"), "views": 3}
    train(toy_config(method_config=fields), tmp_path / "run")
    batch = toys[-1].batches[0]
    assert batch["views"].shape == (4, 3, 3, 32, 32)
    assert batch["relative_quaternion"].shape == (4, 2, 4)
    steps = torch.cat([batch["view_index"].diff(dim=1) for batch in toys[-1].batches])
    assert (steps != 0).all()
    assert (steps != 1).any()


def test_true_sequences_come_where_the_method_wants_them(toy_config, full_dataset, toys, tmp_path):
    fields = {"fields": ("views", "view_index", "object_index"), "views": 3, "consecutive": True}
    train(toy_config(full_dataset, method_config=fields, epochs=1), tmp_path / "run")
    views = torch.cat([batch["view_index"] for batch in toys[-1].batches])
    assert (views.diff(dim=1) == 1).all()
    assert (views[:, 0] // 4 == views[:, 2] // 4).all()
    objects = torch.cat([batch["object_index"] for batch in toys[-1].batches])
    assert set(Counter(objects.tolist()).values()) == {4}  # two sequences, two visits


def test_accumulated_gradients_are_the_mean_of_the_parts(toy_config, toys, tmp_path):
    rate = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0, "learning_rate": 1.0, "epochs": 1}
    whole = train(toy_config(batch_size=8, **rate), tmp_path / "whole")
    parts = train(toy_config(batch_size=8, accumulate=4, **rate), tmp_path / "parts")
    seen = [batch["view_1"].float().mean() / 255 for batch in toys[-1].batches]
    assert len(seen) == 4 * len(toys[-2].batches)
    expected = torch.ones(3, 2) - sum(seen) / 4 / 6
    assert torch.allclose(read_weights(parts / "weights.pt")["weight"], expected)
    assert torch.allclose(read_weights(whole / "weights.pt")["weight"], expected)
    assert [r["loss"] for r in records_of(parts)] == pytest.approx([r["loss"] for r in records_of(whole)])


def test_long_gradients_are_shortened(toy_config, tmp_path):
    rate = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0, "learning_rate": 1.0, "epochs": 1}
    folder = train(toy_config(batch_size=16, clip_norm=0.125, **rate), tmp_path / "run")
    weights = read_weights(folder / "weights.pt")
    moved = torch.cat([1 - weights["weight"].flatten(), 1 - weights["bias"]])
    assert moved.norm().item() == pytest.approx(0.125, rel=1e-4)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("decay_norms", [True, False])
def test_what_decays(toy_config, toys, name, decay_norms):
    config = toy_config(optimizer=name, weight_decay=0.5, decay_norms=decay_norms)
    module = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    module[0].weight.requires_grad_(requires_grad=False)
    module.append(nn.Linear(2, 2, bias=False))
    optimizer = make_optimizer(module, config)
    set_learning_rate(optimizer, 0.1)
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    before = {key: tensor.clone() for key, tensor in module.named_parameters()}
    optimizer.step()
    moved = {key for key, tensor in module.named_parameters() if not torch.equal(tensor, before[key])}
    # Zeros decay to zeros: biases of batch norm.
    assert moved == ({"2.weight", "0.bias", "1.weight"} if decay_norms else {"2.weight"})
    if name != "adam":
        assert torch.allclose(module[2].weight, before["2.weight"] * (1 - 0.1 * 0.5))


def test_an_average_follows_parameters_and_buffers_in_closed_form():
    module = nn.BatchNorm1d(2)
    average = WeightAverage(module, 0.75)
    for step in range(1, 4):
        with torch.no_grad():
            module.weight.fill_(step)
            module.running_var.fill_(10 * step)
            module.num_batches_tracked.fill_(step)
        average.update(module)
    expected = 0.75**3 * 1 + 0.25 * (0.75**2 * 1 + 0.75 * 2 + 3)
    found = average.state_dict()
    assert found["weight"].tolist() == pytest.approx([expected] * 2)
    assert found["running_var"][0].item() == pytest.approx(0.75**3 + 2.5 * (0.75**2 + 0.75 * 2 + 3))
    assert found["num_batches_tracked"].item() == 3
    other = WeightAverage(module, 0.75)
    other.load_state_dict(found)
    assert torch.equal(other.state_dict()["weight"], found["weight"])


def test_the_finished_weights_are_the_averages(toy_config, toys, tmp_path):
    plain = read_weights(train(toy_config(), tmp_path / "plain") / "weights.pt")
    averaged = read_weights(train(toy_config(average_decay=0.5), tmp_path / "averaged") / "weights.pt")
    assert torch.equal(toys[-1].weight, toys[0].weight)  # training itself is the same
    assert torch.equal(plain["weight"], toys[0].weight)
    assert (averaged["weight"] > plain["weight"]).all()
    assert averaged["brightness"] != plain["brightness"]
    assert averaged["steps"] == plain["steps"] == 8


def test_float16_scales_its_gradients_and_leaves_overflowing_steps_out():
    precision = MixedPrecision("fp16", CPU, clip_norm=1e9)
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    precision.backward((weight * 1e-6).sum())
    assert weight.grad.item() == pytest.approx(1e-6 * 65536)
    precision.step(optimizer)
    assert weight.item() == pytest.approx(1 - 1e-6)
    weight.grad = None
    precision.backward((weight * float("inf")).sum())
    precision.step(optimizer)
    assert weight.item() == pytest.approx(1 - 1e-6)
    other = MixedPrecision("fp16", CPU, None)
    other.load_state_dict(precision.state_dict())
    assert other.state_dict()["scale"] == 32768


def test_gradients_that_overflow_at_any_scale_end_the_run():
    precision = MixedPrecision("fp16", CPU, None)
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)

    def overflow():
        for _ in range(100):
            weight.grad = torch.full((1,), float("inf"))
            precision.backward(weight.sum())
            precision.step(optimizer)

    with pytest.raises(TurntableError, match="at any scale; train with --amp bf16"):
        overflow()


def draws():
    return torch.rand(2).tolist() + np.random.rand(2).tolist() + [random.random(), random.gauss(0, 1)]  # noqa: NPY002


def test_generators_go_on_where_they_were():
    random_state.seed_all(5)
    draws()  # of the pairs of normal numbers that Python draws, one is kept
    state = random_state.get_random_state(CPU)
    expected = draws()
    draws()
    random_state.restore_random_state(state, CPU)
    assert draws() == expected


def test_generators_are_lent_and_given_back():
    random_state.seed_all(5)
    expected = draws()
    random_state.seed_all(5)
    with random_state.isolate_random_state(7, CPU):
        lent = draws()
    assert draws() == expected != lent
