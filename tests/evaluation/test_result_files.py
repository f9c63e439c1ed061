"""The folders of results, one for each data set and protocol, and the line when one is replaced."""

import dataclasses
import errno
import json

import pytest

from tests.support.made_up import results, scores
from turntable.errors import IntegrityError, StoreError
from turntable.evaluation import (
    EvaluationResults,
    OODResults,
    ScoreRow,
    TrainingSource,
    find_result_files,
    format_training_sources,
    list_result_files,
    locate_result_files,
    read_results,
)
from turntable.evaluation.evaluation_results import write_results
from turntable.evaluation.replaced_results import explain_replacement
from turntable.evaluation.result_writing import check_can_write

ROW = ScoreRow("representation", 8, scores())
SIE = results("sie", ROW)


def written(run, made):
    files = locate_result_files(run, made)
    write_results(files.path, made)
    return files


def test_each_data_set_and_protocol_has_a_folder(tmp_path):
    other = dataclasses.replace(SIE, protocol={"name": "sie"})
    held_out = dataclasses.replace(SIE, split="test")
    paths = [written(tmp_path, made).path.relative_to(tmp_path) for made in (SIE, other, held_out)]
    assert [str(path) for path in paths] == [
        "results/zoo/turntable-1/results.json",
        "results/zoo/sie/results.json",
        "results/zoo/turntable-1-test/results.json",
    ]
    found = list_result_files(tmp_path)
    assert [files.path.parent.name for files in found] == ["sie", "turntable-1", "turntable-1-test"]
    assert {files.run_folder for files in found} == {tmp_path}
    assert found[0].details_path.name == "details.npz"
    assert found[0].report_path.parent == found[0].path.parent


def test_two_data_sets_of_one_name_do_not_share_a_folder(tmp_path):
    other = dataclasses.replace(SIE, fingerprint="e" * 64)
    written(tmp_path, SIE)
    assert written(tmp_path, other).path.parts[-3] == "zoo-eeeeeeee"
    assert locate_result_files(tmp_path, SIE).path.parts[-3] == "zoo"  # each is found again
    assert locate_result_files(tmp_path, other).path.parts[-3] == "zoo-eeeeeeee"


@pytest.mark.parametrize("name", ["../../up", "/root", "", ".", "..", "a/b", "x" * 5000, "\0\n", "\ud800"])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    made = dataclasses.replace(SIE, dataset=name, protocol={"name": name})
    path = locate_result_files(tmp_path / "run", made).path
    assert path.resolve().relative_to((tmp_path / "run" / "results").resolve()).parts[2:] == ("results.json",)
    path.parent.mkdir(parents=True)


def test_names_that_differ_only_in_what_folders_cannot_have_do_not_share_one(tmp_path):
    one, other = (dataclasses.replace(SIE, protocol={"name": name}) for name in ("light/1", "light-1"))
    assert locate_result_files(tmp_path, one).path != locate_result_files(tmp_path, other).path


def test_results_of_earlier_versions_are_found_beside_new_ones(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    write_results(tmp_path / "results.json", SIE)
    new = written(tmp_path, dataclasses.replace(SIE, protocol={"name": "sie"}))
    assert [files.path for files in list_result_files(tmp_path)] == [new.path, tmp_path / "results.json"]
    assert find_result_files(new.path).run_folder == tmp_path
    assert find_result_files(tmp_path / "results.json").run_folder == tmp_path


def test_a_file_of_the_version_before_is_read_and_later_ones_name_what_to_do(tmp_path):
    new = {"split", "path_or_url", "training", "weights"}
    values = {k: v for k, v in json.loads(SIE.to_json()).items() if k not in new}
    read = EvaluationResults.from_json(json.dumps({**values, "format_version": 2}))
    assert read == SIE
    with pytest.raises(
        IntegrityError, match=r"format 9, .* formats 2 and 3: install the turntable that wrote"
    ):
        EvaluationResults.from_json(json.dumps({**values, "format_version": 9}), "there/results.json")
    with pytest.raises(IntegrityError, match=r"there/results.json is not a result"):
        EvaluationResults.from_json(SIE.to_json()[:200], "there/results.json")


def test_what_was_trained_on_is_kept(tmp_path):
    source = TrainingSource("other", "a" * 64, "sets/other")
    made = dataclasses.replace(SIE, training=source, weights="b" * 64)
    assert read_results(written(tmp_path, made).path) == made
    assert format_training_sources([("sie", source), ("vicreg", source)]) == "Trained on other aaaaaaaa."
    both = [("sie", source), ("vicreg", TrainingSource("zoo", "c" * 64))]
    assert format_training_sources(both) == "Trained on: other aaaaaaaa (sie); zoo cccccccc (vicreg)."
    assert format_training_sources([("sie", None)]) == ""


def test_a_result_is_replaced_with_a_word_about_what_differs(tmp_path):
    path = tmp_path / "results.json"
    before = dataclasses.replace(SIE, weights="a" * 64, elsewhere=(OODResults("so3", "e" * 64, 0.0, (ROW,)),))
    assert explain_replacement(path, before) is None
    write_results(path, before)
    assert explain_replacement(path, before) == (
        f"{path}: the earlier result of the same weights and settings is replaced"
    )
    tasks = {"name": "turntable-1", "tasks": [{"name": "top1", "epochs": 3}]}
    after = dataclasses.replace(SIE, weights="b" * 64, protocol=tasks)
    assert explain_replacement(path, after) == (
        f"{path}: the earlier result is replaced; what differs: the weights; settings of the protocol (top1);"
        " scores on so3 are gone; give --ood again to have them"
    )
    path.write_text("{")
    assert "could not be read" in explain_replacement(path, after)


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "--out FOLDER")]
)
def test_a_disk_that_takes_nothing_is_one_clear_error(tmp_path, monkeypatch, number, words):
    def refuse(*arguments):
        raise OSError(number, "refused")

    monkeypatch.setattr("turntable.datasets.files.atomic_files.flush_to_disk", refuse)
    with pytest.raises(StoreError, match=words):
        write_results(tmp_path / "results.json", SIE)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named_before_any_work(tmp_path, monkeypatch):
    check_can_write(tmp_path / "to" / "be" / "made")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"choose another folder for features and results \(--out FOLDER\)"):
        check_can_write(tmp_path / "file" / "run")
    monkeypatch.setattr("os.access", lambda *arguments: False)
    with pytest.raises(StoreError, match="no permission"):
        check_can_write(tmp_path)
