import dataclasses
import errno
import hashlib

import numpy as np
import pytest
import torch

from turntable.datasets import open_dataset
from turntable.errors import IntegrityError, InvalidInputError, StoreError
from turntable.evaluation import (
    EvaluationResults,
    TrainingSource,
    evaluate,
    evaluate_untrained_run,
    features,
    get_protocol,
    locate_result_files,
    read_figure_data,
    read_results,
)
from turntable.evaluation.features import compute_split_features, extract_features
from turntable.evaluation.measurement import BootstrapConfig
from turntable.models import Embedding, Embeds
from turntable.studies import compare_runs
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import load_method, make_demo_config, open_run, train

PROTOCOL = dataclasses.replace(
    get_protocol("turntable-demo").with_probe_settings(epochs=2, hidden=16),
    resampling=BootstrapConfig(num_resamples=20),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    make_synthetic_dataset(folder)
    return folder


@pytest.fixture(scope="module", params=["sie", "vicreg"])
def run_dir(request, dataset, tmp_path_factory):
    config = make_demo_config(request.param, dataset, epochs=1, pairs_per_object=2, batch_size=8)
    return train(config, tmp_path_factory.mktemp("runs") / request.param)


def test_results_are_written_and_read_back(run_dir, dataset):
    told = []
    results = evaluate(run_dir, dataset, protocol=PROTOCOL, progress=told.append)
    assert read_results(locate_result_files(run_dir, results).path) == results
    split = open_dataset(dataset).open_split("val")
    assert (results.method, results.num_val_objects) == (run_dir.name, split.num_objects)
    assert results.num_val_pairs == split.num_objects * min(20, split.num_views * (split.num_views - 1))
    assert told[0].stage == "features of the train split"


def test_a_method_is_scored_by_its_parts_with_the_constant_beside(run_dir, dataset, tmp_path):
    results = evaluate(run_dir, dataset, tmp_path / "mine.json", PROTOCOL)
    parts = ["representation"]
    if run_dir.name == "sie":
        parts = ["representation", "invariant", "equivariant", "predictor"]
    assert [row.name for row in results.rows] == [*parts, "constant"]
    assert results.get_row("constant").dim == 0
    assert (results.backbone, results.seed) == ("small", 0)
    details = read_figure_data(tmp_path / "details.npz")
    assert set(details.errors_deg) == set(details.projections) == {*parts} - {"predictor"}
    assert len(details.turn_deg) == len(details.errors_deg["representation"]) == results.num_val_pairs
    assert (details.retrieval is not None) == ("predictor" in parts)
    assert (tmp_path / "mine.json").is_file()


def test_features_do_not_depend_on_the_batch_size(run_dir, dataset):
    method = load_method(open_run(run_dir))
    one, many = (extract_features(method, dataset, "val", batch_size=size) for size in (1, 64))
    assert one.keys() == many.keys()
    for name in one:
        assert np.allclose(one[name], many[name], rtol=1e-4, atol=1e-5)


def test_features_are_those_of_each_view(dataset):
    class Mean(torch.nn.Module, Embeds):
        embeds_from = ("view",)

        def __init__(self):
            super().__init__()
            self.nothing = torch.nn.Parameter(torch.zeros(1))

        def embed(self, images):
            mean = images.float().mean(dim=(2, 3))
            return Embedding.from_parts(mean, equivariant=mean[:, :1])

    from turntable.datasets.files import decode_jpeg

    parts = extract_features(Mean(), dataset, "val", batch_size=5)
    assert set(parts) == {"representation", "equivariant"}
    split = open_dataset(dataset).open_split("val")
    for row, view in ((0, 0), (1, 3), (split.num_objects - 1, split.num_views - 1)):
        pixels = decode_jpeg(split.read_jpeg(row, view))
        assert np.allclose(parts["representation"][row, view], pixels.mean(axis=(0, 1)), atol=1e-3)


def test_features_are_computed_once_for_the_same_weights(run_dir, dataset, monkeypatch):
    run = open_run(run_dir)
    first = compute_split_features(run, dataset, "val")
    monkeypatch.setattr(features, "extract_features", lambda *a: pytest.fail("computed again"))
    again = compute_split_features(run, dataset, "val")
    assert all(np.array_equal(first.parts[name], again.parts[name]) for name in first.parts)


def test_other_weights_or_data_have_features_of_their_own(run_dir, dataset, tmp_path):
    run = open_run(run_dir)
    first = compute_split_features(run, dataset, "val")
    make_synthetic_dataset(tmp_path / "other", seed=1)
    other = compute_split_features(run, tmp_path / "other", "val")
    assert not np.allclose(first.parts["representation"], other.parts["representation"])
    assert not np.allclose(first.quaternions, other.quaternions)


def test_labels_stand_beside_the_features(run_dir, dataset):
    from scipy.spatial.transform import Rotation

    found = compute_split_features(open_run(run_dir), dataset, "train")
    split = open_dataset(dataset).open_split("train")
    angles = split.labels[..., :3].astype(np.float64)
    expected = Rotation.from_euler("xyz", angles.reshape(-1, 3)).as_quat().reshape(*angles.shape[:2], 4)
    assert np.allclose(np.abs((found.quaternions * expected).sum(axis=-1)), 1)
    names = [record.category for record in split.objects]
    assert [sorted(set(names))[number] for number in found.categories] == names


def test_a_folder_without_a_run_is_refused(dataset, tmp_path):
    with pytest.raises(InvalidInputError, match="holds no run"):
        evaluate(tmp_path, dataset)


@pytest.mark.parametrize("text", ["{}", "nonsense", '{"format_version": 99}', "[]"])
def test_what_is_no_result_is_refused(text):
    with pytest.raises(IntegrityError, match=r"results\.json"):
        EvaluationResults.from_json(text)


def test_two_data_sets_are_kept_and_a_repetition_says_that_it_replaces(run_dir, dataset, tmp_path):
    make_synthetic_dataset(tmp_path / "other", seed=1)
    told = []
    first = evaluate(run_dir, dataset, protocol=PROTOCOL, notify=told.append)
    told.clear()
    other = evaluate(run_dir, tmp_path / "other", protocol=PROTOCOL, notify=told.append)
    assert told == []
    paths = [locate_result_files(run_dir, results).path for results in (first, other)]
    assert [read_results(path) for path in paths] == [first, other]
    report = locate_result_files(run_dir, first).report_path
    report.write_text("of the earlier result")
    evaluate(run_dir, dataset, protocol=PROTOCOL, notify=told.append)
    assert told == [f"{paths[0]}: the earlier result of the same weights and settings is replaced"]
    assert not report.exists()


def test_results_say_what_was_trained_on_and_the_weights(run_dir, dataset, tmp_path):
    make_synthetic_dataset(tmp_path / "other", seed=1)
    manifest = open_dataset(dataset).manifest
    weights = hashlib.sha256((run_dir / "weights.pt").read_bytes()).hexdigest()
    results = evaluate(run_dir, tmp_path / "other", tmp_path / "r.json", PROTOCOL)
    assert results.training == TrainingSource(manifest.name, manifest.fingerprint, str(dataset))
    assert results.fingerprint != results.training.fingerprint
    assert (results.weights, results.path_or_url) == (weights, str(tmp_path / "other"))


def test_progress_reaches_the_end_of_every_stage(run_dir, dataset, tmp_path):
    told = []
    evaluate(run_dir, dataset, protocol=PROTOCOL, progress=told.append, out_dir=tmp_path / "out")
    ends = {each.stage: each for each in told}
    assert all(each.done == each.total > 0 for each in ends.values())
    assert {each.unit for each in told if each.stage == "heads"} == {"epochs"}
    counts = [each.done for each in told if each.stage == "heads"]
    assert counts == sorted(counts)
    assert len(set(counts)) > 10


def test_a_run_that_must_not_be_written_is_evaluated_into_another_folder(run_dir, dataset, tmp_path):
    before = sorted(path for path in run_dir.rglob("*") if path.is_file())
    results = evaluate(run_dir, dataset, protocol=PROTOCOL, out_dir=tmp_path / "mine")
    assert sorted(path for path in run_dir.rglob("*") if path.is_file()) == before
    assert read_results(locate_result_files(tmp_path / "mine", results).path) == results
    compared = compare_runs([tmp_path / "mine"])
    assert compared.runs[0].folder == tmp_path / "mine"


def test_a_full_disk_ends_the_features_with_one_clear_error(run_dir, dataset, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", refuse)
    make_synthetic_dataset(tmp_path / "other", seed=2)
    with pytest.raises(StoreError, match="the disk is full"):
        evaluate(run_dir, tmp_path / "other", protocol=PROTOCOL, out_dir=tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.npy"))


def test_a_split_that_is_missing_comes_with_what_to_do(run_dir, dataset):
    with pytest.raises(InvalidInputError, match=r"no split 'test'; it has .*--split NAME.*val_fraction"):
        evaluate(run_dir, dataset, protocol=PROTOCOL, split="test")
    with pytest.raises(InvalidInputError, match="score another split"):
        evaluate(run_dir, dataset, protocol=PROTOCOL, split="train")


def test_the_untrained_network_of_a_run_is_kept_by_data_set_too(run_dir, dataset, tmp_path):
    make_synthetic_dataset(tmp_path / "other", seed=1)
    short = dataclasses.replace(PROTOCOL, tasks=PROTOCOL.tasks[:1])
    made = [evaluate_untrained_run(run_dir, place, short) for place in (dataset, tmp_path / "other")]
    files = {locate_result_files(run_dir / "untrained", results).path for results in made}
    assert len(files) == 2
    assert all(path.is_file() for path in files)
    assert {(results.method, results.weights, results.training) for results in made} == {
        ("untrained", None, None)
    }
