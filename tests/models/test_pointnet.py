"""PointNet: its invariances, its numbers by hand, and that it learns what turned shapes are."""

import dataclasses

import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import METHODS, SINGLE, DataInfo, build_method
from turntable.models.point_methods import PointNetConfig
from turntable.models.point_methods.pointnet import repeat_points, scale_to_unit_sphere

DATA = DataInfo(num_categories=3, mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2), image_size_px=32)


def make(**changes):
    torch.manual_seed(0)
    config = dataclasses.replace(PointNetConfig().demo(), **changes)
    return build_method("pointnet", config, None, DATA)


def clouds(size=4, points=30):
    return torch.randn(size, points, 6, generator=torch.Generator().manual_seed(1))


def test_the_order_of_points_changes_nothing():
    method, points = make(transforms=True).eval(), clouds()
    shuffled = points[:, torch.randperm(points.shape[1])]
    one, two = (method.embed(cloud).representation for cloud in (points, shuffled))
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(method.classify(one), method.classify(two), rtol=1e-4, atol=1e-5)


def test_place_and_size_change_nothing_unless_they_are_to_count():
    points = clouds()
    moved = points * 3
    moved[..., :3] += torch.tensor([1.0, -2.0, 5.0])
    for unit_sphere in (True, False):
        method = make(unit_sphere=unit_sphere).eval()
        same = torch.allclose(
            method.embed(points).representation, method.embed(moved).representation, rtol=1e-3, atol=1e-4
        )
        assert same is unit_sphere


def test_normals_are_not_looked_at():
    method, points = make().eval(), clouds()
    other = torch.cat([points[..., :3], torch.zeros(4, 30, 3)], dim=2)
    assert torch.equal(method.embed(points).representation, method.embed(other).representation)
    assert torch.equal(method.embed(points).representation, method.embed(points[..., :3]).representation)


def test_clouds_in_the_unit_sphere_are_centered_and_touch_it():
    places = scale_to_unit_sphere(clouds()[..., :3] * 7 + 3)
    assert places.mean(dim=1).abs().max() < 1e-5
    torch.testing.assert_close(places.norm(dim=2).amax(dim=1), torch.ones(4))
    assert torch.equal(scale_to_unit_sphere(torch.ones(2, 5, 3)), torch.zeros(2, 5, 3))


def test_transforms_begin_as_the_identity():
    method, points = make(transforms=True).eval(), clouds()
    before = method.embed(points).representation
    method.places_transform = method.features_transform = None
    torch.testing.assert_close(method.embed(points).representation, before)


def test_the_loss_is_the_papers():
    """Cross-entropy by hand, and 0.001 times |I - A A^T|^2 of a matrix that is known."""
    method = make(transforms=True, dropout=0.0, jitter=0.0).eval()
    batch = {"points": clouds(), "category": torch.tensor([0, 1, 2, 1])}
    last = method.features_transform.whole[-1]
    with torch.no_grad():
        last.bias.copy_(torch.eye(method.features_transform.dim).flatten())  # A = 2 I: |I - 4 I|^2 = 9 F
    terms = method.loss(batch)
    logits = method.classify(method.embed(batch["points"]).representation)
    by_hand = -logits.log_softmax(dim=1)[torch.arange(4), batch["category"]].mean()
    torch.testing.assert_close(terms["category"], by_hand)
    torch.testing.assert_close(terms["orthogonality"], torch.tensor(9.0 * method.features_transform.dim))
    torch.testing.assert_close(terms["loss"], by_hand + 0.001 * terms["orthogonality"])


def test_noise_is_of_training_alone():
    method, points = make(jitter=0.1), clouds()
    assert not torch.equal(*(method.train().embed(points).representation for _ in range(2)))
    assert torch.equal(*(method.eval().embed(points).representation for _ in range(2)))


def test_it_is_of_single_views_and_the_papers_sizes():
    paper = METHODS["pointnet"].make_config()
    assert paper.sample == SINGLE
    assert (paper.point_widths, paper.global_widths, paper.head_widths) == (
        (64, 64),
        (64, 128, 1024),
        (512, 256),
    )
    assert build_method("pointnet", paper, None, DATA).eval().embed(clouds()).representation.shape == (
        4,
        1024,
    )


@pytest.mark.parametrize("field", ["point_widths", "global_widths", "head_widths"])
def test_layers_without_widths_are_refused(field):
    with pytest.raises(InvalidInputError, match=f"{field}: give at least one width"):
        make(**{field: ()})


def turned_shapes(seed, size=64, points=48):
    """Rods, discs and balls in random rotations."""
    generator = torch.Generator().manual_seed(seed)
    scales = torch.tensor([[1.0, 0.1, 0.1], [1.0, 1.0, 0.1], [1.0, 1.0, 1.0]])
    category = torch.arange(size) % 3
    places = torch.randn(size, points, 3, generator=generator) * scales[category, None]
    rotation = torch.linalg.qr(torch.randn(size, 3, 3, generator=generator))[0]
    return {"points": places @ rotation.transpose(1, 2), "category": category}


def test_it_learns_what_turned_shapes_are():
    method = make(jitter=0.02)
    optimizer = torch.optim.Adam(method.parameters(), lr=3e-3)
    for step in range(60):
        optimizer.zero_grad()
        method.train().loss(turned_shapes(step))["loss"].backward()
        optimizer.step()
    unseen = turned_shapes(1000, size=120)
    told = method.eval().classify(method.embed(unseen["points"]).representation).argmax(dim=1)
    assert (told == unseen["category"]).float().mean() > 0.9  # 1/3 by chance


def test_any_field_of_points_can_be_read():
    method, points = make(cloud="cloud", count="cloud_count").eval(), clouds()
    assert method.reads == ("cloud", "cloud_count", "category")
    assert method.embeds_from == ("cloud", "cloud_count")
    padded = torch.cat([points, 100 * torch.ones(4, 30, 6)], dim=1)
    count = torch.full((4,), 30)
    one, other = method.embed(points, count), method.embed(padded, count)
    torch.testing.assert_close(one.representation, other.representation, rtol=1e-4, atol=1e-5)
    terms = method.loss({"cloud": padded, "cloud_count": count, "category": torch.tensor([0, 1, 2, 1])})
    assert terms["loss"].isfinite()
    assert make().reads == ("points", "category")


def test_padding_is_replaced_by_the_points_again_and_again():
    points = torch.arange(10.0).view(2, 5, 1).expand(2, 5, 3)
    repeated = repeat_points(points, torch.tensor([2, 0]))[..., 0]
    assert repeated.tolist() == [[0, 1, 0, 1, 0], [0, 0, 0, 0, 0]]


def test_what_is_no_field_of_points_is_refused():
    with pytest.raises(InvalidInputError, match=r"depth is \[2, 1, 8, 8\], not \[B, P, 3 or more\]"):
        make(cloud="depth").embed(torch.zeros(2, 1, 8, 8))
    with pytest.raises(InvalidInputError, match="cloud: give the field with the points"):
        make(cloud="")
