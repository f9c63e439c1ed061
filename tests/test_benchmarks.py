"""The benchmark of loading runs: its own loaders, on very little data."""

import json
import subprocess
import sys
from pathlib import Path

LOAD = Path(__file__).resolve().parents[1] / "benchmarks" / "load.py"


def run(*words: str, out: Path) -> list[dict[str, object]]:
    small = [
        "--objects",
        "8",
        "--views",
        "4",
        "--size",
        "64",
        "--batch",
        "4",
        "--rounds",
        "1",
        "--seconds",
        "0.1",
    ]
    subprocess.run(
        [sys.executable, str(LOAD), *words, *small, "--workers", "1", "--json", str(out)],
        check=True,
        timeout=120,
    )
    return json.loads(out.read_text())["rows"]


def test_rates_stand_beside_the_decode_limit(tmp_path: Path) -> None:
    rows = run("rates", out=tmp_path / "rates.json")
    assert [row["loader"] for row in rows] == ["decode limit", "turntable ring", "turntable dataloader"]
    assert all(row["images_per_s"] > 0 for row in rows), rows
    assert all(row["least"] <= row["ratio"] <= row["most"] for row in rows[1:])


def test_startup_opens_archives_that_are_not_there(tmp_path: Path) -> None:
    [row] = run("startup", out=tmp_path / "startup.json")
    assert (row["objects"], row["shards"]) == (8, 1)
    assert 0 < row["opened_s"] < row["whole_s"]
