"""SimCLR, AugSelf and SEN."""

import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.image_methods import (
    SEN,
    AugSelf,
    AugSelfConfig,
    SENConfig,
    SimCLR,
    SimCLRConfig,
    VICReg,
    VICRegConfig,
    simclr,
)
from turntable.training import make_paper_config

WIDTHS = {"projector_widths": (32, 32, 16)}
AUGSELF = AugSelfConfig(**WIDTHS, regressor_width=24, regression_weight=3.0)


def test_simclr_contrasts_projections(build, pairs):
    made = build(SimCLR, SimCLRConfig(**WIDTHS)).eval()
    x, y = (made.projector(made.represent(pairs[name])) for name in ("view_1", "view_2"))
    torch.testing.assert_close(made.loss(pairs)["loss"], losses.nt_xent_loss(x, y, temperature=0.1))
    assert made.reads == ("view_1", "view_2")


def test_the_papers_numbers_are_the_defaults(build):
    assert SimCLRConfig() == SimCLRConfig(temperature=0.1, projector_widths=(2048, 2048, 2048))
    assert simclr.SEQ_JEPA_SETTINGS == {"temperature": 0.5}
    assert SENConfig() == SENConfig(temperature=0.5, projector_widths=(2048, 2048, 2048), action_width=128)
    assert AugSelfConfig().regression_weight == 1
    made = build(AugSelf, AugSelfConfig(projector_widths=(32, 32, 16)))
    assert [layer.out_features for layer in made.regressor[::2]] == [1024, 1024, 4]
    paper = make_paper_config("sen", "set")
    assert (paper.epochs, paper.batch_size, paper.learning_rate, paper.image_size) == (1000, 512, 4e-4, 128)


def test_augself_is_simclr_and_a_regression_of_the_action(build, pairs):
    made = build(AugSelf, AUGSELF).eval()
    terms = made.loss(pairs)
    torch.testing.assert_close(terms["loss"], terms["contrast"] + 3 * terms["regression"])
    h1, h2 = made.represent_pair(pairs)
    told = made.regressor(torch.cat([h1, h2], dim=1))
    expected = (told - pairs["relative_quaternion"]).square().mean()
    torch.testing.assert_close(terms["regression"], expected)
    torch.testing.assert_close(terms["contrast"], made.contrastive_loss(h1, h2))


def test_augselfs_regressor_reads_representations_and_teaches_the_backbone(build, pairs):
    made = build(AugSelf, AUGSELF)
    made.loss(pairs)["regression"].backward()
    assert all(p.grad is None for p in made.projector.parameters())
    assert made.backbone.reduce.weight.grad.abs().sum() > 0


def test_augself_may_be_asked_for_colours_too(build, pairs):
    config = AugSelfConfig(
        **WIDTHS, regressor_width=24, action=("relative_quaternion", "floor_hue_difference")
    )
    made = build(AugSelf, config)
    assert made.regressor[-1].out_features == 5
    assert made.loss(pairs)["loss"].isfinite()


def test_sens_embeddings_of_actions_and_views_are_normalised_over_the_batch(build, pairs):
    made = build(SEN, SENConfig(**WIDTHS, action_width=8))
    told = made.predictor.action_embedding(pairs["relative_quaternion"])
    embedded = made.projector(made.represent(pairs["view_1"]))
    for values in (told, embedded):
        torch.testing.assert_close(values.mean(dim=0), torch.zeros(values.shape[1]), atol=1e-5, rtol=0)
        torch.testing.assert_close(
            values.var(dim=0, correction=0), torch.ones(values.shape[1]), atol=2e-2, rtol=0
        )


def test_sen_teaches_its_projector_by_both_views(build, pairs):
    made = build(SEN, SENConfig(**WIDTHS, action_width=8)).eval()
    x, y = (made.projector(h) for h in made.represent_pair(pairs))
    by_hand = losses.nt_xent_loss(made.predictor(x, pairs["relative_quaternion"]), y, temperature=0.5)
    expected = torch.autograd.grad(by_hand, made.projector[0].weight)
    torch.testing.assert_close(
        torch.autograd.grad(made.loss(pairs)["loss"], made.projector[0].weight), expected
    )


@pytest.mark.parametrize(("method", "config"), [(AugSelf, AugSelfConfig), (SEN, SENConfig)])
def test_no_action_is_refused(build, method, config):
    with pytest.raises(InvalidInputError, match="give labels, such as relative_quaternion"):
        build(method, config(**WIDTHS, action=()))


def test_sen_contrasts_predictions_with_the_other_views(build, pairs):
    made = build(SEN, SENConfig(**WIDTHS, action_width=8)).eval()
    x, y = (made.embed(pairs[name]).source for name in ("view_1", "view_2"))
    predicted = made.predict(x, pairs["relative_quaternion"])
    torch.testing.assert_close(made.loss(pairs)["loss"], losses.nt_xent_loss(predicted, y, temperature=0.5))
    other = made.predict(x, pairs["relative_quaternion"].roll(1, 0))
    assert not torch.allclose(predicted, other)


@pytest.mark.parametrize(
    ("method", "config"),
    [
        (SimCLR, SimCLRConfig(**WIDTHS)),
        (AugSelf, AUGSELF),
        (SEN, SENConfig(**WIDTHS)),
        (VICReg, VICRegConfig(**WIDTHS)),
    ],
)
def test_one_pair_cannot_be_compared_with_any(build, pairs, method, config):
    with pytest.raises(InvalidInputError, match="at least 2: raise batch_size"):
        build(method, config).loss({name: value[:1] for name, value in pairs.items()})


def test_partial_vicreg_holds_the_first_dimensions_alike(build, pairs):
    made = build(VICReg, VICRegConfig(**WIDTHS, free_fraction=0.25))
    x, y = torch.randn(2, 6, 16, generator=torch.Generator().manual_seed(0))
    terms = made.compute_terms(x, y)
    torch.testing.assert_close(terms["invariance"], losses.invariance_loss(x[:, :12], y[:, :12]))
    torch.testing.assert_close(terms["variance"], losses.variance_loss(x, y))
    with pytest.raises(InvalidInputError, match="free_fraction is 1"):
        build(VICReg, VICRegConfig(**WIDTHS, free_fraction=1.0))
