"""seq-JEPA and VICReg-Traj: methods over more than two views."""

import dataclasses

import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import PAIR, SampleSpec, TrainState
from turntable.models.image_methods import SeqJEPA, SeqJEPAConfig, VICRegTraj, VICRegTrajConfig
from turntable.models.image_methods.vicreg_traj import compute_straightness

CONFIG = SeqJEPAConfig(action_width=32, num_layers=2, feedforward_width=64, predictor_width=32)


def several(views=4, size=5):
    generator = torch.Generator().manual_seed(0)
    quaternion = torch.randn(size, views - 1, 4, generator=generator)
    return {
        "views": torch.randint(256, (size, views, 3, 32, 32), generator=generator, dtype=torch.uint8),
        "relative_quaternion": torch.nn.functional.normalize(quaternion, dim=2),
    }


def test_the_aggregate_ignores_the_order_of_its_tokens(build):
    made = build(SeqJEPA, CONFIG).eval()
    generator = torch.Generator().manual_seed(0)
    tokens, told = torch.randn(5, 4, 512, generator=generator), torch.randn(5, 3, 32, generator=generator)
    order = torch.tensor([2, 0, 1])
    shuffled = torch.cat([tokens[:, order], tokens[:, 3:]], dim=1)
    one, other = made._aggregate_tokens(tokens, told), made._aggregate_tokens(shuffled, told[:, order])
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
    apart = made._aggregate_tokens(shuffled, told)
    assert not torch.allclose(one, apart, atol=1e-3)


def test_what_follows_the_last_observation_is_told_to_the_predictor_alone(build):
    made, batch = build(SeqJEPA, dataclasses.replace(CONFIG, dropout=0.0)), several()
    seen = []
    made.transformer.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    made.loss(batch)
    assert seen[0].shape == (5, 1 + 3, 512 + 32)
    assert (seen[0][:, 0] == 0).all()  # the aggregate's token, at first
    assert (seen[0][:, -1, 512:] == 0).all()
    assert (seen[0][:, 1:-1, 512:].abs().sum(dim=2) > 0).all()


def test_actions_are_told_or_not(build):
    told, blind = (
        build(SeqJEPA, CONFIG).eval(),
        build(SeqJEPA, dataclasses.replace(CONFIG, use_actions=False)),
    )
    representation, action = torch.randn(5, 3, 512), torch.randn(5, 2, 4)
    assert not torch.allclose(told.aggregate(representation, action), told.aggregate(representation, -action))
    blind.eval()
    assert torch.equal(blind.aggregate(representation, action), blind.aggregate(representation, -action))
    assert torch.equal(
        blind.predict(representation[:, 0], action[:, 0]), blind.predict(representation[:, 0], -action[:, 0])
    )
    assert blind.reads == ("views",)
    assert blind.loss({"views": several()["views"]})["loss"] > 0


def test_one_observed_view_is_the_first_of_a_pair(build, pairs):
    """Loaders give two views by themselves, not as a sequence."""
    config = dataclasses.replace(CONFIG, num_observed_views=1, dropout=0.0)
    made = build(SeqJEPA, config)
    assert config.sample == PAIR
    assert made.reads == ("view_1", "view_2", "relative_quaternion")
    first, second = (made.preprocess(pairs[name]) for name in ("view_1", "view_2"))
    source, target = made.backbone(first), made.target(second)
    predicted = made.predict(source, pairs["relative_quaternion"])
    expected = 1 - torch.nn.functional.cosine_similarity(predicted, target).mean()
    torch.testing.assert_close(made.loss(pairs)["loss"], expected)
    blind = build(SeqJEPA, dataclasses.replace(config, use_actions=False))
    assert blind.reads == ("view_1", "view_2")
    assert blind.loss({name: pairs[name] for name in blind.reads})["loss"] > 0


def test_one_view_is_an_aggregate_of_one(build):
    made, images = build(SeqJEPA, CONFIG).eval(), several()["views"][:, 0]
    embedding = made.embed(images)
    alone = made.aggregate(embedding.representation.unsqueeze(1), torch.zeros(5, 0, 4))
    torch.testing.assert_close(embedding.invariant, alone)
    assert embedding.invariant.shape == (5, 544)
    assert torch.equal(embedding.equivariant, embedding.representation)
    assert made.predict(embedding.source[:1], torch.ones(1, 4)).shape == (1, 512)


