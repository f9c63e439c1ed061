"""Evaluation of whole runs on data of their own, on other data, and on data that lack something."""

import dataclasses

import numpy as np
import pytest

from turntable.datasets import load_recipe, open_dataset
from turntable.errors import InvalidInputError
from turntable.evaluation import (
    EvaluationResults,
    evaluate,
    evaluate_untrained,
    get_protocol,
    locate_result_files,
    read_figure_data,
)
from turntable.evaluation.evaluating import UNTRAINED_METHOD, compute_training_share
from turntable.evaluation.features import build_split_features, compute_split_features, renumber_categories
from turntable.evaluation.measurement import BootstrapConfig, ProbeConfig
from turntable.evaluation.task_scoring import score_tasks
from turntable.evaluation.tasks import Aggregation, Prediction
from turntable.testing.datasets import make_synthetic_objects, write_synthetic_dataset
from turntable.training import load_method, make_demo_config, open_run, train

PROTOCOL = dataclasses.replace(
    get_protocol("turntable-demo").with_probe_settings(epochs=2, hidden=16), resampling=BootstrapConfig(20)
)
CLASSES = ("class00", "class01", "class02")


def make(place, recipe="3diebench", names=CLASSES, objects=12, views=6, image_size=32):
    """A data set of a recipe's labels, its objects' categories called by other names."""
    changes = {"views": views, "image_size_px": image_size, "objects_per_shard": 4, "val_fraction": 0.25}
    recipe = load_recipe(recipe).replace(source="folder", **changes)
    records = [
        dataclasses.replace(record, category=names[CLASSES.index(record.category)])
        for record in make_synthetic_objects(recipe, objects, len(CLASSES))
    ]
    write_synthetic_dataset(place, recipe, records)
    return place


def asking(task):
    """The protocol with another task in the place of the one of its name."""
    return dataclasses.replace(
        PROTOCOL, tasks=tuple(task if other.name == task.name else other for other in PROTOCOL.tasks)
    )


def brief_run(dataset, folder, method="vicreg", **changes):
    return train(make_demo_config(method, dataset, epochs=1, batch_size=8, **changes), folder)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    return brief_run(dataset, tmp_path_factory.mktemp("runs") / "vicreg")


def test_elsewhere_a_category_is_known_by_its_name_and_not_by_its_number(run, dataset, tmp_path):
    fewer = make(tmp_path / "fewer", names=("class02", "class01", "class02"))
    with open_dataset(fewer).open_split("val") as split:
        names = [record.category for record in split.objects]
        assert split.category_indices.tolist() == [("class01", "class02").index(name) for name in names]
    found = evaluate(run, dataset, tmp_path / "r.json", PROTOCOL, ood_paths_or_urls=[fewer, dataset])
    there, here = found.elsewhere
    assert {row.name: row.scores for row in here.rows} == {row.name: row.scores for row in found.rows}
    features = compute_split_features(open_run(run), fewer, "val")
    named = dataclasses.replace(features, categories=np.array([CLASSES.index(name) for name in names]))
    train_split = compute_split_features(open_run(run), dataset, "train")
    expected = score_tasks(train_split, {"val": named}, PROTOCOL, print).rows["val"]
    assert there.rows == expected
    assert there.notes == (
        "translation between two views: left out; in the train split, translations do not vary",
    )


def test_elsewhere_categories_that_training_never_saw_are_left_out_of_their_scores(run, dataset, tmp_path):
    other = make(tmp_path / "other", names=("zebra", "class01", "class02"))
    found = evaluate(run, dataset, tmp_path / "r.json", PROTOCOL, ood_paths_or_urls=[other])
    (unknown,) = found.elsewhere
    for row in unknown.rows:
        assert {"top1", "knn_top1", "equiangular_top1", "r2_pooled"} <= set(row.scores)
    assert (
        "category: scored on 2 of 3 objects; the others are of categories that the train split does not have"
        in unknown.notes
    )
    assert EvaluationResults.from_json(found.to_json()).elsewhere == found.elsewhere
    split = compute_split_features(open_run(run), other, "val")
    assert sorted(renumber_categories(split, ("class01", "class02", "zebra"), CLASSES).categories) == [
        -1,
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("recipe", "low", "high"),
    [("so3-ood", 0, 0), ("3diebench-ood-legacy", 1, 1), ("3diebench", 1, 1)],
)
def test_whether_a_set_is_out_of_distribution_is_told_by_its_rotations(dataset, tmp_path, recipe, low, high):
    other = open_dataset(make(tmp_path / recipe, recipe))
    features = build_split_features({"representation": np.zeros((3, 6, 1), np.float32)}, other, "val")
    share = compute_training_share(features, open_dataset(dataset))
    assert low <= share <= high
    assert compute_training_share(features, other) in (None, 1.0)


def test_a_network_that_has_learned_nothing_has_scores_too(dataset, tmp_path):
    config = make_demo_config("sie", dataset, seed=3)
    first, again = (evaluate_untrained(config, tmp_path / name, PROTOCOL) for name in "ab")
    assert first == again
    assert first.method == UNTRAINED_METHOD
    assert locate_result_files(tmp_path / "a", first).details_path.is_file()
    assert {"top1", "r2_averaged"} <= set(first.get_row("representation").scores)
    other = evaluate_untrained(make_demo_config("sie", dataset, seed=4), tmp_path / "c", PROTOCOL)
    assert other.get_row("representation") != first.get_row("representation")


