"""The benchmarks of loading and of training steps run, on very little data."""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from turntable.testing.datasets import make_synthetic_dataset

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
LOAD = BENCHMARKS / "loaders.py"
TRAIN_STEP = BENCHMARKS / "train_step.py"


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


def test_augmentations_stand_beside_views_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import loader_augmentations

    monkeypatch.setattr(loader_augmentations, "apart", lambda function, *arguments: function(*arguments))
    make_synthetic_dataset(tmp_path, num_objects=8, num_views=2, val_fraction=0.0)
    settings = Namespace(workers=[0], batch=2, rounds=1, seconds=0.01)
    first, *others = loader_augmentations.augmentation_rows(settings, tmp_path, tmp_path)
    assert (first["what"], first["ratio"]) == ("views alone", 1)
    assert len(others) == 6
    assert all(row["images_per_s"] > 0 and row["ratio"] > 0 for row in others), others


SMALL_STEPS = ["--what", "small", "--batch", "32", "--size", "32", "--width", "512", "--steps", "2"]


def test_a_matrix_a_sample_gives_the_same_losses_at_more_memory(tmp_path: Path) -> None:
    out = tmp_path / "steps.json"
    words = ["steps", "--rounds", "1", *SMALL_STEPS, "--json", str(out)]
    subprocess.run([sys.executable, str(TRAIN_STEP), *words], check=True, timeout=120)
    ours, theirs = json.loads(out.read_text())["rows"]
    assert (ours["what"], theirs["what"]) == ("one product", "a matrix a sample")
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-5)
    assert ours["last_loss"] == pytest.approx(theirs["last_loss"], rel=1e-3)
    assert ours["loss"] != ours["last_loss"]
    assert theirs["peak_mib"] > ours["peak_mib"] + 32  # twice 32 matrices of 512 x 512 numbers are 64


def test_a_short_training_says_how_long_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import train_step

    monkeypatch.setattr(train_step, "apart", lambda function, *arguments: function(*arguments))
    [row] = train_step.main(["wait", "--objects", "16", *SMALL_STEPS])
    assert row["workers"] == 2
    assert 0 <= float(row["waits"].rstrip("%")) <= 100


def test_worlds_are_projected_from_what_they_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import dynamics

    rows = dynamics.main(["--at-once", "1", "64", "--frames", "2", "--rounds", "2"])
    assert [row["at_once"] for row in rows] == [1, 64]
    assert all(row["roots"] > 0 for row in rows)
    assert rows[1]["ns_per_world"] < rows[0]["ns_per_world"] / 4
    # 100,000 worlds of 4,000 steps on 2 cores.
    assert rows[1]["minutes"] >= rows[1]["ns_per_world"] * 1e-9 * 4e8 / 120


def test_tracks_are_loaded_at_a_share_of_the_rate_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import tracks

    found = tracks.main(["--worlds", "400", "--frames", "10", "--times", "1"])
    assert found["made"] > 0
    assert [row["fields"] for row in found["rows"]] == ["tracks", "tracks, velocities"]
    assert all(row["ratio"] == pytest.approx(row["loaded"] / row["read"]) for row in found["rows"])


def test_related_views_are_found_and_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import relations

    figures = relations.main(["--objects", "60", "--views", "6", "--rounds", "1"])
    assert figures["bank: share of objects with quads"] > figures["free: share of objects with quads"]
    assert all(figure > 0 for name, figure in figures.items() if "second" in name)
