"""The command for a borrowed GPU: its runner, its page and its pack, and all of its steps in small."""

import json
import os
import subprocess
import sys
import time
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GPU = ROOT / "benchmarks" / "gpu"
sys.path[:0] = [str(ROOT / "benchmarks"), str(GPU)]

import picture_comparison  # noqa: E402
import results_page  # noqa: E402
import step_runner  # noqa: E402
import training_step  # noqa: E402
import wheel_pack  # noqa: E402
from expected_figures import paper_table  # noqa: E402
from method_training import epochs_that_fit  # noqa: E402
from steps import STEPS, NotPossibleError, Row, Setting, Step  # noqa: E402

TARGET = wheel_pack.Target("3.12")
STEP = """
import os, subprocess, sys, time
from steps import NotPossibleError, Row

def run(setting):
    print("said beside")
    yield Row("first", 1.5, "s")
    {then}
    yield Row("second", 2.0, "s")
"""


@pytest.fixture
def setting(tmp_path):
    (tmp_path / "out").mkdir()
    return Setting("cpu", tmp_path / "out", tmp_path / "work", 1, 0.0)


def a_step(name="trial", module="trial_step", needs=(), most_s=30.0, least_s=1.0, rest=False):
    return Step(name, module, "it runs", "it does not", needs, most_s, least_s, rest)