def test_the_loss_is_a_cosine_and_the_target_learns_by_following_alone(build):
    made, batch = build(SeqJEPA, CONFIG), several()
    loss = made.loss(batch)["loss"]
    loss.backward()
    assert 0 <= loss.item() <= 2
    assert all(p.grad is None for p in made.target.parameters())
    before = [p.clone() for p in made.target.parameters()]
    torch.optim.SGD([p for p in made.parameters() if p.requires_grad], lr=0.1).step()
    assert all(torch.equal(p, old) for p, old in zip(made.target.parameters(), before, strict=True))
    made.after_step(TrainState(0, 10, 0, 1))
    assert any(not torch.equal(p, old) for p, old in zip(made.target.parameters(), before, strict=True))


def test_at_the_papers_size_it_has_the_published_number_of_parameters(build):
    with torch.device("meta"):
        made = build(SeqJEPA, SeqJEPAConfig())
    count = {
        name: sum(p.numel() for p in module.parameters())
        for name, module in (("transformer", made.transformer), ("predictor", made.predictor))
    }
    assert count["transformer"] / 1e6 == pytest.approx(14.8, abs=0.05)
    assert count["predictor"] / 1e6 == pytest.approx(1.3, abs=0.05)
    assert SeqJEPAConfig().sample == SampleSpec(num_views=4)


def test_sizes_that_cannot_be_are_refused(build):
    with pytest.raises(InvalidInputError, match="512 \\+ 30 values, which 4 attention heads"):
        build(SeqJEPA, dataclasses.replace(CONFIG, action_width=30))
    with pytest.raises(InvalidInputError, match="num_observed_views is 0"):
        build(SeqJEPA, dataclasses.replace(CONFIG, num_observed_views=0))
    with pytest.raises(InvalidInputError, match="at least 2"):
        build(SeqJEPA, CONFIG).loss(several(size=1))


def on_a_circle(start, step, length):
    angles = start[:, None] + step[:, None] * torch.arange(3)
    circle = torch.stack([angles.cos(), angles.sin(), torch.zeros_like(angles)], dim=2)
    return (length * circle).unbind(1)


def test_steady_motion_on_a_great_circle_is_straight_whatever_its_radius():
    generator = torch.Generator().manual_seed(0)
    start, step = torch.rand(6, generator=generator) * 6, 0.1 + torch.rand(6, generator=generator)
    for length in (1.0, 5.0):
        views = on_a_circle(start.double(), step.double(), length)
        assert compute_straightness(*views).item() == pytest.approx(1)
    assert compute_straightness(
        *on_a_circle(start, step, 1.0), assume_unit_length=True
    ).item() == pytest.approx(1, abs=1e-5)
    # The published code's projection is right for length 1 alone.
    assert compute_straightness(*on_a_circle(start, step, 5.0), assume_unit_length=True).item() < 0.9


def test_turning_back_is_the_opposite_of_straight():
    left, centre, _ = on_a_circle(torch.zeros(1), torch.tensor([0.3]), 2.0)
    assert compute_straightness(left, centre, left).item() == pytest.approx(-1, abs=1e-5)


def test_straightness_has_the_gradient_that_finite_differences_find():
    torch.manual_seed(0)
    views = [torch.randn(3, 4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    assert torch.autograd.gradcheck(compute_straightness, views)


def test_vicreg_traj_is_vicreg_of_two_less_straightness(build):
    config = VICRegTrajConfig(projector_widths=(16, 16, 16))
    made, batch = build(VICRegTraj, config), {"views": several(views=3)["views"]}
    terms = made.loss(batch)
    of_two = 25 * terms["invariance"] + 25 * terms["variance"] + terms["covariance"]
    torch.testing.assert_close(terms["loss"], of_two - terms["straightness"])
    assert config.sample == SampleSpec(num_views=3, consecutive=True)
    assert made.reads == ("views",)
    both = build(VICRegTraj, dataclasses.replace(config, all_views=True)).loss(batch)
    assert both["straightness"] == terms["straightness"]
    assert both["loss"] != terms["loss"]
