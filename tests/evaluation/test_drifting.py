"""Heads over a backbone in training mode, on a backbone that is batch norm and nothing else."""

import dataclasses

import numpy as np
import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.evaluation import evaluate, protocol_by_name
from turntable.evaluation.drifting import Source, train_drifting
from turntable.evaluation.features import extract, with_labels
from turntable.evaluation.numbers import ProbeConfig, Resamples, Resampling
from turntable.evaluation.tasks import (
    Classification,
    EvaluatedSplit,
    LinearRotation,
    Neighbours,
    PairLists,
    RelativeRotation,
)
from turntable.models import METHODS, DataInfo, Embedding, ImageMethod, build_method
from turntable.testing.sets import make_synthetic_dataset
from turntable.training import demo_config, train

PROBE = ProbeConfig(epochs=3, batch_size=4, hidden=16)


class MeanColour(ImageMethod):
    """Colours of an image's four quarters, normalised over the batch."""

    def __init__(self):
        torch.nn.Module.__init__(self)
        self.backbone = torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(2), torch.nn.BatchNorm2d(3), torch.nn.Flatten()
        )

    def embed(self, images):
        representation = self.backbone(images.float() / 255)
        return Embedding.of(representation, equivariant=representation[:, :3])

    def loss(self, batch):
        raise NotImplementedError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_synthetic_dataset(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture(scope="module")
def features(dataset):
    return with_labels(extract(MeanColour(), dataset.place, "train"), dataset, "train")


def evaluated(split):
    return EvaluatedSplit("train", split, Resamples(split.num_objects, Resampling(20)), PairLists())


def drifted(dataset, features, tasks, method=None, told=None):
    source = Source(dataset.place, "train")
    tell = (lambda text: None) if told is None else told.append
    places = [Source(dataset.place, "val"), source]
    return train_drifting(method or MeanColour(), tasks, evaluated(features), source, places, tell)


def statistics(dataset, visits):
    """Mean and variance of colours after epochs of pairs, by hand: momentum 0.1, each view a batch."""
    method = MeanColour()
    method.backbone.train()
    from turntable.loaders import BatchConfig, Loader, Tuples

    loader = Loader(
        dataset.place, BatchConfig(split="train", sampler=Tuples(2, 1), batch_size=4, fields=(), last="short")
    )
    for _ in range(visits):
        for batch in loader:
            if len(batch["views"]) > 1:
                for view in batch["views"].unbind(1):
                    method.embed(view)
    return method.backbone[1]


def test_batch_norm_drifts_as_heads_are_trained_and_is_still_when_they_are_scored(dataset, features):
    task = Classification(PROBE)
    _, (val, _) = drifted(dataset, features, [task])(task, "representation")
    norm = statistics(dataset, PROBE.epochs)
    assert not torch.allclose(norm.running_mean, torch.zeros(3), atol=0.05)  # it has gone somewhere
    still = MeanColour()
    still.backbone[1].load_state_dict(norm.state_dict())
    expected = extract(still, dataset.place, "val")["representation"]
    assert np.allclose(val["representation"], expected, atol=1e-6)
    again = extract(still, dataset.place, "val")["representation"]
    assert np.array_equal(again, expected)


def test_the_method_itself_is_left_as_it_was(dataset, features):
    method = MeanColour()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    drifted(dataset, features, [Classification(PROBE)], method)
    assert all(torch.equal(value, before[name]) for name, value in method.state_dict().items())


def test_heads_of_one_length_share_a_pass_over_the_images(dataset, features):
    told = []
    longer = dataclasses.replace(PROBE, epochs=5)
    tasks = [
        Classification(PROBE),
        RelativeRotation(PROBE),
        LinearRotation(longer),
        Neighbours(),
    ]
    heads = drifted(dataset, features, tasks, told=told)
    assert len([text for text in told if "epoch" in text]) == 3 + 5
    assert set(heads.heads) == {
        (task.name, part) for task in tasks[:3] for part in ("representation", "equivariant")
    }
    first, second, other = (heads.places[task.name][0]["representation"] for task in tasks[:3])
    assert np.array_equal(first, second)
    assert not np.allclose(first, other)  # it drifted for longer


def test_heads_learn_what_is_there(dataset, features):
    """Colours of the quarters tell the class of blobs better than the most frequent one."""
    task = Classification(ProbeConfig(epochs=60, batch_size=8, learning_rate=5e-2))
    fitted, (_, train) = drifted(dataset, features, [task])(task, "representation")
    place = evaluated(dataclasses.replace(features, parts=train))
    known = fitted.score(place)["top1"].value
    assert known > task.baselines(place)["constant"](place)["top1"].value + 0.1


def test_a_method_without_a_backbone_over_images_has_none_that_drifts(dataset, features):
    method = build_method(
        "pointnet", METHODS["pointnet"].make_config(), None, DataInfo(3, *2 * [(0.5,) * 3], 32)
    )
    with pytest.raises(InvalidInputError, match="PointNet has no backbone over images"):
        drifted(dataset, features, [Classification(PROBE)], method)


@pytest.mark.slow
def test_a_drifting_protocol_gives_the_rows_of_the_other(dataset, tmp_path):
    run = train(demo_config("sie", dataset.place, epochs=1, batch_size=8), tmp_path / "run")
    brief = protocol_by_name("sie-drifting").with_heads(epochs=2, batch_size=4, hidden=16)
    protocol = dataclasses.replace(brief, resampling=Resampling(20))
    still = evaluate(
        run, dataset.place, tmp_path / "still.json", dataclasses.replace(protocol, batch_norm="eval")
    )
    moved = evaluate(run, dataset.place, tmp_path / "moved.json", protocol, elsewhere=[dataset.place])
    assert (still.protocol["batch_norm"], moved.protocol["batch_norm"]) == ("eval", "train")
    assert [row.name for row in moved.rows] == [row.name for row in still.rows]
    for ours, theirs in zip(moved.rows, still.rows, strict=True):
        assert set(ours.scores) == set(theirs.scores)
    assert moved.row("representation").scores != still.row("representation").scores
    for name in ("predictor", "constant"):
        assert moved.row(name) == still.row(name)
    assert moved.elsewhere[0].rows[0] == moved.rows[0]
    assert moved == evaluate(run, dataset.place, tmp_path / "moved.json", protocol, elsewhere=[dataset.place])
