import json
from pathlib import Path

import numpy as np
import pytest

from turntable.datasets import Dataset
from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders import (
    BatchConfig,
    Fixed,
    Loader,
    Samples,
    draw_validation_pairs,
    read_pairs,
    select_all_views,
    write_pairs,
)
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("set"), num_objects=16, num_views=5, image_size=8)


@pytest.fixture
def pairs() -> Samples:
    return draw_validation_pairs(select_all_views([4], 5), 6, seed=1)


def test_what_was_written_is_read_and_used(dataset: Dataset, pairs: Samples, tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    write_pairs(path, pairs, dataset, "val")
    again = read_pairs(path, dataset, "val")
    assert again.digest == pairs.digest
    before = path.read_bytes()
    write_pairs(path, again, dataset, "val")
    assert path.read_bytes() == before
    loader = Loader(dataset.path, BatchConfig(split="val", sampler=Fixed(again), batch_size=24))
    assert next(iter(loader))["object_index"].tolist() == pairs.objects.tolist()
    with dataset.open_split("val") as split:
        first = json.loads(before)["samples"][0]
        assert first == [split.keys[pairs.objects[0]], *pairs.views[0].tolist()]


def test_longer_samples_too(dataset: Dataset, tmp_path: Path) -> None:
    triples = Samples(np.array([3, 0]), np.array([[0, 1, 4], [2, 0, 1]]))
    write_pairs(tmp_path / "x.json", triples, dataset, "train")
    assert read_pairs(tmp_path / "x.json", dataset).views.tolist() == triples.views.tolist()


def test_of_something_else_or_damaged(dataset: Dataset, pairs: Samples, tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    for row, view in ((4, 1), (-1, 1), (0, 5), (0, -1)):
        with pytest.raises(InvalidInputError, match="the samples do not belong to val"):
            write_pairs(path, Samples(np.array([row]), np.array([[0, view]])), dataset, "val")
    with pytest.raises(InvalidInputError, match="the samples do not belong to val"):
        write_pairs(path, pairs[:0], dataset, "val")
    assert not path.exists()
    with pytest.raises(InvalidInputError, match="there is no such file; write one with write_pairs"):
        read_pairs(path, dataset)
    write_pairs(path, pairs, dataset, "val")
    other = make_synthetic_dataset(tmp_path / "other", num_objects=16, num_views=5, image_size=8, seed=1)
    with pytest.raises(InvalidInputError, match="belong to another data set"):
        read_pairs(path, other)
    with pytest.raises(InvalidInputError, match="belong to the split val, not to train"):
        read_pairs(path, dataset, "train")
    whole = json.loads(path.read_text())
    first, *others = whole["samples"]
    key = first[0]
    damaged = [
        ("digest does not match", {**whole, "samples": others}),
        ("digest does not match", {**whole, "samples": [*others, first]}),
        ("digest does not match", {**whole, "samples": [[key, *reversed(first[1:])], *others]}),
        ("digest does not match", {**whole, "digest": "0" * 64}),
        ("val has no object 'nobody'", {**whole, "samples": [["nobody", 0, 1], *others]}),
        ("train has no object", {**whole, "split": "train"}),
        ("has no split 'test'", {**whole, "split": "test"}),
        ("there is no view 5; objects have 5", {**whole, "samples": [[key, 0, 5], *others]}),
        ("there is no view -1", {**whole, "samples": [[key, 0, -1], *others]}),
        ("there is no view 1000", {**whole, "samples": [[key, 0, 10**30], *others]}),
        ("with equal numbers of views", {**whole, "samples": [first[:2], *others]}),
        ("with equal numbers of views", {**whole, "samples": [[key, 0, 1.5], *others]}),
        ("with equal numbers of views", {**whole, "samples": [[key, 0, "1"], *others]}),
        ("with equal numbers of views", {**whole, "samples": [[key, 0, True], *others]}),
        ("with equal numbers of views", {**whole, "samples": []}),
        ("not a list of samples", {**whole, "samples": [1, 2]}),
        ("not a list of samples", {**whole, "samples": None}),
        ("not a list of samples", {**whole, "samples": [[]]}),
        ("not a list of samples", {**whole, "samples": [[[key], 0, 1]]}),
        ("format is 9, and this version of turntable reads format 1", {**whole, "format": 9}),
        ("no digest", {name: value for name, value in whole.items() if name != "digest"}),
        ("not a list of samples", list(whole)),
        ("not a list of samples", 5),
    ]
    for told, table in damaged:
        path.write_text(json.dumps(table))
        with pytest.raises(IntegrityError, match=told):
            read_pairs(path, dataset)
    path.write_text(json.dumps(whole)[:-40])
    with pytest.raises(IntegrityError, match="not a list of samples"):
        read_pairs(path, dataset)
