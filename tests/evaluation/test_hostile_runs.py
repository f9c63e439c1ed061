"""What an evaluation left in a run's folder, where somebody else has been at it."""

import json
import zipfile

import numpy as np
import pytest

from turntable.datasets import open_dataset
from turntable.errors import IntegrityError
from turntable.evaluation import read_figure_data
from turntable.evaluation.features import build_split_features
from turntable.studies import compare_runs, comparison_to_html
from turntable.testing.datasets import make_synthetic_dataset


def members(path, compression=zipfile.ZIP_STORED, **arrays):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in arrays.items():
            file.writestr(f"{name}.npy", data)
    return path


def array_of(shape, dtype="<f8"):
    """The head of an array that claims this shape, and nothing behind it."""
    head = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode()


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)),
        lambda path: members(path, turn_deg=b"nonsense"),
        lambda path: members(path, turn_deg=array_of((2**40,))),
        lambda path: members(path, turn_deg=array_of((2**62, 2**62))),
        lambda path: members(path, turn_deg=array_of((-1,))),
        lambda path: members(path, turn_deg=array_of((1,), "|O") + b"cos\nsystem\n(S'touch ran'\ntR."),
        lambda path: members(path, zipfile.ZIP_DEFLATED, turn_deg=array_of((10**6,)) + bytes(8 * 10**6)),
    ],
)
def test_details_that_are_none_are_refused(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "details.npz")
    with pytest.raises(IntegrityError, match="does not hold the details of an evaluation") as caught:
        read_figure_data(tmp_path / "details.npz")
    assert len(str(caught.value)) < 500
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("shape", [(3,), (6, 3), (5, 3, 8), (6, 2, 8), (6, 3, 8, 1)])
def test_features_of_another_shape_are_refused(tmp_path, shape):
    dataset = open_dataset(make_synthetic_dataset(tmp_path / "set", num_objects=6, num_views=3).path)
    (name,) = [name for name in dataset.splits if name == "train"]
    with dataset.open_split(name) as split:
        objects = split.num_objects
    assert build_split_features({"representation": np.zeros((objects, 3, 8), np.float32)}, dataset, name)
    with pytest.raises(IntegrityError, match=r"remove the run's folder"):
        build_split_features({"representation": np.zeros(shape, np.float32)}, dataset, name)
    with pytest.raises(IntegrityError, match="of <U1"):
        build_split_features({"representation": np.zeros((objects, 3, 8), "U1")}, dataset, name)


def results(**changes):
    score = {"value": 0.5, "low": 0.4, "high": 0.6}
    row = {"name": "equivariant", "dim": 3, "scores": {"r2_averaged": score}}
    counts = dict.fromkeys(("seed", "num_train_objects", "num_val_objects", "num_val_pairs"), 1)
    names = {"method": "sie", "backbone": "small", "dataset": "zoo", "fingerprint": "f" * 64}
    whole = {"format_version": 2, "protocol": {}, "rows": [row], "elsewhere": [], "notes": []}
    return json.dumps({**names, **counts, **whole, **changes})


def rows(**changes):
    return [{"name": "x", "dim": 3, "scores": {"pre": {"value": 1, "low": 1, "high": 1}}, **changes}]


@pytest.mark.parametrize(
    "text",
    [
        results(rows=rows(scores={"pre": {"value": 10**400, "low": 0, "high": 0}})),
        results(rows=rows(dim=10**400)),
        results(seed=[1]),
        results(seed=10**400),
        results(method=["a", {}]),
        results(method="\ud800"),
        results(protocol={"name": "\ud800"}),
        results(notes=[1, None]),
        results(format_version="\x1b[2J" * 100),
        "[" * 100_000,
        results() + " " * (16 << 20),
        b"\xff",
    ],
)
def test_results_that_are_none_are_told(tmp_path, text):
    path = tmp_path / "results.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(IntegrityError, match=r"results\.json") as told:
        comparison_to_html(compare_runs([path]))
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 500


def test_results_that_are_some_are_compared(tmp_path):
    (tmp_path / "results.json").write_text(results())
    assert "equivariant" in comparison_to_html(compare_runs([tmp_path, tmp_path / "results.json"]))
