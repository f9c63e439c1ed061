"""``scripts/same-bytes``: two checkouts make the same, or it says what differs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "fixtures"


@pytest.fixture
def same_bytes(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import same_bytes

    return same_bytes


@pytest.fixture
def pair(tmp_path):
    """Two copies of a stored set."""
    for name in ("one", "two"):
        shutil.copytree(FIXTURES / "sets" / "points", tmp_path / name)
    return tmp_path / "one", tmp_path / "two"


def changed(path, change):
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


@pytest.mark.gl
def test_a_checkout_makes_what_itself_makes(tmp_path):
    before = {path: path.stat().st_mtime_ns for path in FIXTURES.rglob("*")}
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "same_bytes.py", ROOT, "--only", "zoo", "--objects", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "same     zoo (3 views in 1 shards)\n1 of 1 are the same\n", done.stderr
    assert done.returncode == 0
    assert {path: path.stat().st_mtime_ns for path in FIXTURES.rglob("*")} == before
    assert not list(tmp_path.iterdir())


def test_what_is_no_checkout_is_refused(tmp_path):
    script = ROOT / "scripts" / "same_bytes.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is no checkout of turntable" in done.stderr


def test_copies_of_a_set_are_the_same(same_bytes, pair):
    assert same_bytes.compare_sets(*pair) == ([], ["8 views in 4 shards"])


def test_a_changed_byte_of_a_shard_is_told(same_bytes, pair):
    path = next(pair[1].glob("val/*.tar"))
    changed(path, lambda content: content.__setitem__(1000, content[1000] ^ 1))
    assert same_bytes.compare_sets(*pair)[0] == [f"val/{path.name}: other bytes"]


def test_a_shard_that_is_not_there_is_told(same_bytes, pair):
    path = next(pair[1].glob("val/*.idx"))
    path.unlink()
    assert same_bytes.compare_sets(*pair)[0] == [f"val/{path.name}: other bytes"]


def test_a_changed_manifest_is_told_and_a_gained_key_noted(same_bytes, pair):
    path = pair[1] / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "new": 1}))
    assert same_bytes.compare_sets(*pair)[0] == []
    assert "manifest.json gained new" in same_bytes.compare_sets(*pair)[1]
    path.write_text(json.dumps({**manifest, "fingerprint": "0" * 64, "views": 3}))
    told = "; ".join(same_bytes.compare_sets(*pair)[0])
    assert "fingerprint: 2ede4034d848, 000000000000" in told
    assert "manifest.json: views: was 2, now 3" in told


def test_a_changed_row_of_the_table_is_told(same_bytes, pair):
    import pyarrow.parquet as parquet

    path = pair[1] / "labels.parquet"
    table = parquet.read_table(path)
    parquet.write_table(table.take([1, 0, *range(2, len(table))]), path)
    assert "labels.parquet: view.0: was 0, now 1" in same_bytes.compare_sets(*pair)[0]


def test_a_card_that_says_something_else_is_a_note(same_bytes, pair):
    (pair[1] / "README.md").write_text("another card")
    wrong, notes = same_bytes.compare_sets(*pair)
    assert wrong == []
    assert notes == ["8 views in 4 shards", "README.md: other bytes"]


def test_numbers_are_compared_to_the_last_digit(same_bytes, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    shutil.copytree(FIXTURES / "runs" / "simclr", one)
    shutil.copytree(one, two)
    assert same_bytes.compare_numbers(one, two) == ([], ["5 files"])
    settings = json.loads((two / "half" / "config.json").read_text())
    settings["config"]["learning_rate"] = np.nextafter(settings["config"]["learning_rate"], 1)
    (two / "half" / "config.json").write_text(json.dumps(settings))
    features = dict(np.load(two / "features.npz"))
    features["representation"][0, 0] += 1e-3
    np.savez(two / "features.npz", **features)
    (two / "finished" / "records.jsonl").unlink()
    told = "\n".join(same_bytes.compare_numbers(one, two)[0])
    assert "finished/records.jsonl: in one of them alone" in told
    assert "features.npz representation: differs by up to 0.001" in told
    assert "half/config.json config.learning_rate: was 0.05, now 0.05" in told
    assert told.count("\n") == 2


def test_what_one_of_them_cannot_make_is_told(same_bytes, tmp_path, capsys):
    (tmp_path / "turntable").mkdir()
    (tmp_path / "turntable" / "__init__.py").touch()
    (tmp_path / "turntable" / "__main__.py").write_text("raise SystemExit('it is broken')")
    broken = same_bytes.Checkout(tmp_path, tmp_path)
    job = same_bytes.Job("nothing", (("render", "zoo"),))
    found = same_bytes.compared_set(job, broken, broken)
    assert found == (["this cannot make it: it is broken; the other cannot make it: it is broken"], [])
    assert not same_bytes.tell("nothing", found)
    assert capsys.readouterr().out.startswith("differs  nothing: this cannot make it")
