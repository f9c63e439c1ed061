"""The protocol on features whose answer is known, before any method is judged by it."""

import dataclasses

import numpy as np
import pytest

from turntable.datasets import load_recipe
from turntable.errors import InvalidInputError
from turntable.evaluation import Protocol, SplitFeatures, evaluate_features, get_protocol
from turntable.evaluation.measurement import (
    BootstrapConfig,
    BootstrapResamples,
    ProbeConfig,
    compute_rotation_scores,
    compute_top1_score,
)
from turntable.evaluation.task_scoring import score_tasks as score_places
from turntable.evaluation.tasks import (
    AbsoluteRotation,
    BaseTranslation,
    Classification,
    EquiangularClassification,
    HueDifferences,
    Hues,
    LinearRotation,
    NearestNeighbors,
    ObjectTranslation,
    PairConfig,
    RelativeRotation,
)
from turntable.evaluation.tasks.category import predict_nearest_categories
from turntable.geometry import euler_to_quaternion, quaternion_to_matrix
from turntable.models.layers.equiangular import make_equiangular_vectors

NUM_CLASSES = 4
SETTLED = {"learning_rate": 3e-3, "cosine": True, "standardize": True}


def protocol_of(classifier, rotation, color, pairs, linear=True):
    """All that is asked of features, by heads that are trained so."""
    tasks = (
        Classification(classifier),
        NearestNeighbors(),
        EquiangularClassification(classifier),
        RelativeRotation(rotation),
        *([LinearRotation(rotation)] if linear else []),
        AbsoluteRotation(rotation),
        HueDifferences(color, use_mlp=False),
        Hues(color),
        ObjectTranslation(rotation),
        BaseTranslation(rotation),
    )
    return Protocol("known", tasks, PairConfig(pairs, 20), resampling=BootstrapConfig(num_resamples=200))