@pytest.mark.slow
def test_several_views_together_have_rows_as_far_as_views_reach(dataset, tmp_path):
    run = brief_run(dataset, tmp_path / "run", "seq-jepa")
    protocol = asking(Aggregation(ProbeConfig(epochs=2), (1, 3, 5, 7)))
    rows = {row.name: row for row in evaluate(run, dataset, protocol=protocol).rows}
    together = [name for name in rows if name.startswith("aggregate")]
    assert together == ["aggregate_1", "aggregate_3", "aggregate_5"]  # objects have 6 views
    assert all(set(rows[name].scores) == {"top1"} for name in together)


@pytest.mark.slow
def test_pre_looks_where_the_protocol_says(dataset, tmp_path):
    run = brief_run(dataset, tmp_path / "run", "sie")
    protocol = asking(Prediction("first", ("val", "train", "both")))
    results = evaluate(run, dataset, protocol=protocol)
    scores = results.get_row("predictor").scores
    assert {"pre", "pre_in_train", "pre_in_both"} <= set(scores)
    assert {"pre", "pre_in_train", "pre_in_both"} <= set(results.get_row("constant").scores)
    # From train's own views to train's own poses: what PRE in val is where val is the train split.
    itself, method = compute_split_features(open_run(run), dataset, "train"), load_method(open_run(run))
    on_train = score_tasks(itself, {"val": itself}, asking(Prediction("first")), print, method)
    there = {row.name: row.scores for row in on_train.rows["val"]}
    assert scores["pre_in_train"] == there["predictor"]["pre"]
    assert results.get_row("constant").scores["pre_in_train"] == there["constant"]["pre"]


def test_one_view_an_object_leaves_what_a_view_tells(run, tmp_path):
    single = make(tmp_path / "single", views=1)
    results = evaluate(run, single, tmp_path / "r.json", PROTOCOL)
    scores = results.get_row("representation").scores
    assert {"top1", "absolute_geodesic_median_deg", "floor_hue_error_turn"} <= set(scores)
    assert "r2_pooled" not in scores
    assert results.num_val_pairs == 0
    assert results.notes == (
        "rotation between two views, hue differences, translation between two views: left out;"
        " in the train split, there is only one view of each object",
    )
    assert read_figure_data(tmp_path / "details.npz").turn_deg.size == 0


def test_a_method_that_predicts_needs_two_views_and_its_labels(dataset, tmp_path):
    run = brief_run(dataset, tmp_path / "run", "sie")
    results = evaluate(run, make(tmp_path / "single", views=1), tmp_path / "r.json", PROTOCOL)
    assert "predictor" not in {row.name for row in results.rows}
    assert "predictions are left out: there is only one view of each object" in results.notes


def test_one_category_is_nothing_to_tell(run, tmp_path):
    alike = make(tmp_path / "alike", names=("same",) * 3)
    results = evaluate(run, alike, tmp_path / "r.json", PROTOCOL)
    assert not [name for name in results.get_row("representation").scores if "top1" in name]
    assert any(note.startswith("category: left out; in the train split, all") for note in results.notes)


def test_a_split_that_is_not_there_is_named(run, tmp_path):
    place = tmp_path / "train-only"
    recipe = load_recipe("3diebench").replace(
        source="folder", views=4, image_size_px=32, objects_per_shard=4, val_fraction=0.0
    )
    write_synthetic_dataset(place, recipe, make_synthetic_objects(recipe, 6, 3))
    with pytest.raises(InvalidInputError, match="no split 'val'; it has train"):
        evaluate(run, place, tmp_path / "r.json", PROTOCOL)


def test_a_run_on_smaller_images_sees_other_data_at_its_own_size(tmp_path):
    large = make(tmp_path / "large", image_size=48)
    run = brief_run(large, tmp_path / "run", image_size=32)
    results = evaluate(
        run, large, protocol=PROTOCOL, ood_paths_or_urls=[make(tmp_path / "small", image_size=40)]
    )
    assert set(results.elsewhere[0].rows[0].scores) == set(results.rows[0].scores)


def test_features_lie_on_the_disk_and_are_mapped(run, dataset):
    features = compute_split_features(open_run(run), dataset, "val")
    part = features.parts["representation"]
    assert isinstance(part, np.memmap)
    assert part.shape == (3, 6, part.shape[2])


def test_an_extraction_that_was_cut_off_is_done_again(dataset, tmp_path):
    run = open_run(brief_run(dataset, tmp_path / "run"))
    expected = np.array(compute_split_features(run, dataset, "val").parts["representation"])
    (folder,) = (run.folder / "features").iterdir()
    np.lib.format.open_memmap(folder / "representation.npy", mode="r+")[:] = 0
    (folder / "done").unlink()
    assert np.array_equal(compute_split_features(run, dataset, "val").parts["representation"], expected)
