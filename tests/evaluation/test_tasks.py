"""The contract of tasks: one that comes with the package, one of a user's own, and what breaks it."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from tests.support.own_tasks import CLASSES, HiddenNumber, only, split_of
from turntable.errors import InvalidInputError
from turntable.evaluation import (
    Protocol,
    evaluate,
    evaluate_features,
    get_protocol,
)
from turntable.evaluation.features import extract_features, renumber_categories
from turntable.evaluation.measurement import ProbeConfig
from turntable.evaluation.report import build_tables
from turntable.evaluation.task_scoring import score_tasks
from turntable.evaluation.tasks import (
    TASKS,
    Classification,
    FloatArray,
    LinearRotation,
    NearestNeighbors,
    OwnClassifier,
    Prediction,
    Regression,
    RelativeRotation,
)
from turntable.evaluation.tasks import (
    compute_rows as view_rows,
)
from turntable.models import Classifies, Embedding, Embeds


class Naming(torch.nn.Module, Classifies):
    """A method whose own head is right about all categories but the last, which it calls the first."""

    def __init__(self, classes=CLASSES):
        super().__init__()
        self.classes = classes

    def classify(self, representation):
        logits = representation[:, : self.classes].clone()
        logits[:, 0] += 0.5
        logits[:, -1] = 0
        return logits


class FirstNumber(Regression):
    """A user's own, by a head."""

    name = "first"
    title = "first number"
    metric_prefix = "first_"
    num_views = 1

    def compute_targets(self, split, samples) -> FloatArray:
        return split.quaternions.reshape(-1, 4)[view_rows(split, samples)[:, 0], :2]


def test_a_methods_own_classifier_is_scored_beside_the_most_frequent_category():
    split = split_of()
    found = score_tasks(split, {"val": split}, only(OwnClassifier()), print, Naming())
    classifier, constant = found.rows["val"]
    assert (classifier.name, classifier.dim) == ("classifier", CLASSES + 1)
    assert classifier.scores["classifier_top1"].value == 0.75
    assert classifier.scores["classifier_top1"].low <= 0.75 <= classifier.scores["classifier_top1"].high
    assert constant.scores["classifier_top1"].value == 0.25
    (table,) = build_tables([("toy", classifier), ("constant baseline", constant)])
    assert table.headings == ("top-1, %",)
    assert table.finding.startswith("toy: category right for 75.0 %, constant baseline 25.0 %")


def test_its_own_classifier_is_asked_in_turntables_protocol_alone():
    asking = {name for name in PROTOCOLS if OwnClassifier() in get_protocol(name).tasks}
    assert asking == {"turntable", "turntable-demo"}


PROTOCOLS = (
    "turntable",
    "turntable-demo",
    "sie",
    "equicaps",
    "seq-jepa",
    "sie-train-mode-bn",
    "seq-jepa-train-mode-bn",
)


def test_a_method_without_a_classifier_is_left_alone_and_one_of_other_categories_is_noted():
    split = split_of()
    for method in (None, torch.nn.Linear(1, 1)):
        found = score_tasks(split, {"val": split}, only(OwnClassifier()), print, method)
        assert [row.name for row in found.rows["val"]] == ["constant"]
        assert found.notes["val"] == ()
    found = score_tasks(split, {"val": split}, only(OwnClassifier()), print, Naming(3))
    assert [row.name for row in found.rows["val"]] == ["constant"]
    assert found.notes["val"] == (
        "predictions of the method's own classifier are left out:"
        " the classifier has 3 categories, and the data set has 4",
    )


def test_elsewhere_its_own_classifier_is_asked_about_categories_that_it_knows():
    split = split_of()
    names = [f"class{number}" for number in range(CLASSES)]
    fewer = split_of(categories=np.arange(12) % 2, num_categories=2)
    known, unknown = (renumber_categories(fewer, two, names) for two in (names[2:], ["class0", "zebra"]))
    splits = {"val": split, "known": known, "unknown": unknown}
    found = score_tasks(split, splits, only(OwnClassifier()), print, Naming())
    assert [len(found.rows[name]) for name in splits] == [2, 2, 1]
    assert "all objects of known categories are of the same category" in found.notes["unknown"][0]


def test_a_task_of_ones_own_is_scored_on_every_part_with_all_its_baselines():
    split = split_of()
    parts = {**split.parts, "equivariant": split.parts["representation"] * np.float32(2)}
    split = dataclasses.replace(split, parts=parts)
    rows = evaluate_features(split, split, only(HiddenNumber()))
    assert [row.name for row in rows] == ["representation", "equivariant", "baseline_median", "constant"]
    assert rows[0].scores["hidden_error"].value == pytest.approx(0, abs=1e-6)
    doubled = np.abs(split.quaternions[..., 0]).mean()  # 2x misses x by |x|
    assert rows[1].scores["hidden_error"].value == pytest.approx(doubled, abs=1e-6)
    assert rows[2].scores["hidden_error"].value <= rows[3].scores["hidden_error"].value
    assert [row.dim for row in rows] == [5, 5, 0, 0]


