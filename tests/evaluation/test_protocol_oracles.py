"""The protocol on features whose answer is known, before any method is judged by it."""

import dataclasses

import numpy as np
import pytest

from turntable.datasets.rotations import euler_to_quaternion, quaternion_to_matrix
from turntable.evaluation import ProtocolConfig, SplitFeatures, evaluate_features
from turntable.evaluation.probes import ProbeConfig
from turntable.evaluation.scores import Resampling, rotation_scores, top1_score

NUM_CLASSES = 4
PROTOCOL = ProtocolConfig(
    classifier=ProbeConfig(epochs=4, learning_rate=1e-2),
    rotation=ProbeConfig(epochs=20, learning_rate=3e-3, hidden=256, cosine=True, standardize=True),
    train_pairs_per_object=20,
    linear_rotation=False,
    resampling=Resampling(num_resamples=200),
)
BRIEF = dataclasses.replace(
    PROTOCOL,
    classifier=ProbeConfig(epochs=1),
    rotation=ProbeConfig(epochs=1, hidden=16),
    train_pairs_per_object=1,
    linear_rotation=True,
)


def make_split(num_objects, seed, num_views=20, skew=0):
    """Features [vec(R), onehot(class), hue] of poses in the Euler box; ``skew`` more objects in class 0."""
    generator = np.random.default_rng(seed)
    quaternions = euler_to_quaternion(generator.uniform(-np.pi / 2, np.pi / 2, (num_objects, num_views, 3)))
    categories = np.maximum(np.arange(num_objects) - skew, 0) % NUM_CLASSES
    one_hot = np.broadcast_to(np.eye(NUM_CLASSES)[categories][:, None], (num_objects, num_views, NUM_CLASSES))
    matrices = quaternion_to_matrix(quaternions).reshape(num_objects, num_views, 9)
    hue = generator.uniform(size=(num_objects, num_views, 1))
    features = np.concatenate([matrices, one_hot, hue], axis=2).astype(np.float32)
    return SplitFeatures({"representation": features}, quaternions, categories)


def with_parts(split, **parts):
    return dataclasses.replace(split, parts=parts)


@pytest.fixture(scope="module")
def perfect():
    rows = evaluate_features(make_split(400, 0), make_split(100, 1), PROTOCOL)
    return {row.name: row.scores for row in rows}


def test_a_perfect_encoder_has_perfect_scores(perfect):
    scores = perfect["representation"]
    assert scores["top1"].value == 1
    assert scores["r2_pooled"].value > 0.98
    assert scores["r2_averaged"].value > 0.98
    assert scores["geodesic_median_deg"].value < 8
    assert scores["acc_at_30"].value > 0.98


def test_the_constant_predictor_has_the_known_scores_of_the_box(perfect):
    scores = perfect["constant"]
    assert scores["r2_pooled"].value == pytest.approx(0.229, abs=0.015)
    assert scores["r2_averaged"].value == pytest.approx(0, abs=0.01)
    assert scores["top1"].value == 1 / NUM_CLASSES


def test_every_interval_holds_its_value(perfect):
    for scores in perfect.values():
        for score in scores.values():
            assert score.low <= score.value <= score.high


def test_a_constant_encoder_is_worth_the_constant_predictor():
    train, val = make_split(300, 0, skew=150), make_split(100, 1, skew=20)
    train, val = (
        with_parts(s, representation=np.ones((*s.quaternions.shape[:2], 8), np.float32)) for s in (train, val)
    )
    encoder, constant = evaluate_features(train, val, PROTOCOL)
    assert encoder.scores["top1"].value == constant.scores["top1"].value == np.mean(val.categories == 0)
    assert encoder.scores["r2_averaged"].value == pytest.approx(0, abs=0.02)
    assert encoder.scores["r2_pooled"].value == pytest.approx(constant.scores["r2_pooled"].value, abs=0.02)


def test_an_encoder_that_knows_the_class_alone_learns_no_rotation():
    train, val = make_split(200, 0), make_split(60, 1)
    train, val = (with_parts(s, invariant=s.parts["representation"][..., 9:13]) for s in (train, val))
    row, _ = evaluate_features(train, val, PROTOCOL)
    assert row.name == "invariant"
    assert row.dim == 4
    assert row.scores["top1"].value == 1
    assert row.scores["r2_averaged"].value < 0.02


def test_parts_are_scored_one_by_one():
    train, val = (make_split(n, seed, num_views=6) for n, seed in ((40, 0), (12, 1)))
    train, val = (
        with_parts(
            s, representation=s.parts["representation"], equivariant=s.parts["representation"][..., :9]
        )
        for s in (train, val)
    )
    rows = evaluate_features(train, val, BRIEF)
    assert [(row.name, row.dim) for row in rows] == [
        ("representation", 14),
        ("equivariant", 9),
        ("constant", 0),
    ]
    assert {name.removeprefix("linear_") for name in rows[0].scores} == set(rows[2].scores)


def test_two_evaluations_are_equal_to_the_bit():
    train, val = make_split(40, 0), make_split(12, 1)
    assert evaluate_features(train, val, BRIEF) == evaluate_features(train, val, BRIEF)


def test_the_order_of_objects_changes_no_metric():
    generator = np.random.default_rng(0)
    target = make_split(30, 0).quaternions[:, :7]
    predicted = target + generator.normal(scale=0.3, size=target.shape)
    classes = generator.integers(NUM_CLASSES, size=(30, 7))
    truth = generator.integers(NUM_CLASSES, size=30)
    order = generator.permutation(30)
    here = rotation_scores(predicted.reshape(-1, 4), target.reshape(-1, 4), 30, Resampling(10))
    there = rotation_scores(predicted[order].reshape(-1, 4), target[order].reshape(-1, 4), 30, Resampling(10))
    assert {k: v.value for k, v in here.items()} == pytest.approx({k: v.value for k, v in there.items()})
    top1 = [top1_score(classes[o], truth[o], Resampling(10)).value for o in (np.arange(30), order)]
    assert top1[0] == pytest.approx(top1[1])


def test_a_flip_of_all_absolute_signs_changes_nothing():
    """q1 and q2 both negated: the relative quaternion is the same."""
    train, val = make_split(40, 0), make_split(12, 1)
    flipped = [dataclasses.replace(s, quaternions=-s.quaternions) for s in (train, val)]
    assert evaluate_features(train, val, BRIEF) == evaluate_features(*flipped, BRIEF)