@pytest.fixture
def run(tmp_path, setting, monkeypatch):
    """Run a step that does something between its two figures, as the command would; return its entry."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def _run(then="pass", minutes=1.0, results=None, **about):
        (tmp_path / "trial_step.py").write_text(STEP.format(then=then))
        found = {"steps": {}} if results is None else results
        monkeypatch.setattr(results_page, "STEPS", (a_step(**about),))
        step_runner.run_steps([a_step(**about)], setting, minutes, found)
        assert step_runner.read_results(setting.out) == found
        return found["steps"]["trial"]

    return _run


def test_a_step_that_is_done_has_its_figures(run, setting):
    entry = run()
    assert (entry["state"], entry["word"]) == ("done", "")
    assert [row["what"] for row in entry["rows"]] == ["first", "second"]
    assert "said beside" in (setting.out / "log.txt").read_text()


def test_a_step_that_takes_too_long_is_ended_with_its_workers_and_keeps_its_figures(run, tmp_path):
    mark = tmp_path / "pid"
    then = (
        f"p = subprocess.Popen(['sleep', '600']); open({str(mark)!r}, 'w').write(str(p.pid)); time.sleep(600)"
    )
    entry = run(then, most_s=3.0)
    assert entry["state"] == "stopped"
    assert [row["what"] for row in entry["rows"]] == ["first"]
    for _ in range(100):
        status = Path(f"/proc/{mark.read_text()}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("a worker of the step is still there")


@pytest.mark.parametrize(
    ("then", "state", "word"),
    [
        ("raise NotPossibleError('no driver')", "skipped", "no driver"),
        ("raise ValueError('bad\\nthing')", "failed", "ValueError: bad"),
        ("os._exit(7)", "failed", "ended with status 7; log.txt has more"),
        ("os.kill(os.getpid(), 11)", "failed", "ended with status -11; log.txt has more"),
        ("import no_such_module", "failed", "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_what_ends_a_step_is_a_line_in_the_results(run, setting, then, state, word):
    entry = run(then)
    assert (entry["state"], entry["word"]) == (state, word)
    assert word in (setting.out / "results.md").read_text()


def test_a_step_without_its_library_or_time_is_skipped_with_a_word(run):
    assert run(needs=("no_such_module",))["word"] == "not installed here: no_such_module"
    entry = run(minutes=0.1, least_s=60.0)
    assert (entry["state"], entry["word"]) == ("skipped", "3 s were left, it needs 60")


def test_the_next_call_does_what_is_left(run, tmp_path):
    mark = tmp_path / "ran"
    then = f"open({str(mark)!r}, 'a').write('x')"
    results = {"steps": {}}
    run("raise ValueError('once')", results=results)
    run(then, results=results)
    run(then, results=results)
    assert mark.read_text() == "x"


@pytest.mark.parametrize("broken", ["", "{", "[]", "null", '{"steps": 3}'])
def test_broken_results_are_begun_anew(tmp_path, broken):
    (tmp_path / "results.json").write_text(broken)
    assert step_runner.read_results(tmp_path) == {"steps": {}}


@pytest.mark.slow
def test_the_same_pictures_come_out_of_software(tmp_path):
    here, name = picture_comparison.draw("software")
    software = picture_comparison.read(picture_comparison.SOFTWARE)
    difference = abs(software.astype(int) - here)
    assert difference.mean() < 0.5
    other = here.copy()
    other[3] = 255 - other[3]
    picture_comparison.write_sheet(tmp_path / "sheet.png", software, other, name)
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


def test_pictures_of_something_else_fail_by_name(tmp_path, monkeypatch):
    software = picture_comparison.read(picture_comparison.SOFTWARE)
    other = software.copy()
    other[3] = other[3][::-1]
    monkeypatch.setattr(picture_comparison, "draw", lambda device: (other, "another"))
    with pytest.raises(picture_comparison.OtherPicturesError, match=r"guitar/000000 is .* dB from software"):
        list(picture_comparison.run(Setting("cpu", tmp_path, tmp_path, 1, 10.0)))
    assert (tmp_path / "pictures.png").exists()


def test_a_step_that_has_no_memory_says_so_and_the_next_size_goes_on(tmp_path, monkeypatch):
    def rows(arguments):
        if arguments.what == ["small"]:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        row = {"ms": 1.0, "peak_mib": 2, "loss": 3.0, "times_the_time": 4.0}
        return [row, row]

    monkeypatch.setattr(training_step, "step_rows", rows)
    found = list(training_step.run(Setting("cpu", tmp_path, tmp_path, 1, 10.0)))
    assert found[0] == Row("small, batch 32", "there is no memory for it")
    assert found[1] == Row("predictor, batch 32", 1.0, "ms")


def test_epochs_fill_the_time_that_is_left():
    assert epochs_that_fit(2.0, 10.0, 100.0) == 25
    with pytest.raises(NotPossibleError, match="10 s are left; one epoch of all and their scores take 50"):
        epochs_that_fit(10.0, 20.0, 10.0)


def test_the_docs_take_figures_of_a_gpu_alone(tmp_path):
    place = tmp_path / "performance.md"
    place.write_text(f"before\n{results_page.BEGIN}\nold\n{results_page.END}\nafter\n")
    entry = {
        "state": "done",
        "word": "",
        "seconds": 3.0,
        "rows": [{"what": "a|b", "value": 2.5, "unit": "s"}],
    }
    results = {"device": "cuda", "machine": "16 cores", "steps": {"render": entry}}
    results_page.put_into(place, results)
    results_page.put_into(place, results)
    text = place.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert text.count("| a\\|b | 2.5 s |") == 1
    assert "old" not in text
    with pytest.raises(ValueError, match="made without a GPU"):
        results_page.put_into(place, {**results, "device": "cpu"})
    (tmp_path / "other.md").write_text("nothing")
    with pytest.raises(ValueError, match="has no place for figures"):
        results_page.put_into(tmp_path / "other.md", results)
    docs = (ROOT / "docs" / "performance.md").read_text()
    assert docs.count(results_page.BEGIN) == docs.count(results_page.END) == 1


def test_the_page_of_the_docs_says_what_each_step_is_for():
    text = (ROOT / "docs" / "gpu.md").read_text()
    assert paper_table() in text
    for step in STEPS:
        assert f"| {step.name} | {step.proves} | {step.failure_means} |" in text


def test_a_pack_asks_for_what_a_step_needs_and_the_machine_lacks():
    contract = next(step for step in STEPS if step.name == "contract")
    needed = wheel_pack.distributions_for(contract, TARGET, {"numpy", "pytest"})
    assert {"moderngl", "glcontext", "simplejpeg", "pydantic-core", "scipy", "iniconfig"} - set(needed) == {
        "iniconfig"  # which pytest needs, that is there
    }
    assert not {"numpy", "pytest", "torch", "colorama"} & set(needed)


def test_what_a_machine_has_is_told_in_words_lists_and_files(tmp_path):
    (tmp_path / "there.txt").write_text("torch==2.11.0+cu130\nnumpy==2.5.2\n")
    assert wheel_pack.named(["scipy,pillow", str(tmp_path / "there.txt"), "rich==13.7"]) == [
        *("scipy", "pillow", "torch", "numpy", "rich")
    ]


@pytest.fixture
def wheelhouse(tmp_path, monkeypatch):
    """A folder of wheels that pip finds, in place of the index."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(wheel_pack, "_unpack_debian", lambda place, target: "not here")

    def _add(name, size=0, tag="py3-none-any"):
        version = metadata.version(name)
        stem = f"{name.replace('-', '_')}-{version}"
        with zipfile.ZipFile(folder / f"{stem}-{tag}.whl", "w") as wheel:
            about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            wheel.writestr(f"{stem}.dist-info/METADATA", about)
            kind = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
            wheel.writestr(f"{stem}.dist-info/WHEEL", kind)
            wheel.writestr(f"{stem}.dist-info/RECORD", "")
            wheel.writestr(f"{name.replace('-', '_')}_packed.py", "#" * size)

    return _add


