"""Targets that follow: the average, its schedule, and the methods that learn from them."""

import pytest
import torch
from torch import nn

from turntable.errors import InvalidInputError
from turntable.models import TrainState, action_from_batch
from turntable.models.actions import invert_action
from turntable.models.image_methods import BYOL, BYOLConfig, ConditionalBYOL, ConditionalBYOLConfig
from turntable.models.layers import MovingAverage, compute_cosine_decay

SMALL = {"projector_widths": (32, 16), "predictor_width": 32}


def test_the_average_is_that_of_the_formula():
    online = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(online.weight)
    average = MovingAverage(online)
    nn.init.ones_(online.weight)
    for _ in range(5):
        average.update(online, 0.9)
    assert average.module.weight.item() == pytest.approx(1 - 0.9**5)


def test_at_decay_one_it_stays_and_at_zero_it_is_the_online_one():
    online = nn.Linear(3, 3)
    average = MovingAverage(online)
    before = average.module.weight.clone()
    nn.init.normal_(online.weight)
    average.update(online, 1.0)
    assert torch.equal(average.module.weight, before)
    average.update(online, 0.0)
    assert torch.equal(average.module.weight, online.weight)


@pytest.mark.parametrize(("buffers", "mean"), [("average", 0.25), ("copy", 1.0), ("keep", 0.0)])
def test_buffers_follow_as_they_are_told(buffers, mean):
    online = nn.BatchNorm1d(2)
    average = MovingAverage(online, buffers)
    online.running_mean.fill_(1.0)
    online.num_batches_tracked.fill_(7)
    average.update(online, 0.75)
    assert average.module.running_mean.tolist() == [mean, mean]
    assert average.module.num_batches_tracked == (0 if buffers == "keep" else 7)


def test_no_other_way_with_buffers():
    with pytest.raises(InvalidInputError, match="'drop'; choose one of: average, copy, keep"):
        MovingAverage(nn.Linear(1, 1), "drop")


def test_the_decay_rises_by_half_a_cosine():
    at = [compute_cosine_decay(0.996, TrainState(step, 100, step // 25, 4)) for step in (0, 50, 100)]
    assert at == pytest.approx([0.996, 0.998, 1.0])
    by_epoch = [
        compute_cosine_decay(0.996, TrainState(step, 100, step // 25, 4), "epoch") for step in (0, 24, 50, 74)
    ]
    assert by_epoch == pytest.approx([0.996, 0.996, 0.998, 0.998])


@pytest.mark.parametrize(
    ("method", "config"), [(BYOL, BYOLConfig(**SMALL)), (ConditionalBYOL, ConditionalBYOLConfig(**SMALL))]
)
def test_targets_are_no_business_of_the_gradient(build, pairs, method, config):
    made = build(method, config)
    assert [
        name for name, p in made.named_parameters() if name.startswith("target") and p.requires_grad
    ] == []
    made.loss(pairs)["loss"].backward()
    assert all(p.grad is None for p in made.target.parameters())
    assert all(p.grad is not None for p in made.backbone.parameters())


def test_the_target_follows_after_each_step_unless_it_is_told_not_to(build, pairs):
    for follows in (True, False):
        made = build(BYOL, BYOLConfig(**SMALL, decay=0.5, update_target=follows))
        before = made.target.module[1][0].weight.clone()
        with torch.no_grad():
            made.projector[0].weight.add_(1.0)
        made.after_step(TrainState(0, 10, 0, 1))
        moved = made.target.module[1][0].weight - before
        torch.testing.assert_close(moved, torch.full_like(moved, 0.5 if follows else 0.0))


def test_byol_does_not_see_which_view_comes_first(build, pairs):
    swapped = {**pairs, "view_1": pairs["view_2"], "view_2": pairs["view_1"]}
    here, there = (build(BYOL, BYOLConfig(**SMALL)).loss(batch)["loss"].item() for batch in (pairs, swapped))
    assert here == pytest.approx(there, rel=1e-4)
    assert 0 <= here <= 8


def test_conditional_byol_in_both_directions_goes_back_by_the_inverse(build, pairs):
    one = build(ConditionalBYOL, ConditionalBYOLConfig(**SMALL)).eval()
    both = build(ConditionalBYOL, ConditionalBYOLConfig(**SMALL, both_directions=True)).eval()
    back = {
        **pairs,
        "view_1": pairs["view_2"],
        "view_2": pairs["view_1"],
        "relative_quaternion": pairs["relative_quaternion"] * torch.tensor([-1.0, -1, -1, 1]),
    }
    expected = one.loss(pairs)["loss"] + one.loss(back)["loss"]
    torch.testing.assert_close(both.loss(pairs)["loss"], expected)


def test_the_predictor_is_told_the_action(build, pairs):
    made = build(ConditionalBYOL, ConditionalBYOLConfig(**SMALL)).eval()
    source = made.embed(pairs["view_1"]).source
    action = pairs["relative_quaternion"]
    assert not torch.allclose(made.predict(source, action), made.predict(source, action.roll(1, 0)))


LABELS = ("relative_quaternion", "relative_rotation", "relative_rotation_vector", "floor_hue_difference")


def test_there_and_back_is_nothing():
    turn = torch.linalg.qr(torch.randn(4, 3, 3, generator=torch.Generator().manual_seed(0)))[0]
    batch = {
        "relative_quaternion": torch.randn(4, 4),
        "relative_rotation": turn,
        "relative_rotation_vector": torch.randn(4, 3),
        "floor_hue_difference": torch.rand(4),
    }
    action = action_from_batch(batch, LABELS)
    assert action.shape == (4, 4 + 9 + 3 + 1)
    back = invert_action(action, LABELS)
    torch.testing.assert_close(invert_action(back, LABELS), action)
    identity = turn @ back[:, 4:13].unflatten(1, (3, 3))
    torch.testing.assert_close(identity, torch.eye(3).repeat(4, 1, 1))
    pose = torch.eye(4).repeat(2, 1, 1)
    pose[:, :3, 3] = torch.tensor([1.0, 2, 3])
    undone = invert_action(pose.flatten(1), ("relative_pose",)).unflatten(1, (4, 4))
    torch.testing.assert_close(pose @ undone, torch.eye(4).repeat(2, 1, 1))


def test_labels_that_do_not_tell_the_way_back_are_refused_at_once(build):
    config = ConditionalBYOLConfig(**SMALL, action=("relative_rotation_6d",), both_directions=True)
    with pytest.raises(InvalidInputError, match="'relative_rotation_6d' alone"):
        build(ConditionalBYOL, config)
