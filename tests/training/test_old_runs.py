"""Runs of earlier versions, whose files have the former names of methods, settings and loss terms."""

import json

import pytest
import torch

from turntable.cli import main
from turntable.errors import IntegrityError, InvalidInputError, StoppedError
from turntable.training import (
    load_method,
    make_demo_config,
    open_run,
    open_runs,
    parse_overrides,
    read_records,
    read_settings,
    train,
)

OLD = {
    "supervised-color": "supervised-colour",
    "color_weight": "colour_weight",
    "category_head": "class_head",
    "color": "colour",
}


def config_of(full_dataset):
    settings = {"epochs": 2, "pairs_per_object": 1, "batch_size": 4, "log_every": 1, "checkpoint_every": 1}
    return make_demo_config("supervised-color", full_dataset, method_config={"width": 16}, **settings)


def stop_after(step):
    asked = iter(range(1, step + 1))
    return lambda: next(asked) == step


def with_old_names(value):
    if isinstance(value, dict):
        return {OLD.get(key, key): with_old_names(item) for key, item in value.items()}
    return OLD.get(value, value) if isinstance(value, str) else value


def make_old(folder):
    """Give the files of a run the names that they had in earlier versions."""
    config = folder / "config.json"
    config.write_text(json.dumps(with_old_names(json.loads(config.read_text()))))
    records = folder / "records.jsonl"
    lines = records.read_text().splitlines()
    records.write_text("".join(f"{json.dumps(with_old_names(json.loads(line)))}\n" for line in lines))
    for name in ("checkpoint.pt", "checkpoint-previous.pt"):
        if (folder / name).exists():
            state = torch.load(folder / name, weights_only=True)
            changed = {"method": with_old_names(state["method"]), "sums": with_old_names(state["sums"])}
            torch.save({**state, **changed}, folder / name)


@pytest.fixture(scope="module")
def whole(full_dataset, tmp_path_factory):
    return train(config_of(full_dataset), tmp_path_factory.mktemp("runs") / "whole")


def test_the_names_that_are_renamed_are_the_old_ones(whole, tmp_path):
    text = (whole / "config.json").read_text() + (whole / "records.jsonl").read_text()
    assert all(f'"{name}"' in text for name in OLD)
    assert not any(f'"{name}"' in text for name in OLD.values())


def test_an_old_run_goes_on_to_the_same_result(full_dataset, whole, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(StoppedError):
        train(config_of(full_dataset), run, stop=stop_after(4))
    make_old(run)
    before = (run / "config.json").read_bytes()
    train(config_of(full_dataset), run)
    assert (run / "config.json").read_bytes() == before, "a continued run keeps its settings"
    assert '"colour"' in (run / "records.jsonl").read_text()
    assert read_records(run / "records.jsonl") == read_records(whole / "records.jsonl")
    one, two = (load_method(open_run(folder)).state_dict() for folder in (run, whole))
    assert all(torch.equal(one[name], two[name]) for name in two)


def test_an_old_run_is_read_with_the_present_names(full_dataset, whole, tmp_path):
    run = tmp_path / "run"
    train(config_of(full_dataset), run)
    make_old(run)
    assert read_settings(run) == read_settings(whole)
    assert open_runs([run])[0].config == open_run(whole).config
    with pytest.raises(InvalidInputError, match="holds a run of supervised-color; leave"):
        open_run(run, "supervised-colour")


def test_a_setting_under_both_names_is_no_run(full_dataset, whole, tmp_path):
    config = json.loads((whole / "config.json").read_text())
    config["config"]["method_config"]["colour"] = 1.0
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(IntegrityError, match="supervised-color has no colour"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    ("method", "old", "new"),
    [
        ("sie", "both_signs=random", "both_signs is now called quaternion_signs"),
        ("seq-jepa", "layers=2", "layers is now called num_layers"),
        ("capsie", "capsules=8", "capsules is now called num_capsules"),
    ],
)
def test_set_refuses_an_old_name_with_the_present_one(method, old, new):
    with pytest.raises(InvalidInputError, match=f"--set {new}"):
        parse_overrides(method, [old])
    name, _, value = old.partition("=")
    with pytest.raises(InvalidInputError, match=f"{method}: {new}"):
        make_demo_config(method, "set", method_config={name: value})


def test_the_command_refuses_an_old_name_of_a_method(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", "set", "--method", "supervised-class", "--out", "run"])
    assert ended.value.code == 2
    assert "it is now called 'supervised-category'" in capsys.readouterr().err.replace("\n", " ")