@pytest.mark.slow
def test_a_pack_holds_what_fits_and_names_what_does_not(wheelhouse, tmp_path, monkeypatch, capsys):
    step = a_step(needs=("moderngl", "embreex", "simplejpeg"))
    monkeypatch.setattr(wheel_pack, "STEPS", (step,))
    monkeypatch.setattr(wheel_pack, "MOST_BYTES", 100_000)
    wheelhouse("moderngl", tag="cp312-cp312-manylinux_2_17_x86_64")
    wheelhouse("glcontext", tag="cp312-cp312-manylinux2014_x86_64")
    wheelhouse("embreex", size=200_000)
    wheelhouse("simplejpeg", tag="cp39-cp39-manylinux_2_17_x86_64")  # for another Python
    have = set(wheel_pack.distributions_for(step, TARGET, set())) - {
        *("moderngl", "glcontext", "embreex", "simplejpeg")
    }
    folder = tmp_path / "pack"
    assert wheel_pack.pack(folder, TARGET, sorted(have)) == 0
    contents = json.loads((folder / "contents.json").read_text())
    assert [name.split("-")[0] for name in contents["wheels"]] == ["glcontext", "moderngl"]
    assert set(contents["left_out"]) == {"OpenGL's loaders", "embreex", "simplejpeg"}
    assert "0.2 MB do not fit" in contents["left_out"]["embreex"]
    assert "for Python 3.12" in contents["left_out"]["simplejpeg"]
    assert contents["skipped"] == {"trial": ["embreex", "simplejpeg"]}
    assert "step trial will be skipped, or do less: it lacks embreex, simplejpeg" in capsys.readouterr().out
    assert wheel_pack.pack(folder, TARGET, sorted(have)) == 0  # anew
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    assert wheel_pack.pack(tmp_path / "mine", TARGET, []) == 2
    assert (tmp_path / "mine" / "thesis.txt").exists()


def command(*words, **environment):
    return subprocess.run(
        [sys.executable, str(GPU / "main.py"), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")]),
            **environment,
        },
    )


@pytest.mark.slow
def test_the_command_runs_its_first_steps_in_software(tmp_path):
    out = tmp_path / "out"
    steps = ("machine", "pictures", "decoding", "ring")
    done = command("--device", "cpu", "--minutes", 3, "--out", out, "--only", *steps)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((out / "results.json").read_text())
    assert {name: entry["state"] for name, entry in found["steps"].items()} == dict.fromkeys(steps, "done")
    assert len(list(out.iterdir())) <= 8
    assert "the device | there is no GPU" in (out / "results.md").read_text()
    again = command("--device", "cuda", "--out", out)
    assert again.returncode == 2
    assert "has results of --device cpu" in again.stderr
    assert command("--table", out).returncode == 2


@pytest.mark.slow
@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a GPU")
def test_without_a_gpu_each_step_says_so_and_the_next_goes_on(tmp_path):
    out = tmp_path / "out"
    done = command("--minutes", 2, "--out", out, "--only", "machine", "pictures", "steps")
    assert done.returncode == 1
    entries = json.loads((out / "results.json").read_text())["steps"]
    assert all(entry["state"] in ("failed", "skipped") and entry["word"] for entry in entries.values())
    assert "sees no CUDA device" in entries["steps"]["word"]
    assert any("no CUDA device" in str(row["value"]) for row in entries["machine"]["rows"])


@pytest.mark.slow
def test_without_a_driver_for_egl_that_is_a_line_and_the_next_step_goes_on(tmp_path):
    nothing = {"__EGL_VENDOR_LIBRARY_FILENAMES": str(tmp_path / "none.json")}
    out = tmp_path / "out"
    steps = ("machine", "pictures", "decoding")
    done = command("--device", "cpu", "--out", out, "--minutes", 2, "--only", *steps, **nothing)
    assert done.returncode == 1
    entries = json.loads((out / "results.json").read_text())["steps"]
    assert {name: entry["state"] for name, entry in entries.items()} == {
        "machine": "done",
        "pictures": "failed",
        "decoding": "done",
    }
    assert entries["pictures"]["word"].startswith("DeviceError: ")
    assert any(row["what"] == "draws" and "embree" in row["value"] for row in entries["machine"]["rows"])


def test_a_python_without_any_library_gets_results_too(tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    done = subprocess.run(
        [tmp_path / "bare" / "bin" / "python", GPU / "main.py", "--out", tmp_path / "out", "--minutes", "1"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    entries = json.loads((tmp_path / "out" / "results.json").read_text())["steps"]
    assert list(entries) == [step.name for step in STEPS], done.stderr
    assert entries["machine"]["state"] == "done"
    assert entries["render"]["word"].startswith("not installed here: numpy, pydantic")


@pytest.mark.slow
def test_what_was_packed_is_found(tmp_path):
    pack = tmp_path / "pack"
    (pack / "wheels").mkdir(parents=True)
    with zipfile.ZipFile(pack / "wheels" / "torchvision-9-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            "torchvision-9.dist-info/METADATA", "Metadata-Version: 2.1\nName: torchvision\nVersion: 9\n"
        )
    done = subprocess.run(
        [ROOT / "scripts" / "gpu", *("--device", "cpu", "--only", "machine", "--out", tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={
            **os.environ,
            "TURNTABLE_GPU_PACK": str(pack),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )
    assert done.returncode == 0, done.stderr
    assert "torchvision 9" in (tmp_path / "out" / "results.md").read_text()


def test_a_command_that_cannot_be_meant_says_what_to_give(tmp_path):
    assert "--out DIR" in command().stderr
    (tmp_path / "file").write_text("")
    assert "no folder for results" in command("--out", tmp_path / "file").stderr
    for wrong in (("--minutes", "nan"), ("--minutes", "-1"), ("--workers", "0"), ("--only", "nothing")):
        done = command("--out", tmp_path / "out", *wrong)
        assert done.returncode == 2
        assert wrong[0] in done.stderr
