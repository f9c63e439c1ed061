"""Without a library, each command works or names the extra that brings it, and so do all packages."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import turntable.extras
from tests.support.without_libraries import hide_libraries
from turntable.errors import BrokenLibraryError, MissingExtraError
from turntable.extras import EXTRAS, explain_import_errors, find_extra, is_installed
from turntable.installation import format_install_command

ROOT = Path(__file__).resolve().parents[1]
SETS = ROOT / "tests" / "fixtures" / "sets"
RUNS = ROOT / "tests" / "fixtures" / "runs"
RESULTS = ROOT / "tests" / "fixtures" / "results"
SHIFTED = str(SETS / "pairs")
SIE = str(RUNS / "sie" / "finished")
ZOO = ["render", "zoo", "--objects", "2", "--views", "1", "--image-size", "32", "--workers", "1"]
TRAIN = ["train", SHIFTED, "--method", "sie", "--preset", "demo", "--out", "run", "--epochs", "1"]
TINY = [
    "--batch-size",
    "8",
    "--set",
    "pairs_per_object=1",
    "--set",
    "projector_widths=8,8,8",
    "--workers",
    "0",
]

NEEDS_TORCH = {
    "train": TRAIN,
    "evaluate": ["evaluate", SIE, SHIFTED],
    "methods": ["methods"],
    "import-checkpoint": ["import-checkpoint", "sie.pth", SHIFTED, "--out", "imported"],
    "study": ["study", "factors", SIE],
    "demo": ["demo", "--out", "demo"],
}
NEEDS_NONE = {
    "version": ["--version"],
    "help": ["--help"],
    "doctor": ["doctor"],
    "inspect a recipe": ["inspect", "so3-ood"],
    "inspect a set": ["inspect", SHIFTED],
    "verify": ["verify", SHIFTED],
    "publish": ["publish", SHIFTED, "published"],
}
NEEDS_SERVICE = {"serve": ["serve", SHIFTED, "--port", "0"], "token": ["token", "create", "ada"]}

CASES = {
    "torch": {
        **dict.fromkeys(NEEDS_TORCH, "train"),
        **dict.fromkeys([*NEEDS_NONE, "render", "token"]),
    },
    "starlette": {**dict.fromkeys(NEEDS_SERVICE, "serve"), **dict.fromkeys(NEEDS_NONE)},
    "uvicorn": dict.fromkeys(NEEDS_SERVICE, "serve"),
    "moderngl": {"render": None, "doctor": None},
    "moderngl,embreex": {"render": "render", "inspect a set": None, "verify": None},
    "ray": {"render on Ray": "cluster", "render": None},
    "pyrender": {"render by pyrender": "pyrender", "render": None},
    "matplotlib": {"plot": "train", "inspect a recipe": None},
    "jinja2": {"compare as a page": "train"},
    "tensorboard": {"train": "train"},
    "wandb": {"train with wandb": "wandb"},
    "biotite": {"render molecules": "molecules", "inspect molecules": None, "render": None},
    "obstore": {"train from a bucket": "render", "publish to a bucket": "render", "publish": None},
    "urllib3": {"train from the web": "render", "login": "render"},
    "duckdb": {"inspect a set": None, "verify": None},
}
"""Hidden libraries, and the commands with the extra that each names; None if it works."""

COMMANDS = {
    **NEEDS_TORCH,
    **NEEDS_NONE,
    **NEEDS_SERVICE,
    "train": [*TRAIN, *TINY],
    "render": [*ZOO, "--out", "set"],
    "render on Ray": [*ZOO, "--out", "by-ray", "--engine", "ray", "--address", "local"],
    "render by pyrender": [*ZOO, "--out", "by-pyrender", "--backend", "pyrender"],
    "render molecules": ["render", "molecules", "--objects", "2", "--views", "1", "--out", "of-molecules"],
    "inspect molecules": ["inspect", "molecules"],
    "plot": ["inspect", "so3-ood", "--plot", "plot.png"],
    "compare as a page": ["compare", str(RESULTS / "sie" / "turntable.json"), "--format", "html"],
    "train with wandb": [*TRAIN, *TINY, "--wandb"],
    "train from a bucket": ["train", "s3://a-bucket/a-set", *TRAIN[2:]],
    "publish to a bucket": ["publish", SHIFTED, "s3://a-bucket/a-set"],
    "train from the web": ["train", "http://127.0.0.1:9/datasets/a-set", *TRAIN[2:]],
    "login": ["login", "http://127.0.0.1:9"],
}
FACES = {
    "torch": {
        **dict.fromkeys(("evaluation", "loaders.augment", "models", "studies", "training"), "train"),
        **dict.fromkeys(("testing.methods", "testing.tasks"), "train"),
    },
    "starlette": {"service": "serve"},
    "uvicorn": {"service": "serve"},
}
"""The packages that cannot be imported, and the extra that their error names."""


def python(folder, *words, hidden=()):
    """Run Python in a folder, without some libraries."""
    paths = [str(ROOT)]
    if hidden:
        paths.insert(0, str(hide_libraries(folder / "site", hidden)))
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        input="a-token\n",
        check=False,
    )


def names_extra(text, extra):
    """Tell if a text has the command that installs an extra, the checkout being in another folder."""
    return f'pip install -e "{ROOT}[{extra}]"' in text.replace("\n", "")


@pytest.mark.slow
@pytest.mark.gl
@pytest.mark.parametrize("hidden", CASES)
def test_every_command_works_or_names_the_extra(tmp_path, hidden):
    if not all(map(is_installed, hidden.split(","))):
        pytest.skip(f"{hidden} is not installed at all")
    expected = CASES[hidden]
    (tmp_path / "commands.json").write_text(json.dumps([COMMANDS[name] for name in expected]))
    words = "-m", "tests.support.without_libraries", tmp_path / "commands.json"
    done = python(tmp_path, *words, hidden=hidden.split(","))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for (name, extra), (status, text) in zip(expected.items(), found["commands"], strict=True):
        if extra is None:
            assert status == 0, f"{name}: {text}"
        else:
            assert status == 2, f"{name}: {status} {text}"
            assert names_extra(text, extra), f"{name}: {text}"
            assert "Traceback" not in text
    faces = {name.removeprefix("turntable."): error for name, error in found["faces"].items()}
    assert faces.keys() == FACES.get(hidden, {}).keys()
    for name, (kind, text) in faces.items():
        assert kind == "MissingExtraError"
        assert names_extra(text, FACES[hidden][name])


LOAD = """
import sys
from turntable.loaders import BatchConfig, Loader
config = dict(batch_size=4, num_workers=int(sys.argv[2]))
batch = next(iter(Loader(sys.argv[1], BatchConfig(output="numpy", pin_memory=True, **config))))
print(type(batch["view_1"]).__module__, batch["view_1"].shape)
for options in ({}, {"engine": "dataloader"}):
    try:
        Loader(sys.argv[1], BatchConfig(**config), **options)
    except ImportError as error:
        print(type(error).__name__, error)
