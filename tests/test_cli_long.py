"""Commands that run long, with what runs put aside: what they hand on, say and return."""

from pathlib import Path

import pytest

from turntable import cli, demo
from turntable.errors import StoppedError


@pytest.fixture
def command(capsys):
    """Runs a command: its exit status, standard output and error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


@pytest.fixture
def served(monkeypatch):
    """Return the settings with which `turntable serve` was to serve."""
    service = pytest.importorskip("turntable.service")
    found = []
    monkeypatch.setattr(service, "serve", lambda *given, **more: found.append((*given, more)))
    return found


def test_serve_hands_on_what_it_is_given(command, served, tmp_path):
    (tmp_path / "meshes").mkdir()
    status, _, said = command(
        *("serve", tmp_path, "--port", 9, "--render", "--meshes", f"cars={tmp_path / 'meshes'}"),
        *(
            "--backend",
            "embree",
            "--query-seconds",
            2,
            *("--access", "keys", "--public", "cars"),
            "--no-access-log",
        ),
    )
    assert (status, said) == (0, "")
    ((folders, host, port, settings, more),) = served
    assert (folders, host, port) == ((str(tmp_path),), "127.0.0.1", 9)
    assert more.keys() == {"access_log", "on_start"}
    assert more["access_log"] is False
    assert settings.render_settings.meshes == {"cars": tmp_path / "meshes"}
    assert (settings.render_settings.backend, settings.query_timeout_s, settings.public_datasets) == (
        "embree",
        2,
        ("cars",),
    )


def test_serve_warns_of_what_anyone_can_reach(command, served, tmp_path):
    status, _, said = command("serve", tmp_path, "--host", "0.0.0.0")
    assert status == 0
    assert "Anyone who can reach 0.0.0.0:8765 may read all data sets; --access FILE requires tokens" in said
    assert (
        "Only requests to the address are answered; give --allow-host NAME for readers that use a name"
        in said
    )
    _, _, said = command("serve", tmp_path, "--host", "0.0.0.0", "--access", "a", "--allow-host", "b")
    assert said == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no data set to serve; give the folder of a data set"),
        (["x", "--meshes", "cars=x"], "--meshes is for --render"),
        (["x", "--render", "--meshes", "cars"], "--meshes cars: give NAME=DIR"),
        (["x", "--render", "--meshes", "cars=/no/folder"], "--meshes cars=/no/folder: give NAME=DIR"),
    ],
)
def test_serve_refuses(command, served, arguments, words):
    status, _, said = command("serve", *arguments)
    assert status == 2
    assert words in said
    assert served == []


def test_demo_hands_on_its_settings_and_tells_where_to_look(command, monkeypatch):
    asked = []

    def run_demo(config, watcher, stop):
        asked.append(config)
        watcher.announce("train sie")
        watcher.warn("a mesh is left out")
        with watcher.watch_rendering(), watcher.watch_verification(), watcher.watch_training("sie"):
            assert not stop()
        with watcher.watch_evaluation("sie"):
            assert not stop()
        return demo.DemoReport(config.folder / "report.html", ())

    monkeypatch.setattr(demo, "run_demo", run_demo)
    status, out, said = command("demo", "--out", "there", "--objects", 32, "--views", 4)
    assert (status, out) == (0, "The report is there/report.html\n")
    assert "train sie" in said
    assert "a mesh is left out" in said
    assert command("demo", "--epochs", 3)[0] == 0
    assert [(config.folder, config.num_objects, config.num_views, config.epochs) for config in asked] == [
        (Path("there"), 32, 4, None),
        (Path("runs/demo"), 960, 20, 3),
    ]


def test_a_demo_that_is_stopped_says_how_to_go_on(command, monkeypatch):
    def run_demo(config, watcher, stop):
        raise StoppedError("stopped after step 3; run the same command again to resume")

    monkeypatch.setattr(demo, "run_demo", run_demo)
    status, _, said = command("demo")
    assert status == 75
    assert "run the same command again to resume" in said
