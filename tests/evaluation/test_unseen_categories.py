"""Held-out objects whose category the train split lacks: left out of the scores of categories, and said."""

import dataclasses

import numpy as np
import pytest
import torch

from turntable.evaluation import Protocol, SplitFeatures
from turntable.evaluation.measurement import BootstrapConfig, ProbeConfig
from turntable.evaluation.stage_progress import ignore_progress
from turntable.evaluation.task_scoring import score_tasks
from turntable.evaluation.tasks import (
    Classification,
    EquiangularClassification,
    NearestNeighbors,
    OwnClassifier,
)
from turntable.models import Classifies

PROBE = ProbeConfig(epochs=60, learning_rate=0.1)
TASKS = (Classification(PROBE), NearestNeighbors(3), EquiangularClassification(PROBE), OwnClassifier())
PROTOCOL = Protocol("categories", TASKS, resampling=BootstrapConfig(num_resamples=20))
METRICS = {"representation": ("top1", "knn_top1", "equiangular_top1"), "classifier": ("classifier_top1",)}


class Argmax(torch.nn.Module, Classifies):
    """A classifier whose logits are the features."""

    def __init__(self):
        super().__init__()

    def classify(self, representation):
        return representation


def split_of(categories, num_views=4):
    """Features that are the category, one-hot of four."""
    categories = np.array(categories)
    one_hot = np.eye(4, dtype=np.float32)[categories]
    quaternions = np.tile([0.0, 0, 0, 1], (len(categories), num_views, 1))
    parts = {"representation": np.repeat(one_hot[:, None], num_views, axis=1)}
    return SplitFeatures(parts, quaternions, categories, num_categories=4)


def scored(train, val):
    found = score_tasks(split_of(train), {"val": split_of(val)}, PROTOCOL, ignore_progress, Argmax())
    return {row.name: row.scores for row in found.rows["val"]}, found.notes["val"], found.details


def test_scores_are_over_objects_of_known_categories():
    rows, notes, details = scored([0, 0, 1, 1, 1, 2], [0, 1, 1, 3, 3])
    for row, metrics in METRICS.items():
        for metric in metrics:
            assert rows[row][metric].value == 1, metric  # 3 of 5 if unknown ones counted as wrong
            assert rows["constant"][metric].value == pytest.approx(2 / 3), metric
    assert (
        "category: scored on 3 of 5 objects; the others are of categories that the train split does not have"
        in notes
    )
    assert {0, 1, 3} == set(details.projected_categories)  # figures have the true ones


def test_without_an_object_of_a_known_category_there_are_no_scores_but_a_reason():
    rows, notes, _ = scored([0, 0, 1, 1], [2, 3, 3])
    assert not any("top1" in metric for scores in rows.values() for metric in scores)
    why = "all objects are of categories that the train split does not have"
    assert f"category: left out; in val, {why}" in notes
    assert f"predictions of the method's own classifier are left out: {why}" in notes


def test_where_all_are_known_nothing_is_said():
    rows, notes, _ = scored([0, 0, 1, 1], [0, 1])
    assert rows["representation"]["top1"].value == 1
    assert notes == ()
    protocol = dataclasses.replace(PROTOCOL, tasks=())
    found = score_tasks(split_of([0, 1]), {"val": split_of([0, 2])}, protocol, ignore_progress)
    assert found.notes["val"] == ()  # no task is about categories