NAMING = ProbeConfig(epochs=4, learning_rate=1e-2)
PROTOCOL = protocol_of(
    NAMING, ProbeConfig(epochs=20, hidden=256, **SETTLED), ProbeConfig(epochs=1), 20, linear=False
)
BRIEF = protocol_of(
    ProbeConfig(epochs=1), ProbeConfig(epochs=1, hidden=16), ProbeConfig(epochs=1, hidden=16), 1
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


def first_view(split):
    """Of each object, as if it had no other."""
    parts = {name: part[:, :1] for name, part in split.parts.items()}
    return dataclasses.replace(split, parts=parts, quaternions=split.quaternions[:, :1])


@pytest.fixture(scope="module")
def perfect():
    rows = evaluate_features(make_split(400, 0), make_split(100, 1), PROTOCOL)
    return {row.name: row.scores for row in rows}


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert set(rows[0].scores) == set(rows[2].scores)


def test_a_part_that_is_another_has_its_scores_without_being_probed_again():
    told = []
    train, val = make_split(40, 0, num_views=6), make_split(12, 1, num_views=6)
    first = evaluate_features(train, val, BRIEF)
    train, val = (
        with_parts(
            s,
            representation=s.parts["representation"],
            invariant=s.parts["representation"] + 0,
            equivariant=s.parts["representation"] * np.float32(2),
        )
        for s in (train, val)
    )
    whole, same, other, _ = evaluate_features(train, val, BRIEF, told.append)
    assert told[-1].done == told[-1].total == 22, "the heads of two parts, not of three"
    assert whole == first[0]
    assert same == dataclasses.replace(whole, name="invariant")
    assert other.scores != whole.scores


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
    here = compute_rotation_scores(
        predicted.reshape(-1, 4), target.reshape(-1, 4), BootstrapResamples(30, BootstrapConfig(10))
    )
    there = compute_rotation_scores(
        predicted[order].reshape(-1, 4),
        target[order].reshape(-1, 4),
        BootstrapResamples(30, BootstrapConfig(10)),
    )
    assert {k: v.value for k, v in here.items()} == pytest.approx({k: v.value for k, v in there.items()})
    top1 = [
        compute_top1_score(classes[o], truth[o], BootstrapResamples(30, BootstrapConfig(10))).value
        for o in (np.arange(30), order)
    ]
    assert top1[0] == pytest.approx(top1[1])


def test_a_flip_of_all_absolute_signs_changes_nothing():
    """q1 and q2 both negated: the relative quaternion is the same."""
    train, val = make_split(40, 0), make_split(12, 1)
    flipped = [dataclasses.replace(s, quaternions=-s.quaternions) for s in (train, val)]
    assert evaluate_features(train, val, BRIEF) == evaluate_features(*flipped, BRIEF)


def labelled(num_objects, seed, num_views=12):
    """Features of everything there is to tell, beside the labels of 3DIEBench-T."""
    generator = np.random.default_rng(seed)
    schema = load_recipe("3diebench-t").schema
    labels = generator.uniform(-0.5, 0.5, (num_objects, num_views, len(schema))).astype(np.float32)
    for name in ("floor_hue", "light_hue"):
        labels[..., schema.get_column(name)] += 0.5
    quaternions = schema.compute_quaternions(labels)
    hues = 2 * np.pi * labels[..., schema.get_columns(["floor_hue", "light_hue"])]
    shifts = labels[..., schema.get_columns(["translation_x", "translation_y", "translation_z"])]
    matrices = quaternion_to_matrix(quaternions)
    moved = np.einsum("nvij,nvj->nvi", matrices, shifts)
    told = [matrices.reshape(num_objects, num_views, 9), hues, np.cos(hues), np.sin(hues), shifts, moved]
    features = np.concatenate(told, axis=2).astype(np.float32)
    categories = np.arange(num_objects) % NUM_CLASSES
    return SplitFeatures({"representation": features}, quaternions, categories, (), labels, schema)


ALL = protocol_of(
    NAMING,
    ProbeConfig(epochs=12, hidden=64, **SETTLED),
    ProbeConfig(epochs=12, hidden=64, **{**SETTLED, "learning_rate": 1e-2}),
    20,
)


@pytest.fixture(scope="module")
def everything():
    rows = evaluate_features(labelled(120, 0), labelled(30, 1), ALL)
    return {row.name: {name: score.value for name, score in row.scores.items()} for row in rows}


def test_every_label_is_read_from_features_that_hold_it(everything):
    scores = everything["representation"]
    assert scores["color_r2_pooled"] > 0.98
    assert scores["floor_hue_error_turn"] < 0.02
    assert scores["light_hue_error_turn"] < 0.02
    assert scores["translation_object_r2_averaged"] > 0.95
    assert scores["translation_base_r2_averaged"] > 0.95
    assert scores["absolute_r2_pooled"] > 0.95
    assert scores["absolute_geodesic_median_deg"] < 8


def test_what_sees_nothing_tells_nothing(everything):
    constant = everything["constant"]
    for name in ("color_r2_averaged", "translation_object_r2_averaged", "absolute_r2_averaged"):
        assert constant[name] == pytest.approx(0, abs=0.05)
    assert constant["floor_hue_error_turn"] == pytest.approx(0.25, abs=0.03)
    assert set(constant) == set(everything["representation"])


def test_what_the_data_lack_is_absent():
    train, val = make_split(40, 0), make_split(12, 1)
    row = evaluate_features(train, val, BRIEF)[0]
    assert not [name for name in row.scores if name.startswith(("colour", "translation")) or "hue" in name]
    one_class = [dataclasses.replace(s, categories=np.zeros_like(s.categories)) for s in (train, val)]
    row = evaluate_features(*one_class, BRIEF)[0]
    assert not [name for name in row.scores if "top1" in name]
    one_view = [first_view(s) for s in (train, val)]
    row = evaluate_features(*one_view, BRIEF)[0]
    assert "top1" in row.scores
    assert "absolute_r2_pooled" in row.scores
    assert "r2_pooled" not in row.scores


def test_what_is_left_out_is_said_with_its_reason():
    train, val = make_split(12, 0, num_views=4), make_split(8, 1, num_views=4)

    def notes(train, val):
        return score_places(train, {"val": val}, BRIEF, print).notes["val"]

    said = notes(train, val)
    assert said == (
        "hue differences, hues of a view: left out; in the train split, the hues of floor and light do"
        " not vary",
        "translation between two views: left out; in the train split, translations do not vary",
    )
    alike = dataclasses.replace(val, categories=np.zeros_like(val.categories))
    assert "category: left out; in val, all objects are of the same category" in notes(train, alike)
    unknown = dataclasses.replace(val, categories=val.categories - 1)
    assert "category: scored on 6 of 8 objects; the others are of categories that the train split" in str(
        notes(train, unknown)
    )
    assert "rotation between two views, hue differences, translation between two views: left out;" in str(
        notes(first_view(train), first_view(val))
    )
    assert notes(labelled(12, 0, 4), labelled(8, 1, 4)) == ()


def test_a_split_that_cannot_be_asked_has_no_score_and_breaks_nothing():
    train, val = make_split(12, 0, num_views=4), make_split(8, 1, num_views=4)
    one_view = first_view(val)
    unknown = dataclasses.replace(val, categories=np.full_like(val.categories, -1))
    rows = score_places(train, {"val": val, "one view": one_view, "unknown": unknown}, BRIEF, print).rows
    assert {"top1", "r2_pooled"} <= set(rows["val"][0].scores)
    assert "r2_pooled" not in rows["one view"][0].scores
    assert "absolute_r2_pooled" in rows["one view"][0].scores
    for row in rows["unknown"]:
        assert not [name for name in row.scores if "top1" in name]
        assert "r2_pooled" in row.scores
    assert score_places(train, {"one view": one_view}, BRIEF, print).details.turn_deg.size == 0


def test_features_alone_are_not_enough_for_a_backbone_that_drifts():
    with pytest.raises(InvalidInputError, match='use a protocol with batch_norm="eval"'):
        evaluate_features(make_split(12, 0), make_split(8, 1), get_protocol("sie-train-mode-bn"))
    with pytest.raises(InvalidInputError, match="standardize"):
        dataclasses.replace(get_protocol("turntable-demo"), batch_norm="train")


def test_the_nearest_neighbours_vote():
    known = np.float32([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [0.2, 0.8]])
    categories = np.array([0, 0, 1, 1, 1])
    asked = np.float32([[5, 0.1], [0.1, 3]])
    assert predict_nearest_categories(known, categories, asked, 2, 2).tolist() == [0, 1]
    assert predict_nearest_categories(known, categories, asked, 99, 2).tolist() == [
        0,
        1,
    ]  # votes weigh cosines


@pytest.mark.slow
@pytest.mark.parametrize(("dim", "most"), [(64, 1e-6), (32, 0.129), (16, 0.259)])
def test_equiangular_vectors_are_as_far_apart_as_can_be(dim, most):
    vectors = make_equiangular_vectors(55, dim).double()
    cosines = (vectors @ vectors.T).fill_diagonal_(0).abs().max().item()
    welch = np.sqrt(max(0, 55 - dim) / (dim * 54))
    assert welch - 1e-6 <= cosines <= most
    assert np.allclose(vectors.norm(dim=1), 1)


def task_of(protocol, name):
    (task,) = (task for task in protocol.tasks if task.name == name)
    return task


def test_the_papers_protocols_differ_where_they_say():
    sie, equicaps, seq = (get_protocol(name) for name in ("sie", "equicaps", "seq-jepa"))
    names = {protocol.name: [task.name for task in protocol.tasks] for protocol in (sie, equicaps, seq)}
    assert names == {
        "sie": ["top1", "rotation", "linear_rotation", "hue_differences", "predictions"],
        "equicaps": [
            *("top1", "rotation", "hue_differences"),
            *("translation_object", "translation_base", "predictions"),
        ],
        "seq-jepa": [
            *("top1", "rotation", "absolute_rotation", "hue_differences"),
            *("aggregates", "predictions"),
        ],
    }
    assert (task_of(sie, "hue_differences").use_mlp, task_of(equicaps, "hue_differences").use_mlp) == (
        True,
        False,
    )
    assert task_of(equicaps, "hue_differences").probe.epochs == 50
    assert task_of(sie, "predictions").candidates == ("val", "train", "both")
    assert task_of(seq, "rotation").probe.optimizer == "adamw"
    for config in (sie, seq):
        train_mode = get_protocol(f"{config.name}-train-mode-bn")
        assert train_mode == dataclasses.replace(config, name=train_mode.name, batch_norm="train")
    with pytest.raises(
        InvalidInputError, match="unknown protocol 'mine'; choose one of: turntable, turntable-d"
    ):
        get_protocol("mine")
