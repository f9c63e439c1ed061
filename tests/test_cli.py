import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from typing import get_args

import pytest
import urllib3

from tests.support.meshes import write_shapenet_object
from turntable import choices, cli, doctor, extras
from turntable.installation import format_install_command
from turntable.renderer import open_source
from turntable.renderer.backends import egl, get_quality
from turntable.service import make_access
from turntable.testing.datasets import make_synthetic_dataset


def turntable(capsys, *arguments):
    """Exit status, standard output and error of a command."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.fixture
def dataset(tmp_path):
    return make_synthetic_dataset(tmp_path / "set", num_objects=6, num_views=3)


def test_verify_says_all_is_well(capsys, dataset):
    status, out, _ = turntable(capsys, "verify", dataset.path)
    assert status == 0
    assert "no problems: 18 images of 6 objects" in out


def test_verify_lists_what_is_wrong(capsys, dataset):
    shard = dataset.manifest.shards[0]
    path = dataset.path / shard.split / f"{shard.name}.tar"
    path.write_bytes(path.read_bytes()[:-4000])
    status, out, _ = turntable(capsys, "verify", dataset.path)
    assert status == 1
    assert f"{shard.name}.tar" in out
    assert "problems" in out


def test_inspect(capsys, dataset):
    status, out, _ = turntable(capsys, "inspect", dataset.path)
    assert status == 0
    assert dataset.manifest.fingerprint[:20] in out
    assert "light_theta_rad" in out
    assert "class02" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["render", "nope", "--out", "x"], "no recipe 'nope'"),
        (["render", "3diebench", "--out", "x"], "give --meshes DIR"),
        (["render", "3diebench", "--out", "x", "--meshes", "nowhere"], "nowhere does not exist"),
        (["render", "zoo", "--out", "x", "--views", "0"], "views"),
        (["render", "zoo", "--out", "x", "--objects", "0"], "--objects 1 or more"),
        (
            ["render", "zoo", "--out", "x", "--objects", "1", "--backend", "vulcan"],
            "unknown backend 'vulcan'",
        ),
        (["replay", "none.csv", "--meshes", "m", "--out", "x"], "none.csv: cannot be read"),
        (["inspect", "nowhere"], "nowhere"),
        (["evaluate", "nowhere", "nowhere"], "nowhere"),
        (["study", "factors", "nowhere"], "nowhere holds no run"),
        (["study", "none", "nowhere"], "there is no study 'none'; the studies are"),
        (["train", "nowhere", "--method", "sie", "--out", "x"], "nowhere"),
        (["serve"], "no data set to serve"),
        (["serve", "nowhere"], "nowhere holds no data set"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    status, _, err = turntable(capsys, *arguments)
    assert status == 2
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "set", "--method", "sie", "--out", "s3://ada:secret@lab/runs"],
        ["evaluate", "s3://ada:secret@lab/runs", "set"],
        ["compare", "runs/sie", "s3://ada:secret@lab/runs"],
        ["convert", "import", "s3://ada:secret@lab/runs", "--out", "x"],
        ["demo", "--out", "s3://ada:secret@lab/runs"],
    ],
    ids=" ".join,
)
def test_a_url_in_the_place_of_a_folder_is_refused(capsys, tmp_path, monkeypatch, arguments):
    """It would make a folder "s3:" here."""
    monkeypatch.chdir(tmp_path)
    status, out, err = turntable(capsys, *arguments)
    assert status == 2
    assert "s3://lab/runs is a URL, and a path on this machine is needed" in err
    assert "secret" not in out + err
    assert not list(tmp_path.iterdir())


def test_verify_of_nothing(capsys, tmp_path):
    status, out, _ = turntable(capsys, "verify", tmp_path / "nowhere")
    assert status == 1
    assert "nowhere" in out


def test_bad_recipe_file_lists_every_fault(capsys, tmp_path):
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'name = "mine"\nsource = "zoo"\nvews = 3\nimage_size_px = 64\n'
        "[factors.floor_hue]\nlow = 0.9\nhigh = 0.1\n[factors.glare]\nlow = 0\nhigh = 1\n"
    )
    status, _, err = turntable(capsys, "render", recipe, "--out", tmp_path / "set")
    assert status == 2
    for words in ("mine.toml", "vews", "floor_hue", "glare"):
        assert words in err


@pytest.mark.slow
@pytest.mark.gl
def test_render_replay_and_resume(capsys, tmp_path):
    for name in ("100/a", "100/b"):
        write_shapenet_object(tmp_path / "meshes", name)
    write_shapenet_object(tmp_path / "meshes", "100/broken", obj="v 0 0 0\n")
    options = [
        "--meshes",
        tmp_path / "meshes",
        "--views",
        2,
        "--image-size",
        16,
        "--quality",
        "fast",
        "--workers",
        1,
    ]
    command = ["render", "3diebench", "--out", tmp_path / "set", *options]
    status, out, _ = turntable(capsys, *command)
    assert status == 0
    assert "4 views of 2 objects" in out
    assert "1 objects were left out" in out
    assert re.search(r"objects in each split: train \d, val \d\n", out)
    assert out.endswith(f"next: turntable verify {tmp_path / 'set'}\n")
    fingerprint = re.search(r"fingerprint (\w+)", out)[1]
    assert fingerprint in turntable(capsys, *command)[1]
    assert turntable(capsys, "verify", tmp_path / "set")[0] == 0
    assert turntable(capsys, *command, "--seed", 5)[0] == 2
    status, _, error = turntable(
        capsys, *command[:2], "--out", tmp_path / "other", *options, "--device", "egl:9"
    )
    assert status == 2
    assert "there is no device egl:9; EGL has egl:0" in error
    table = tmp_path / "latents.csv"
    names = "rotation_x_rad,rotation_y_rad,rotation_z_rad,floor_hue,light_theta_rad,light_phi_rad,light_hue"
    table.write_text(f"object,view,{names}\n100/a,7,0,0,0,0,0,0,0\n")
    replay = ["replay", table, "--meshes", tmp_path / "meshes", "--out", tmp_path / "png", "--image-size", 16]
    assert turntable(capsys, *replay, "--masks", "--quality", "high", "--supersampling", 1)[0] == 0
    assert sorted(path.name for path in (tmp_path / "png/100/a").iterdir()) == ["image_7.png", "mask_7.png"]


@pytest.mark.gl
def test_doctor_names_the_device(capsys):
    status, out, _ = turntable(capsys, "doctor")
    assert status == 0
    assert re.search(r"ok +device egl:0.*: .*OpenGL", out)
    assert re.search(r"(ok|warning) +rendering: moderngl on .* \(egl:", out)


def test_doctor_shows_versions_and_what_torch_was_tested_with(capsys):
    _, out, _ = turntable(capsys, "doctor")
    assert re.search(
        rf"ok +extra render: moderngl \d.*, embreex \d.*, obstore \d.*, urllib3 {urllib3.__version__}", out
    )
    assert f"torch {version('torch')} (tested with >=2.13, <3), tensorboard" in out


def test_doctor_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setattr(egl, "LIBRARY", "libEGL-that-is-not-there.so")
    serving = extras.Extra("serve", "serve data sets", ("starlette", "no_such_library"))
    monkeypatch.setattr(doctor, "EXTRAS", (serving,))
    status, out, _ = turntable(capsys, "doctor")
    assert status == 0  # rays on the processor take over
    assert "missing EGL: no EGL library" in out
    assert "apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri" in out
    assert "warning rendering: embree on " in out
    assert f"to serve data sets: no_such_library not installed; run: {format_install_command('serve')}" in out


def test_doctor_fails_where_nothing_can_render(capsys, monkeypatch):
    monkeypatch.setattr(egl, "LIBRARY", "libEGL-that-is-not-there.so")
    monkeypatch.setitem(sys.modules, "embreex", None)
    status, out, _ = turntable(capsys, "doctor")
    assert status == 1
    assert f"missing rendering: embreex is not installed; run: {format_install_command('render')}" in out


@pytest.mark.parametrize(
    ("capabilities", "remedy"),
    [
        ("compute,utility", r"container with NVIDIA_DRIVER_CAPABILITIES=all \(it is 'compute,utility'"),
        ("", "--gpus all -e NVIDIA_DRIVER_CAPABILITIES=all; on a host, install"),
        ("all", "--gpus all"),
    ],
)
def test_doctor_knows_containers_without_the_graphics_driver(tmp_path, capabilities, remedy):
    environment = {"NVIDIA_DRIVER_CAPABILITIES": capabilities}
    assert list(doctor.examine_container(tmp_path, environment)) == []
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidia0").touch()
    (finding,) = doctor.examine_container(tmp_path, environment)
    assert re.search(remedy, finding.detail)
    vendors = tmp_path / "usr/share/glvnd/egl_vendor.d"
    vendors.mkdir(parents=True)
    (vendors / "10_nvidia.json").touch()
    assert list(doctor.examine_container(tmp_path, environment)) == []


def test_every_command_has_help(capsys):
    out = turntable(capsys, "--help")[1]
    commands = re.findall(r"^│ ([a-z][\w-]+) ", out, re.MULTILINE)
    assert sorted(commands) == [
        "compare",
        "convert",
        "copy",
        "demo",
        "doctor",
        "evaluate",
        "import-checkpoint",
        "inspect",
        "login",
        "logout",
        "merge",
        "methods",
        "publish",
        "render",
        "replay",
        "serve",
        "study",
        "token",
        "train",
        "verify",
    ]
    for command in commands:
        assert turntable(capsys, command, "--help")[0] == 0


def subcommands(command, path=()):
    """Yield every command that does something, by its words."""
    names = [name for name in command if not name.startswith("-")]
    if not names:
        yield path, command
    for name in names:
        yield from subcommands(command[name], (*path, name))


COMMANDS = dict(subcommands(cli.app))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_shows_examples_that_can_be_typed(path, capsys):
    lines = [line for line in COMMANDS[path].help_epilogue.splitlines() if line.startswith("turntable ")]
    assert lines
    for line in lines:
        words = shlex.split(line)[1:]
        assert tuple(words[: len(path)]) == path
        command, _, unknown, _ = cli.app.parse_known_args(words)
        assert command is COMMANDS[path].default_command, line
        assert not unknown, line
    out = turntable(capsys, *path, "--help")[1]
    assert "Examples" in out
    assert "--empty" not in out
    assert " ".join(lines[0].split()[:3]) in " ".join(out.split())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_stands_in_a_group_and_says_what_it_is(path):
    for argument in COMMANDS[path].assemble_argument_collection(parse_docstring=True):
        assert argument.parameter.help, argument.name
        assert argument.parameter.help[0].isupper(), argument.name
        if argument.field_info.kind is argument.field_info.KEYWORD_ONLY:
            assert any(group.name != "Parameters" for group in argument.parameter.group), argument.name


def test_help_names_all_that_can_be_chosen(capsys):
    """Choices are texts, as users bring their own: what the help says of them must not fall behind."""
    from turntable.evaluation import list_protocol_names
    from turntable.loaders import AUGMENTATIONS

    _, train, _ = turntable(capsys, "train", "--help")
    _, evaluate, _ = turntable(capsys, "evaluate", "--help")
    assert [name for name in AUGMENTATIONS if name not in train] == []
    assert [name for name in list_protocol_names() if name.removesuffix("-demo") not in evaluate] == []
    for words in (["train", "set", "--out", "x", "--method", "sei"], ["methods", "sei"]):
        status, _, err = turntable(capsys, *words)
        assert status == 2
        assert "unknown method 'sei'; choose one of: supervised" in err.replace("\n", " ")
    status, _, err = turntable(capsys, "study", "nonsense", "run")
    assert status == 2
    assert "factors" in err


def test_rooms_know_every_choice_that_the_command_line_offers(tmp_path):
    sources = {
        open_source(name, None if name in choices.GENERATED_SOURCES else tmp_path)
        for name in get_args(choices.SourceName)
    }
    assert len(sources) == len(get_args(choices.SourceName))
    assert len({get_quality(name) for name in get_args(choices.QualityName)}) == len(
        get_args(choices.QualityName)
    )
    for name in get_args(choices.TokenScope):
        _, made, _ = make_access().with_new_token("reader", (name,))
        assert made.allows(name, None)


def test_starting_is_light():
    """`turntable --help` loads neither torch nor OpenGL."""
    heavy = ("torch", "moderngl", "pyarrow", "matplotlib")
    code = f"import sys, turntable.cli; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
