"""The table of all methods: its questions, and one job at a toy's size."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import make_synthetic_dataset

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
        "- Every method names objects better than an untrained encoder: no, not sie.",
        "- Every equivariant method tells the turn better than vicreg: no, not sen.",
    ]
    best["sie"]["top1"] = best["sen"]["r2_averaged"] = 0.5
    assert methods.asked(best).count("yes.") == 2


def test_every_name_is_a_method(methods):
    from turntable.models import METHODS

    assert {*methods.EQUIVARIANT} < {*METHODS}


def test_jobs_are_done_once_and_make_a_page(tmp_path):
    make_synthetic_dataset(tmp_path / "zoo", objects=40, views=4)
    command = [sys.executable, str(BENCHMARK), "--out", str(tmp_path), "--methods", "untrained", "vicreg"]
    command += ["--seeds", "0", "--epochs", "1", "--jobs", "2", "--write", str(tmp_path / "page.md")]
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
