"""Training on views that are rendered beside it: end to end, exactly resumed, and what is refused."""

import json

import pytest
import torch

from turntable import cli
from turntable.errors import InvalidInputError, StoppedError
from turntable.training import TrainConfig, load_method, make_demo_config, open_run, read_records, train

pytestmark = pytest.mark.slow


def online(method="vicreg", **changes):
    settings = {
        "online": "zoo",
        "objects": 24,
        "image_size": 32,
        "epochs": 2,
        "batch_size": 6,
        "log_every": 1,
    }
    return make_demo_config(method, None, **{**settings, "pairs_per_object": 2, **changes})


def test_a_method_is_trained_on_views_that_never_come_twice(tmp_path):
    train(online(), tmp_path / "run")
    run = open_run(tmp_path / "run")
    assert run.config.dataset is None
    assert len(run.categories) == run.data.num_categories > 1
    assert (run.data.mean, run.data.image_size_px) == ((0.5, 0.5, 0.5), 32)
    records = [r for r in read_records(run.records_path) if r["kind"] == "step"]
    assert len(records) > 4
    assert len({r["loss"] for r in records}) == len(records)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["config"]["online"] == "zoo"
    load_method(run)


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path):
    train(online(), tmp_path / "whole")
    asked = iter(range(100))
    with pytest.raises(StoppedError):
        train(online(), tmp_path / "parts", stop=lambda: next(asked) >= 3)
    train(online(num_workers=2), tmp_path / "parts")
    one, two = (load_method(open_run(tmp_path / name)).state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_command_says_what_comes_next(tmp_path, capsys):
    words = [
        "train",
        "--online",
        "zoo",
        "--objects",
        "24",
        "--method",
        "sie",
        "--preset",
        "demo",
        "--epochs",
        "1",
    ]
    words += ["--batch-size", "8", "--image-size", "32", "--set", "pairs_per_object=1", "--out"]
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, str(tmp_path / "run")])
    assert ended.value.code == 0
    assert f"next: turntable evaluate {tmp_path / 'run'} DATASET" in capsys.readouterr().out.replace("\n", "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"online": None, "objects": None},
            "give either a data set, or a recipe whose views are rendered online",
        ),
        ({"dataset": "set"}, "give either a data set, or a recipe"),
        ({"online": None, "dataset": "set"}, "objects is 24, which only online views need"),
        ({"objects": 0}, "objects is 0; it must be at least 1"),
        ({"max_corrupt_views": -1}, "max_corrupt_views is -1; it must be at least 0"),
    ],
)
def test_settings_that_cannot_be_right(changes, words):
    values = {**online().to_dict(), **changes}
    with pytest.raises(InvalidInputError, match=words):
        TrainConfig.from_dict(values)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"online": "no-such-recipe"}, "no recipe 'no-such-recipe'"),
        ({"online": "3diebench-published"}, "the published stream has"),
        ({"batch_size": 600}, "cannot train on zoo: an epoch has"),
        ({"meshes": "/nowhere"}, "nowhere"),
    ],
)
def test_data_that_cannot_be_drawn(tmp_path, changes, words):
    with pytest.raises(InvalidInputError, match=words):
        train(online(**changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_fields_that_are_not_drawn_online_are_named(tmp_path):
    config = online("pointnet", batch_size=6)
    with pytest.raises(
        InvalidInputError, match="views that are rendered during training have no point clouds"
    ):
        train(config, tmp_path / "run")
    with pytest.raises(InvalidInputError, match="3 consecutive views of a sequence, and it has no sequences"):
        train(online("vicreg-traj", batch_size=6), tmp_path / "run")