assert "torch" not in sys.modules
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_arrays_are_loaded_without_torch_and_tensors_name_both_ways(tmp_path, workers):
    script = tmp_path / "load.py"
    script.write_text(f"{LOAD}\n")
    done = python(tmp_path, script, SHIFTED, workers, hidden=["torch"])
    assert done.returncode == 0, done.stderr
    arrays, *errors = done.stdout.splitlines()
    assert arrays.startswith("numpy (4, ")
    assert len(errors) == 2
    for error in errors:
        assert error.startswith("MissingExtraError torch is not installed; run: pip install")
        assert error.endswith(', or take arrays, with BatchConfig(output="numpy")')


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["doctor"], []])
def test_the_module_runs_as_the_command_does(tmp_path, words):
    done = python(tmp_path, "-m", "turntable", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


HIDING = {
    "http.py": "PORT = 8000\n",
    "queue.py": "def serve():\n    pass\n",
    "select.py": "import not_installed_anywhere\n",
}


@pytest.mark.parametrize("name", HIDING)
def test_a_file_of_the_user_that_hides_a_module_is_named(tmp_path, name):
    """It is not the library that is missing; Python takes the script's folder first."""
    (tmp_path / name).write_text(HIDING[name])
    script = tmp_path / "mine.py"
    # What turntable always needs takes some of these names first, from Python: urllib3 then finds the file.
    script.write_text(
        "import sys\nhere = sys.path.pop(0)\nimport turntable.datasets\nsys.path.insert(0, here)\n"
        f"for name in [name for name in sys.modules if name.partition('.')[0] == {name[:-3]!r}]:\n"
        "    del sys.modules[name]\n"
        "from turntable.extras import explain_import_errors\n"
        "with explain_import_errors('urllib3'):\n    import urllib3\n"
    )
    done = python(tmp_path, script)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("turntable.errors.BrokenLibraryError: urllib3 cannot be imported, because ")
    assert f"{tmp_path / name} hides Python's own module {name[:-3]}" in last
    assert "rename that file" in last
    assert "is not installed; run" not in last


def library(folder, name, text):
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(text)


@pytest.fixture
def libraries(tmp_path, monkeypatch):
    """A folder of installed libraries, one extra of which is known, and a folder of the user before it."""
    site, own = tmp_path / "site-packages", tmp_path / "own"
    site.mkdir()
    own.mkdir()
    extra = turntable.extras.Extra("render", "try", ("made_up",))
    monkeypatch.setattr(turntable.extras, "EXTRAS", (extra,))
    monkeypatch.syspath_prepend(site)
    monkeypatch.syspath_prepend(own)
    yield site, own
    for name in [name for name in sys.modules if name.partition(".")[0] == "made_up"]:
        del sys.modules[name]


def import_made_up(name="made_up"):
    with explain_import_errors("made_up"):
        __import__(name)


def test_a_library_that_is_there_is_imported(libraries):
    library(libraries[0], "made_up", "")
    import_made_up()


def test_a_library_that_is_not_there_is_missing(libraries):
    with pytest.raises(MissingExtraError) as caught:
        import_made_up()
    assert str(caught.value) == f"made_up is not installed; run: {format_install_command('render')}"


def test_a_folder_of_the_name_without_code_is_no_library(libraries):
    """W&B writes such a folder beside a script, called `wandb`."""
    (libraries[1] / "made_up").mkdir()
    with pytest.raises(MissingExtraError):
        import_made_up()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("import not_there_either", "ModuleNotFoundError: No module named 'not_there_either'"),
        ("raise OSError('libmade_up.so: cannot open')", "OSError: libmade_up.so: cannot open"),
        ("raise RuntimeError('compiled for another ABI')", "RuntimeError: compiled for another ABI"),
    ],
)
def test_a_broken_library_is_shown_as_what_it_is(libraries, text, cause):
    library(libraries[0], "made_up", text)
    with pytest.raises(BrokenLibraryError) as caught:
        import_made_up()
    assert str(caught.value) == (
        f"made_up is installed, but cannot be imported ({cause}); install it again with all that it needs: "
        f"{format_install_command('render')}"
    )


