"""What the tasks compute; which labels each reads is tested with those of all methods."""

import pytest
import torch
from torch.nn import functional

from turntable.errors import InvalidInputError
from turntable.models.image_methods import Supervised, SupervisedConfig
from turntable.models.layers import EquiangularHead
from turntable.training import make_paper_config

WEIGHTS = {"category_weight": 2.0, "rotation_weight": 3.0, "color_weight": 5.0, "translation_weight": 7.0}


@pytest.fixture
def batch(pairs):
    generator = torch.Generator().manual_seed(2)
    moved = torch.rand(6, 3, generator=generator)
    return {**pairs, "category": torch.tensor([0, 1, 2, 2, 1, 0]), "translation_difference_object": moved}


def test_each_task_is_that_of_its_formula_and_the_loss_their_weighted_sum(build, batch):
    made = build(Supervised, SupervisedConfig(**WEIGHTS, width=24)).eval()
    terms = made.loss(batch)
    h1, h2 = made.represent_pair(batch)
    entropies = [functional.cross_entropy(made.classifier(h), batch["category"]) for h in (h1, h2)]
    torch.testing.assert_close(terms["category"], sum(entropies) / 2)
    hues = torch.stack([batch["floor_hue_difference"], batch["light_hue_difference"]], dim=1)
    targets = {
        "rotation": batch["relative_quaternion"],
        "color": hues,
        "translation": batch["translation_difference_object"],
    }
    for name, target in targets.items():
        head = made.heads["colour" if name == "color" else name]  # weights keep their names on disk
        predicted = head(torch.cat([h1, h2], dim=1))
        torch.testing.assert_close(terms[name], (predicted - target).square().mean())
    expected = sum(WEIGHTS[f"{name}_weight"] * terms[name] for name in ("category", *targets))
    torch.testing.assert_close(terms["loss"], expected)


def test_the_paper_sized_heads_are_those_of_the_evaluation(build):
    made = build(Supervised, SupervisedConfig(**WEIGHTS))
    assert made.classifier.weight.shape == (3, 512)
    widths = {name: [layer.out_features for layer in head[::2]] for name, head in made.heads.items()}
    assert widths == {"rotation": [1024, 1024, 4], "colour": [1024, 1024, 2], "translation": [1024, 1024, 3]}
    assert all(head[0].in_features == 2 * 512 for head in made.heads.values())


def test_it_trains_as_the_evaluations_heads_do():
    config = make_paper_config("supervised", "set")
    assert (config.optimizer, config.learning_rate, config.schedule) == ("adam", 1e-3, "constant")
    assert (config.weight_decay, config.batch_size) == (0.0, 256)


def test_the_categories_may_be_equiangular_vectors(build, batch):
    made = build(Supervised, SupervisedConfig(rotation_weight=0.0, category_head="ebv")).eval()
    assert isinstance(made.classifier, EquiangularHead)
    logits = [made.classifier(h) for h in made.represent_pair(batch)]
    expected = sum(functional.cross_entropy(each, batch["category"]) for each in logits) / 2
    loss = made.loss(batch)["loss"]
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert made.backbone.reduce.weight.grad.abs().sum() > 0


def test_one_pair_is_enough(build, batch):
    made = build(Supervised, SupervisedConfig(**WEIGHTS, width=24))
    assert made.loss({name: value[:1] for name, value in batch.items()})["loss"].isfinite()


def test_unknown_heads_and_weights_below_zero_are_refused(build):
    with pytest.raises(InvalidInputError, match="unknown category_head 'evb'; choose one of: linear, ebv"):
        build(Supervised, SupervisedConfig(category_head="evb"))
    with pytest.raises(InvalidInputError, match="weights of the tasks must be at least 0"):
        build(Supervised, SupervisedConfig(color_weight=-1.0))
