"""The table of all methods: its questions, and one job at a toy's size."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from turntable.evaluation import get_protocol
from turntable.testing.datasets import make_synthetic_dataset

pytestmark = pytest.mark.slow

BENCHMARK = Path(__file__).resolve().parents[1] / "benchmarks" / "methods.py"


@pytest.fixture
def methods(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK.parent))
    import methods

    return methods


def test_a_question_is_answered_with_those_that_fail(methods):
    best = {
        "untrained": {"top1": 0.4, "r2_averaged": 0.1},
        "vicreg": {"top1": 0.7, "r2_averaged": 0.2},
        "sie": {"top1": 0.3, "r2_averaged": 0.3},
        "sen": {"top1": 0.6, "r2_averaged": 0.1},
        "simclr": {"top1": 0.6, "r2_averaged": 0.1},
    }
    assert methods.asked(best).splitlines() == [
        "- Every method predicts the category better than an untrained encoder: no, not sie.",
        "- Every equivariant method predicts the rotation better than vicreg: no, not sen.",
    ]
    best["sie"]["top1"] = best["sen"]["r2_averaged"] = 0.5
    assert methods.asked(best).count("yes.") == 2


def test_every_name_is_a_method(methods):
    from turntable.models import METHODS

    told = methods.equivariant_methods()
    assert {*told} < {*METHODS}
    assert {"augself", "sie-mlp", "seq-jepa", "equicaps-4x4"} <= {*told}
    assert {"supervised", "vicreg", "seq-jepa-no-action", "pointnet"}.isdisjoint(told)


@pytest.fixture
def in_this_process(methods, monkeypatch):
    """Jobs that are done here, with heads of a demo's length; the protocols that they asked for."""
    from turntable import evaluation

    asked, evaluate, threads = [], evaluation.evaluate, torch.get_num_threads()

    def shortened(run, dataset, *, protocol):
        asked.append(protocol)
        return evaluate(run, dataset, protocol=get_protocol("turntable-demo"))

    def done_here(job, words, threads):
        methods.main([*words, "--job", job.method, str(job.seed)])

    monkeypatch.setattr(evaluation, "evaluate", shortened)
    monkeypatch.setattr(methods, "in_a_process", done_here)
    yield asked
    torch.set_num_threads(threads)


def test_the_papers_settings_are_for_a_data_set_that_is_given(methods, in_this_process, tmp_path, capsys):
    make_synthetic_dataset(tmp_path / "given", num_objects=40, num_views=4)
    small = ["backbone=small", "epochs=1", "batch_size=16", "projector_widths=32,32,32"]
    words = ["--out", str(tmp_path / "runs"), "--data", str(tmp_path / "given"), "--paper"]
    methods.main([*words, "--methods", "vicreg", "--seeds", "0", "--set", *small])
    assert in_this_process == [get_protocol("turntable")]
    page = capsys.readouterr().out
    assert "Made by `scripts/bench methods --out " in page
    assert "| vicreg | representation | 1 |" in page
    config = json.loads((tmp_path / "runs/vicreg-0/config.json").read_text("utf-8"))["config"]
    assert (config["backbone"], config["epochs"], config["schedule"]) == ("small", 1, "constant")
    assert not (tmp_path / "runs/zoo").exists()


def test_where_every_job_fails_it_says_why(tmp_path):
    make_synthetic_dataset(tmp_path / "zoo", num_objects=8, num_views=2)
    command = [sys.executable, str(BENCHMARK), "--out", str(tmp_path), "--methods", "vicreg"]
    command += ["--set", "no=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 1
    assert done.stderr.count("--set no: there is no such setting") == 3


def test_jobs_are_done_once_and_make_a_page(tmp_path):
    make_synthetic_dataset(tmp_path / "zoo", num_objects=40, num_views=4)
    command = [sys.executable, str(BENCHMARK), "--out", str(tmp_path), "--methods", "untrained", "vicreg"]
    command += ["--seeds", "0", "--set", "epochs=1", "--jobs", "2", "--write", str(tmp_path / "page.md")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text("utf-8")
    assert "| untrained | representation | 1 |" in page
    assert "| vicreg | representation | 1 |" in page
    assert re.search(
        r"\n\| vicreg \| [\d.]+ \[[\d.]+, [\d.]+\] representation \| -?[\d.]+ \[-?[\d.]+, ", page
    )
    again = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "vicreg-0" not in again.stderr  # nothing was done again