def test_a_regression_of_ones_own_has_a_head_a_mean_and_a_note_where_labels_lack():
    split = split_of(40)
    probe = ProbeConfig(epochs=30, hidden=32, learning_rate=1e-2, cosine=True)
    row, constant = evaluate_features(split, split, only(FirstNumber(probe)))
    assert set(row.scores) == {"first_r2_pooled", "first_r2_averaged"} == set(constant.scores)
    assert row.scores["first_r2_averaged"].value > constant.scores["first_r2_averaged"].value + 0.1
    assert constant.scores["first_r2_averaged"].value == pytest.approx(0, abs=1e-9)

    class Lacking(FirstNumber):
        def find_label_obstacle(self, split):
            return "there is no first number"

    found = score_tasks(split, {"val": split}, only(Lacking(probe)), print)
    assert found.notes["val"] == ("first number: left out; in the train split, there is no first number",)
    assert [(row.name, row.scores) for row in found.rows["val"]] == [("representation", {}), ("constant", {})]


def test_tasks_that_break_the_contract_are_refused():
    split = split_of()
    with pytest.raises(InvalidInputError, match="more than one task named 'top1'"):
        only(Classification(), Classification(ProbeConfig(epochs=1)))

    class Twice(HiddenNumber):
        name = "twice"

    with pytest.raises(
        InvalidInputError, match="task twice has the metric 'hidden_error' for the representation"
    ):
        evaluate_features(split, split, only(HiddenNumber(), Twice()))
    for given in ({}, {"baseline_mean": print}, {"constant": print, "mean": print}):

        class Blind(HiddenNumber):
            found = given

            def build_baselines(self, train):
                return self.found

        with pytest.raises(InvalidInputError, match="task hidden has the baselines"):
            evaluate_features(split, split, only(Blind()))
    with pytest.raises(InvalidInputError, match="hidden, knn_top1 cannot be trained batch by batch"):
        Protocol(
            "mine", (Classification(), HiddenNumber(), NearestNeighbors(), Prediction()), batch_norm="train"
        )


def test_heads_are_changed_together():
    protocol = get_protocol("turntable").with_probe_settings(epochs=7)
    probes = [task.probe for task in protocol.tasks if hasattr(task, "probe")]
    assert len(probes) == 10
    assert {probe.epochs for probe in probes} == {7}
    assert [task.name for task in protocol.tasks] == [task.name for task in get_protocol("turntable").tasks]


def test_every_shipped_protocol_has_registered_tasks_with_tables_and_plain_values():
    known = {type(task) for task in TASKS}
    for name in PROTOCOLS:
        protocol = get_protocol(name)
        plain = protocol.to_plain()
        assert json.loads(json.dumps(plain)) == plain
        for task, told in zip(protocol.tasks, plain["tasks"], strict=True):
            assert type(task) in known
            assert task.tables
            assert "tables" not in told
    assert plain["tasks"][1] == {
        "name": "rotation",
        "kind": "RelativeRotation",
        "probe": dataclasses.asdict(ProbeConfig(optimizer="adamw")),
        "use_mlp": True,
        "sign": "product",
    }
    assert RelativeRotation().name != LinearRotation().name


class EmbedsNothing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))


def test_a_method_that_embeds_nothing_is_refused(evaluated):
    with pytest.raises(InvalidInputError, match="EmbedsNothing embeds nothing, so there are no features"):
        extract_features(EmbedsNothing(), evaluated[0].path_or_url, "val")


def test_a_method_embeds_the_fields_that_it_names(evaluated):
    class Both(EmbedsNothing, Embeds):
        embeds_from = ("view", "view")

        def embed(self, one, other):
            assert one.dtype == torch.uint8
            return Embedding.from_parts((one.float() + other.float()).mean(dim=(2, 3)))

    class One(EmbedsNothing, Embeds):
        embeds_from = ("view",)

        def embed(self, images):
            return Embedding.from_parts(images.float().mean(dim=(2, 3)))

    both, one = (
        extract_features(method, evaluated[0].path_or_url, "val")["representation"]
        for method in (Both(), One())
    )
    assert np.allclose(both, 2 * one, rtol=1e-5)

    class OfDepth(One):
        embeds_from = ("depth",)

    with pytest.raises(InvalidInputError, match="depth"):
        extract_features(OfDepth(), evaluated[0].path_or_url, "val")


def test_data_sets_that_cannot_be_told_apart_are_refused(evaluated):
    _, run, _ = evaluated
    for elsewhere in (["other", "other"], ["val"]):
        with pytest.raises(InvalidInputError, match="has the same name as another scored split"):
            evaluate(run, "set", ood_paths_or_urls=elsewhere)


def test_a_protocol_that_asks_nothing_that_can_be_answered_is_refused(evaluated, tmp_path):
    dataset, run, _ = evaluated
    with pytest.raises(InvalidInputError, match="no task of protocol mine can score vicreg on this data set"):
        evaluate(run, dataset.path_or_url, tmp_path / "r.json", only(Prediction(), OwnClassifier()))
    assert not (tmp_path / "r.json").exists()
