"""Evaluation on selections: the heads see one, the scores are of the other."""

import numpy as np
import pytest

from tests.evaluation.test_evaluate import PROTOCOL
from turntable.datasets import Selection, open_dataset
from turntable.errors import InvalidInputError
from turntable.evaluation import (
    SplitSelections,
    evaluate,
    get_protocol,
    list_result_files,
    read_figure_data,
    read_results,
)
from turntable.evaluation.features import compute_split_features
from turntable.evaluation.split_selections import list_selected, select_features
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import make_demo_config, open_run, train
from turntable.training.runs import describe_training_data

ENVIRONMENTS = [{"name": "a"}, {"name": "b"}]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_synthetic_dataset(tmp_path_factory.mktemp("data") / "set", 24, environment=ENVIRONMENTS)


@pytest.fixture(scope="module")
def run_dir(dataset, tmp_path_factory):
    config = make_demo_config("sie", dataset.path_or_url, epochs=1, pairs_per_object=2, batch_size=8)
    return train(config, tmp_path_factory.mktemp("runs") / "sie")


def test_the_features_of_a_part_are_those_of_its_views(dataset, run_dir):
    whole = compute_split_features(open_run(run_dir), dataset.path_or_url, "train")
    selection = Selection(views="1,4", environments=["b"], shots=2)
    part = select_features(whole, dataset, "train", selection)
    rows, views = list_selected(dataset, "train", selection)
    assert views.tolist() == [1, 4]
    for number, row in enumerate(rows):
        assert part.object_ids[number] == whole.object_ids[row]
        assert part.categories[number] == whole.categories[row]
        for place, view in enumerate(views):
            assert np.array_equal(part.labels[number, place], whole.labels[row, view])
            assert np.array_equal(part.quaternions[number, place], whole.quaternions[row, view])
            for name, values in part.parts.items():
                assert np.array_equal(values[number, place], whole.parts[name][row, view])
            assert np.array_equal(part.source[number, place], whole.source[row, view])
    assert select_features(whole, dataset, "train", Selection()) is whole


def test_views_of_the_same_objects_are_a_split_of_their_own(dataset, run_dir):
    selections = SplitSelections(Selection(views="even"), Selection(views="odd"))
    results = evaluate(run_dir, dataset.path_or_url, protocol=PROTOCOL, split="train", selections=selections)
    assert results.num_train_objects == results.num_val_objects == 18
    assert results.protocol["name"] == f"{PROTOCOL.name}, trained on views even, scored on views odd"
    whole = evaluate(run_dir, dataset.path_or_url, protocol=PROTOCOL)
    assert whole.protocol["name"] == PROTOCOL.name
    assert "train_selection" not in whole.protocol
    found = {read_results(files.path).protocol["name"]: files for files in list_result_files(run_dir)}
    assert {whole.protocol["name"], results.protocol["name"]} <= set(found)
    # The figures name views of the whole split, whose pictures a report shows.
    details = read_figure_data(found[results.protocol["name"]].details_path)
    assert set(details.projected_views.tolist()) == {1, 3, 5}
    assert set(details.retrieval.found_views.ravel().tolist()) <= {1, 3, 5}


def test_unseen_environments_and_few_shots(dataset, run_dir):
    selections = SplitSelections(Selection(environments=["a"], shots=1), Selection(environments=["b"]))
    results = evaluate(run_dir, dataset.path_or_url, protocol=PROTOCOL, selections=selections)
    with dataset.open_split("train") as train_split, dataset.open_split("val") as val_split:
        assert results.num_train_objects == len(selections.train.list_objects(train_split)) <= 3
        assert (
            results.num_val_objects == len(selections.scored.list_objects(val_split)) < val_split.num_objects
        )
    assert results.protocol["train_selection"] == "environments a 1 shots"


def test_views_that_are_trained_on_are_not_scored(dataset, run_dir):
    for selections in (SplitSelections(), SplitSelections(Selection(views="even"), Selection(views="0-2"))):
        with pytest.raises(InvalidInputError, match="heads are trained on the train split"):
            evaluate(run_dir, dataset.path_or_url, protocol=PROTOCOL, split="train", selections=selections)
    with pytest.raises(InvalidInputError, match="trains heads over the images of whole splits"):
        evaluate(
            run_dir,
            dataset.path_or_url,
            protocol=get_protocol("sie-train-mode-bn"),
            selections=SplitSelections(Selection(shots=1)),
        )


def test_a_run_is_trained_on_a_part(dataset, tmp_path):
    settings = {"epochs": 1, "pairs_per_object": 2, "batch_size": 4}
    selection = Selection(views="0-2", shots=2)
    run = open_run(
        train(make_demo_config("vicreg", dataset.path_or_url, **settings, selection=selection), tmp_path)
    )
    assert run.config.selection == selection
    for other in (Selection(), Selection(views="0-2", shots=1)):
        with pytest.raises(InvalidInputError, match=r"selection was \{'views': '0-2', .*, now"):
            train(make_demo_config("vicreg", dataset.path_or_url, **settings, selection=other), tmp_path)
    data = describe_training_data(run.config)
    assert (data.num_objects, data.fields.num_views) == (6, 3)
    assert open_dataset(dataset.path_or_url).manifest.views == 6
    with pytest.raises(InvalidInputError, match="selection is 1 shots; online views have no end"):
        make_demo_config("vicreg", None, online="zoo", selection=Selection(shots=1))
    with pytest.raises(InvalidInputError, match="views 9"):
        train(make_demo_config("vicreg", dataset.path_or_url, selection=Selection(views="9")), tmp_path / "b")
