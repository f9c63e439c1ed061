"""Runs of methods of users' own: trained, opened, continued and evaluated by a reference alone."""

import json
import sys

import pytest

from tests.support.own_methods import MINE, forget_own_methods
from turntable import cli
from turntable.errors import InvalidInputError
from turntable.evaluation import list_result_files
from turntable.models import get_method_entry, register_method, user_methods
from turntable.training import load_method, make_demo_config, open_run, train
from turntable.training.runs import read_settings

CODE = f'print("the code has run")\n{MINE}'


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch):
    """Forget after each test what it registers or imports."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    forget_own_methods()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    return path


@pytest.fixture
def command(capsys):
    """Exit status, output and error of a command, in a process that knows no method of one's own."""

    def call(*arguments):
        forget_own_methods()
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return call


@pytest.fixture
def trained(command, dataset, file, tmp_path):
    small = ["--preset", "demo", "--epochs", 1, "--batch-size", 6, "--set", "pairs_per_object=2"]
    given = ["train", dataset, "--method", f"{file}:mine", *small, "--set", "scale=2"]
    status, out, _ = command(*given, "--out", tmp_path / "run")
    assert status == 0
    assert (
        f"next: turntable evaluate {tmp_path / 'run'} {dataset} --preset demo --method {file}:mine"
        in out.replace("\n", "")
    )
    return [*given, "--out", tmp_path / "run"]


def test_the_run_remembers_the_method_by_its_file(trained, file, tmp_path):
    settings = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert settings["method"] == f"{file}:mine"
    assert settings["method_config"] == {"scale": 2.0}
    assert read_settings(tmp_path / "run")["config"] == settings


def test_opening_the_run_runs_no_code(trained, file, tmp_path, capsys):
    forget_own_methods()
    with pytest.raises(InvalidInputError, match=f"add --method {file}:mine"):
        open_run(tmp_path / "run")
    assert "the code has run" not in capsys.readouterr().out
    run = open_run(tmp_path / "run", f"{file}:mine")
    assert load_method(run).config.scale == 2
    assert "the code has run" in capsys.readouterr().out


def test_a_finished_run_is_left_as_it_is_and_its_file_may_move(trained, command, file, tmp_path):
    before = (tmp_path / "run" / "weights.pt").read_bytes()
    (tmp_path / "elsewhere").mkdir()
    moved = file.rename(tmp_path / "elsewhere" / "other.py")
    status, _, err = command(*trained)
    assert status == 2
    assert "there is no such file" in err
    status, _, err = command(*(f"{moved}:mine" if str(word).endswith(":mine") else word for word in trained))
    assert status == 0, err
    assert (tmp_path / "run" / "weights.pt").read_bytes() == before
    forget_own_methods()
    with pytest.raises(InvalidInputError, match=r"mine\.py no longer exists; give its new path"):
        open_run(tmp_path / "run")
    assert load_method(open_run(tmp_path / "run", f"{moved}:mine")).config.scale == 2


def test_another_method_of_that_folder_is_refused(trained, command, file):
    file.write_text(CODE + "\nother = mine\n")
    status, _, err = command(*(f"{file}:other" if str(word).endswith(":mine") else word for word in trained))
    assert status == 2
    assert "holds a run of" in err


def test_evaluate_asks_for_the_method_and_takes_it(trained, command, dataset, file, tmp_path):
    status, _, err = command("evaluate", tmp_path / "run", dataset, "--preset", "demo")
    assert status == 2
    assert f"add --method {file}:mine" in err.replace("\n", "")
    assert "does not hold the settings of a run" not in err
    status, out, err = command(
        "evaluate", tmp_path / "run", dataset, "--preset", "demo", "--method", f"{file}:mine"
    )
    assert status == 0, err
    (files,) = list_result_files(tmp_path / "run")
    assert json.loads(files.path.read_text())["method"] == "mine"
    assert str(tmp_path) not in files.report_path.read_text()
    status, out, err = command("compare", tmp_path / "run", files.path, "--format", "json")
    assert status == 0, err
    assert "mine" in out


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("scale", "factor", "does not fit the method's code"),
        ("self.config = config", "self.config, self.more = config, backbone.__class__", "does not fit"),
    ],
    ids=["settings", "weights"],
)
def test_code_that_has_changed_is_named_and_the_run_is_not_called_damaged(
    trained, command, dataset, file, tmp_path, before, after, words
):
    code = CODE.replace(before, after)
    if before != "scale":
        code = code.replace("backbone.__class__", "__import__('torch').nn.Linear(2, 2)")
    file.write_text(code)
    status, _, err = command("evaluate", tmp_path / "run", dataset, "--method", f"{file}:mine")
    assert status == 2
    assert words in err
    assert f"the code of {file}:mine is not that with which the run was trained" in err
    assert "give a file that has it: --method FILE.py:NAME" in err
    assert "damaged" not in err


def test_a_study_asks_for_the_method_and_takes_it(trained, command, dataset, file, tmp_path):
    words = ["study", "factors", tmp_path / "run", "--vectors", "--out", tmp_path / "study"]
    status, _, err = command(*words)
    assert status == 2
    assert f"add --method {file}:mine" in err.replace("\n", "")
    status, _, err = command(*words, "--method", f"{file}:mine")
    assert status == 0, err
    (folder,) = (tmp_path / "run" / "vectors").glob("*/val/representation")
    assert json.loads((folder / "vectors.json").read_text())["method"] == "mine"
    assert str(file) not in (tmp_path / "study" / "study.json").read_text()


def test_a_run_of_turntables_own_takes_no_other_method(command, dataset, file, tmp_path):
    train(make_demo_config("vicreg", dataset, epochs=1, batch_size=6), tmp_path / "run")
    status, _, err = command("evaluate", tmp_path / "run", dataset, "--method", f"{file}:mine")
    assert status == 2
    assert f"holds a run of vicreg; leave --method {file}:mine out" in err.replace("\n", "")


def test_a_registered_method_is_trained_from_python(dataset, file, tmp_path):
    entry = get_method_entry(user_methods.load_user_method(f"{file}:mine"))
    register_method("registered", entry)
    config = make_demo_config("registered", dataset, epochs=1, batch_size=6, method_config={"scale": 3.0})
    train(config, tmp_path / "run")
    assert load_method(open_run(tmp_path / "run")).config.scale == 3
    forget_own_methods()
    with pytest.raises(InvalidInputError, match="unknown method 'registered'; choose one of"):
        open_run(tmp_path / "run")


def test_the_methods_are_listed_with_their_settings(command, file):
    status, out, _ = command("methods")
    assert status == 0
    assert all(words in out for words in ("sie-mlp", "pointnet", "Qi et al. 2017"))
    status, out, _ = command("methods", "sie")
    told = " ".join(out.split())
    assert status == 0
    for words in ("equivariance_factor 0.45 Weight of the", "batch_size 1024 128", "2 to 16777216"):
        assert words in told
    assert "weight_decay" in told
    assert "dataset" not in [line.split(" ")[0] for line in out.splitlines()]
    status, out, _ = command("methods", f"{file}:mine")
    assert status == 0
    assert "scale" in out
    assert "view_1" in out
    assert command("methods", "sei")[0] == 2
