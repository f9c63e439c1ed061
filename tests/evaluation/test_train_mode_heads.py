"""Heads over a backbone in training mode, on a backbone that is batch norm and nothing else."""

import dataclasses

import numpy as np
import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.evaluation import evaluate, get_protocol
from turntable.evaluation.features import build_split_features, extract_features
from turntable.evaluation.measurement import BootstrapConfig, BootstrapResamples, ProbeConfig
from turntable.evaluation.tasks import (
    Classification,
    EvaluatedSplit,
    LinearRotation,
    NearestNeighbors,
    PairConfig,
    RelativeRotation,
)
from turntable.evaluation.train_mode_heads import ImageSource, train_heads_in_train_mode
from turntable.models import METHODS, DataInfo, Embedding, ImageMethod, build_method
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import make_demo_config, train

PROBE = ProbeConfig(epochs=3, batch_size=4, hidden=16)


class MeanColor(ImageMethod):
    """Colors of the four quarters of an image, normalized over the batch."""

    def __init__(self):
        torch.nn.Module.__init__(self)
        self.backbone = torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(2), torch.nn.BatchNorm2d(3), torch.nn.Flatten()
        )

    def embed(self, images):
        representation = self.backbone(images.float() / 255)
        return Embedding.from_parts(representation, equivariant=representation[:, :3])

    def loss(self, batch):
        raise NotImplementedError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_synthetic_dataset(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture(scope="module")
def features(dataset):
    return build_split_features(extract_features(MeanColor(), dataset.path_or_url, "train"), dataset, "train")


def evaluated(split):
    return EvaluatedSplit(
        "train", split, BootstrapResamples(split.num_objects, BootstrapConfig(20)), PairConfig()
    )


def drifted(dataset, features, tasks, method=None, told=None):
    source = ImageSource(dataset.path_or_url, "train")
    tell = (lambda text: None) if told is None else told.append
    places = [ImageSource(dataset.path_or_url, "val"), source]
    return train_heads_in_train_mode(method or MeanColor(), tasks, evaluated(features), source, places, tell)


def statistics(dataset, visits):
    """Mean and variance of colors after epochs of pairs, by hand: momentum 0.1, each view a batch."""
    method = MeanColor()
    method.backbone.train()
    from turntable.loaders import BatchConfig, Loader, Tuples

    loader = Loader(
        dataset.path_or_url,
        BatchConfig(split="train", sampler=Tuples(2, 1), batch_size=4, fields=(), last_batch="short"),
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
    still = MeanColor()
    still.backbone[1].load_state_dict(norm.state_dict())
    expected = extract_features(still, dataset.path_or_url, "val")["representation"]
    assert np.allclose(val["representation"], expected, atol=1e-6)
    again = extract_features(still, dataset.path_or_url, "val")["representation"]
    assert np.array_equal(again, expected)


def test_the_method_itself_is_left_as_it_was(dataset, features):
    method = MeanColor()
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
        NearestNeighbors(),
    ]
    heads = drifted(dataset, features, tasks, told=told)
    epochs = [each for each in told if each.unit == "epochs"]
    assert [each.done for each in epochs] == list(range(3 + 5 + 1))
    assert {each.total for each in epochs} == {3 + 5}
    assert set(heads.heads) == {
        (task.name, part) for task in tasks[:3] for part in ("representation", "equivariant")
    }
    first, second, other = (heads.features[task.name][0]["representation"] for task in tasks[:3])
    assert np.array_equal(first, second)
    assert not np.allclose(first, other)  # it drifted for longer


def test_heads_learn_what_is_there(dataset, features):
    """Colors of the quarters tell the class of blobs better than the most frequent one."""
    task = Classification(ProbeConfig(epochs=60, batch_size=8, learning_rate=5e-2))
    fitted, (_, train) = drifted(dataset, features, [task])(task, "representation")
    place = evaluated(dataclasses.replace(features, parts=train))
    known = fitted.score(place)["top1"].value
    assert known > task.build_baselines(place)["constant"](place)["top1"].value + 0.1


def test_a_method_without_a_backbone_over_images_has_none_that_drifts(dataset, features):
    method = build_method(
        "pointnet", METHODS["pointnet"].make_config(), None, DataInfo(3, *2 * [(0.5,) * 3], 32)
    )
    with pytest.raises(InvalidInputError, match="PointNet has no backbone over images"):
        drifted(dataset, features, [Classification(PROBE)], method)


@pytest.mark.slow
def test_a_train_mode_protocol_gives_the_rows_of_the_other(dataset, tmp_path):
    run = train(make_demo_config("sie", dataset.path_or_url, epochs=1, batch_size=8), tmp_path / "run")
    brief = get_protocol("sie-train-mode-bn").with_probe_settings(epochs=2, batch_size=4, hidden=16)
    protocol = dataclasses.replace(brief, resampling=BootstrapConfig(20))
    still = evaluate(
        run, dataset.path_or_url, tmp_path / "still.json", dataclasses.replace(protocol, batch_norm="eval")
    )
    moved = evaluate(
        run, dataset.path_or_url, tmp_path / "moved.json", protocol, ood_paths_or_urls=[dataset.path_or_url]
    )
    assert (still.protocol["batch_norm"], moved.protocol["batch_norm"]) == ("eval", "train")
    assert [row.name for row in moved.rows] == [row.name for row in still.rows]
    for ours, theirs in zip(moved.rows, still.rows, strict=True):
        assert set(ours.scores) == set(theirs.scores)
    assert moved.get_row("representation").scores != still.get_row("representation").scores
    for name in ("predictor", "constant"):
        assert moved.get_row(name) == still.get_row(name)
    assert moved.elsewhere[0].rows[0] == moved.rows[0]
    assert moved == evaluate(
        run, dataset.path_or_url, tmp_path / "moved.json", protocol, ood_paths_or_urls=[dataset.path_or_url]
    )
