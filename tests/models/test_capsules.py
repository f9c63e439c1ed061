"""Capsules: the routing against its formula, and what EquiCaps and CapsIE make of it."""

import math

import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import TrainState
from turntable.models.image_methods import CapsIE, CapsIEConfig, EquiCaps, EquiCapsConfig
from turntable.models.image_methods.capsie import sharpen
from turntable.models.layers import CapsuleProjector, mean_entropy_loss, soft_cross_entropy_loss


def projector(capsules=4, pose=9, shape=(8, 3, 3), seed=0):
    torch.manual_seed(seed)
    made = CapsuleProjector(shape, capsules, pose).double()
    torch.nn.init.normal_(made.routing)
    torch.nn.init.normal_(made.routing_bias)
    return made


def literal(made, activations, poses):
    """The formula, with every vote in memory."""
    logits = torch.einsum("bip,ipk->bik", poses, made.routing) + made.routing_bias
    routing = logits.softmax(dim=2)
    votes = torch.einsum("bip,ipkq->bikq", poses, made.votes)
    shares = activations[:, :, None] * routing
    pose = (shares[..., None] * votes).sum(1) / shares.sum(1)[..., None]
    return shares.sum(1) / activations.sum(1, keepdim=True), pose


def test_the_routing_is_that_of_the_formula_with_its_gradients():
    made, maps = projector(), torch.randn(5, 8, 3, 3, dtype=torch.float64)
    found = made(maps)
    expected = literal(made, *made.compute_input_capsules(maps))
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-10)
    gradients = [
        torch.autograd.grad(sum((part**2).sum() for part in parts), [*made.parameters()])
        for parts in (found, expected)
    ]
    for mine, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-9)


def test_activations_sum_to_one_also_where_almost_none_sends():
    made, maps = projector().eval(), torch.randn(6, 8, 3, 3, dtype=torch.float64)
    torch.testing.assert_close(made(maps)[0].sum(dim=1), torch.ones(6, dtype=torch.float64))
    torch.nn.init.constant_(made.activation_map[1].bias, -80.0)
    activations, poses = made(maps)
    torch.testing.assert_close(activations.sum(dim=1), torch.ones(6, dtype=torch.float64))
    assert poses.isfinite().all()


def test_at_first_senders_share_themselves_out_evenly():
    torch.manual_seed(0)
    activations, _ = CapsuleProjector((8, 2, 2), 5, 4)(torch.randn(3, 8, 2, 2))
    torch.testing.assert_close(activations, torch.full((3, 5), 0.2))


@pytest.mark.parametrize(("pose", "millions"), [(9, 7.44), (16, 20.4)])
def test_the_papers_projectors_have_the_published_number_of_parameters(pose, millions):
    with torch.device("meta"):
        made = CapsuleProjector((512, 8, 8), 32, pose)
    assert sum(p.numel() for p in made.parameters()) / 1e6 == pytest.approx(millions, rel=5e-3)


def test_entropies_are_those_of_the_formulas():
    even, sure = torch.full((3, 4), 0.25), torch.eye(4)[:3]
    assert soft_cross_entropy_loss(even, even).item() == pytest.approx(math.log(4))
    assert soft_cross_entropy_loss(sure, sure).item() == pytest.approx(0, abs=1e-5)
    assert soft_cross_entropy_loss(sure, even).isfinite()
    assert mean_entropy_loss(even).item() == pytest.approx(0, abs=1e-6)
    assert mean_entropy_loss(sure[:1]).item() == pytest.approx(math.log(4))


@pytest.mark.parametrize("action", ["relative_rotation", "relative_pose"])
def test_equivariance_costs_nothing_where_poses_turn_with_the_object(build, action):
    side = 3 if action == "relative_rotation" else 4
    method = build(EquiCaps, EquiCapsConfig(action=(action,), num_capsules=4))
    generator = torch.Generator().manual_seed(1)
    p_x = torch.randn(5, 4, side * side, generator=generator)
    turn = torch.randn(5, side * side, generator=generator)
    p_y = (p_x.unflatten(2, (side, side)) @ turn.unflatten(1, (1, side, side))).flatten(2)
    unit = torch.nn.functional.normalize(p_y, dim=2)
    activations = torch.full((5, 4), 0.25)
    exact = method.compute_terms(activations, activations, method.transform_poses(p_x, turn), unit)
    assert exact["equivariance"].item() == pytest.approx(0, abs=1e-12)
    other = method.compute_terms(activations, activations, method.transform_poses(p_x, turn.roll(1, 0)), unit)
    assert other["equivariance"] > 0.01
    torch.testing.assert_close(method.predict(p_x.flatten(1), turn), unit.flatten(1))


def test_equicaps_loss_is_the_weighted_sum_of_its_terms(build, pairs):
    method = build(EquiCaps, EquiCapsConfig(num_capsules=4))
    pairs["relative_rotation"] = torch.eye(3).repeat(6, 1, 1)
    terms = method.loss(pairs)
    weights = {
        "invariance": 0.1,
        "equivariance": 5,
        "variance": 10,
        "covariance": 1,
        "mean_entropy": 1,
    }
    assert terms["loss"].item() == pytest.approx(sum(w * terms[n].item() for n, w in weights.items()))
    with pytest.raises(InvalidInputError, match="at least 2"):
        method.loss({name: value[:1] for name, value in pairs.items()})


def test_equicaps_needs_a_matrix(build):
    with pytest.raises(InvalidInputError, match="relative_quaternion, but poses are multiplied"):
        build(EquiCaps, EquiCapsConfig(action=("relative_quaternion",)))


def test_sharpening_is_a_power():
    activations = torch.tensor([[0.5, 0.3, 0.2]])
    torch.testing.assert_close(sharpen(activations, temperature=1.0), activations)
    squared = activations.square() / activations.square().sum()
    torch.testing.assert_close(sharpen(activations, temperature=0.5), squared)


def test_capsies_temperatures_are_on_their_way_beyond_the_last_step(build):
    method = build(CapsIE, CapsIEConfig(num_capsules=4, pose_dim=4))
    for step, target in ((0, 0.025), (50, 0.025 + 0.4 * 0.075), (100, 0.025 + 0.8 * 0.075)):
        method.before_step(TrainState(step, 100, 0, 1))
        assert method.temperatures == pytest.approx((0.1, target))


def test_capsies_targets_teach_nothing(build, pairs):
    method = build(CapsIE, CapsIEConfig(num_capsules=4, pose_dim=4))
    activations = torch.rand(6, 4).softmax(dim=1)
    target = activations.clone().requires_grad_()
    poses = torch.randn(6, 16)
    terms = method.compute_terms(activations, poses, target, poses, poses)
    gradient = torch.autograd.grad(terms["invariance"] + 0 * target.sum(), target)[0]
    assert (gradient == 0).all()
    assert terms["equivariance"] == 0
