"""Settings that cannot be: each is an error that names it, before anything is built, written or trained."""

import math
from dataclasses import fields
from typing import get_type_hints

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from turntable import cli
from turntable.datasets import open_dataset
from turntable.errors import InvalidInputError, TurntableError
from turntable.models import METHODS
from turntable.training import TrainConfig, make_demo_config, make_paper_config, parse_overrides, train
from turntable.training.runs import TrainingData, build_run_method, plan_run

NEVER = ("nan", "inf", "-inf", "1e999", "9" * 5_000, "1e5000", "١٢", "", "a\x1b[2J", "9" * 50)
"""Values of which no number, and no size, is one."""


def fields_of(config, *kinds):
    """Names of the fields of these types, or of several of them."""
    hints = get_type_hints(config)
    return [
        item.name for item in fields(config) if any(kind.__name__ in str(hints[item.name]) for kind in kinds)
    ]


def refused(method, name, value):
    with pytest.raises(InvalidInputError) as caught:
        make_demo_config(method, "set", **parse_overrides(method, [f"{name}={value}"]))
    said = str(caught.value)
    assert name in said
    assert len(said) < 500
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize("method", METHODS)
def test_what_is_no_number_is_refused_by_the_name_of_its_setting(method):
    names = fields_of(METHODS[method].config, int, float)
    assert names
    for name in names:
        for value in NEVER:
            refused(method, name, value)


@pytest.mark.parametrize("name", fields_of(TrainConfig, int, float))
def test_what_is_no_number_is_refused_of_a_run_too(name):
    for value in NEVER:
        refused("sie", name, value)


@pytest.mark.parametrize("method", METHODS)
def test_no_size_of_a_method_is_nothing_or_without_end(method):
    for name in fields_of(METHODS[method].config, int):
        size = getattr(METHODS[method].make_config(), name)
        count = len(size) if isinstance(size, tuple) else 1
        for value in ("0", "-1", "1000000000000"):
            refused(method, name, ",".join([value] * count))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("epochs", value) for value in ("0", "-1", "10000000")),
        *(("batch_size", value) for value in ("0", "1", "-8", "1000000000")),
        *(("accumulate", value) for value in ("0", "-1", "1000000000")),
        *(("pairs_per_object", value) for value in ("0", "1000000000")),
        *(("image_size", value) for value in ("0", "-1", "100000")),
        *(("num_workers", value) for value in ("-1", "100000")),
        *(("seed", value) for value in ("-1", str(2**63))),
        *(("log_every", value) for value in ("0", str(10**15))),
        *(("learning_rate", value) for value in ("-1", "1e300")),
        *(("momentum", value) for value in ("1", "-0.1")),
        *(("clip_norm", value) for value in ("0", "-1")),
        *(("center_crop", value) for value in ("0", "1.5", "-1")),
        *(("backbone", value) for value in ("resnet", "x" * 100_000, "\x1b[2J")),
        *(("amp", value) for value in ("on", "")),
        ("wandb", "maybe"),
        ("projector_widths", ",".join(["1"] * 1_000_000)),
        ("projector_widths", "1,1"),
        ("projector_widths", ","),
        ("projector_widths", "1e3,1,1"),
        ("action", ",".join(["relative_quaternion"] * 100)),
        ("quaternion_signs", "x" * 1_000_000),
    ],
)
def test_a_setting_out_of_bounds_is_refused(name, value):
    refused("sie", name, value)


@pytest.mark.parametrize(
    "text", ["", "=", "=1", "epochs", "epochs 1", "x" * 10**6, "\x1b[2J=1", "epoch=1", "dataset=a"]
)
def test_a_text_that_is_no_setting_is_refused(text):
    with pytest.raises(InvalidInputError, match="--set") as caught:
        parse_overrides("sie", [text])
    assert len(str(caught.value)) < 1500
    assert str(caught.value).isprintable()


@given(
    st.sampled_from([item.name for item in fields(TrainConfig) if item.name != "method"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers())
    | st.just({}),
)
def test_any_value_of_a_setting_is_fit_or_refused_by_its_name(name, value):
    good = make_paper_config("sie", "set").to_dict()
    try:
        TrainConfig.from_dict({**good, name: value})
    except InvalidInputError as error:
        assert name in str(error) or name == "method_config"  # noqa: PT017


def test_numbers_that_are_texts_or_flags_are_no_sizes():
    for value in ("4", True, 4.0, None, [4], (4,)):
        with pytest.raises(InvalidInputError, match=r"batch_size is .*; it must be a whole number"):
            make_paper_config("sie", "set", batch_size=value)
    for value in ("4", True, None, 1j):
        with pytest.raises(InvalidInputError, match=r"learning_rate is .*; it must be a number"):
            make_paper_config("sie", "set", learning_rate=value)
    assert make_paper_config("sie", "set", learning_rate=1).learning_rate == 1


def test_a_method_that_no_machine_holds_is_refused_by_its_sizes(dataset, tmp_path):
    config = make_demo_config("sie", dataset, method_config={"projector_widths": (2**17, 2**17, 2**10)})
    with pytest.raises(
        InvalidInputError, match=r"projector_widths=\(131072, 131072, 1024\).* numbers, and at most"
    ):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_looking_whether_a_method_fits_draws_no_random_numbers(dataset, tmp_path):
    data = TrainingData.from_dataset(open_dataset(dataset))
    run = plan_run(tmp_path / "run", make_demo_config("sie", dataset), data)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    from turntable.training.runs.folder import build_meta_method

    build_meta_method(run)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(0)
    first = build_run_method(run).state_dict()
    torch.manual_seed(0)
    second = build_run_method(run).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_step_without_memory_is_an_error_that_says_what_to_make_smaller(
    toy_config, toys, tmp_path, monkeypatch
):
    from turntable.training.steps import Trainer

    def fail(self, batches, records):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(Trainer, "take_step", fail)
    with pytest.raises(
        TurntableError, match="not enough memory for a step of batch_size=4 in accumulate=1 parts"
    ):
        train(toy_config(), tmp_path / "run")


@pytest.mark.parametrize(
    "setting",
    [
        "projector_widths=1000000,1000000,10",
        "learning_rate=nan",
        "batch_size=1e999",
        "device=\x1b[2J",
        "device=cuda:x",
    ],
)
def test_the_command_names_the_setting_in_a_line(dataset, tmp_path, capsys, setting):
    arguments = ["train", str(dataset), "--method", "sie", "--out", str(tmp_path / "run"), "--preset", "demo"]
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments, f"--set={setting}"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert setting.partition("=")[0] in said
    assert "Traceback" not in said
    assert "\x1b[2J" not in said
    assert not (tmp_path / "run").exists()


def test_the_bounds_hold_all_that_is_shipped():
    for name, entry in METHODS.items():
        for config in (entry.make_config(), entry.make_config().demo()):
            assert config.find_value_faults() == []
        for make in (make_paper_config, make_demo_config):
            assert math.isfinite(make(name, "set").learning_rate)