@pytest.mark.parametrize("name", ["made_up", "made_up.part"])
def test_a_file_that_hides_the_library_itself_is_named(libraries, name):
    library(libraries[0], "made_up", "")
    (libraries[0] / "made_up" / "part.py").touch()
    (libraries[1] / "made_up.py").write_text("print('my first script')\n")
    with pytest.raises(BrokenLibraryError, match="hides the library made_up, whose name it has: rename"):
        import_made_up(name)


def test_the_table_of_extras_is_that_of_the_project():
    optional = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert {extra.name for extra in EXTRAS} == optional.keys() - {"all", "bench", "dev"}
    imported_as = {"scikit_robot_pyrender": "pyrender"}
    for extra in EXTRAS:
        names = [re.match(r"[\w-]+", line)[0].replace("-", "_") for line in optional[extra.name]]
        named = {imported_as.get(name, name).lower() for name in names if name != "turntable3d"}
        assert {library.lower() for library in extra.libraries} == named


def test_a_library_of_several_extras_is_of_the_first():
    assert find_extra("obstore").name == "render"
    assert find_extra("duckdb").name == "train"


def test_no_place_takes_every_import_error_for_a_missing_library():
    """They use `explain_import_errors`, which looks at the error."""
    caught = re.compile(r"except \(?[\w., ]*(ImportError|ModuleNotFoundError)")
    files = (ROOT / "turntable").rglob("*.py")
    found = {path.name for path in files if caught.search(path.read_text("utf-8"))}
    assert found == {"extras.py"}
