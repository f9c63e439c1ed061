"""Manifests of megabytes whose words would fill a terminal."""

import json
import time
from pathlib import Path

import pytest

from turntable.cli.base import PlainConsole
from turntable.console import build_dataset_tables
from turntable.datasets import open_dataset, verify_dataset
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = make_synthetic_dataset(tmp_path / "set", num_objects=4, num_views=2, image_size=16).path
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["categories"] = sorted(f"c{number:06}{'x' * 300}" for number in range(20_000))
    manifest["device"] = {f"key{number}": "x" * 100 for number in range(100_000)}
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


def test_a_report_quotes_so_much_of_a_manifest_and_no_more(folder: Path) -> None:
    problems = verify_dataset(folder).problems
    assert any("manifest.json: categories are ('c000000x" in problem for problem in problems)
    assert max(map(len, problems)) < 3000


@pytest.mark.slow
def test_what_is_shown_of_a_data_set_is_bounded(folder: Path) -> None:
    began, console = time.monotonic(), PlainConsole()
    with console.capture() as shown:
        for table in build_dataset_tables(open_dataset(folder)):
            console.print(table)
    assert time.monotonic() - began < 20
    assert "key0" in shown.get()
    assert "key99" not in shown.get()
    assert "and 18,003 more" in shown.get()
    assert len(shown.get()) < 2_000_000
