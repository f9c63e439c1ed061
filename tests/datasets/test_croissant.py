"""croissant.json in the eyes of mlcroissant, in a process of its own, since its libraries warn."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from turntable.datasets import Dataset
from turntable.datasets.describing import parse_croissant_digests
from turntable.datasets.files import compute_file_sha256
from turntable.testing.datasets import make_synthetic_dataset

READ = """
import json, sys
import mlcroissant
croissant = mlcroissant.Dataset(jsonld=sys.argv[1])
issues = croissant.metadata.ctx.issues
plain = lambda value: value.decode() if isinstance(value, bytes) else value
labels = [
    {name.split("/")[1]: plain(value) for name, value in record.items()}
    for record in croissant.records("labels")
]
views = [
    [record["views/name"].decode(), *record["views/image"].size] for record in croissant.records("views")
]
print(json.dumps([sorted(issues.errors), sorted(issues.warnings), labels, views]))
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("set"), num_objects=9, num_views=3, image_size=16)


@pytest.mark.slow
def test_mlcroissant_reads_our_values(dataset: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("mlcroissant")
    command = [sys.executable, "-c", READ, str(dataset.path / "croissant.json")]
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    errors, warnings, labels, views = json.loads(done.stdout)
    assert errors == []
    assert [text.split('"')[1] for text in warnings] == ["https://schema.org/datePublished"]
    assert len(labels) == len(views) == 27
    rows = {(row["object"], row["view"]): row for row in labels}
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            for at, record in enumerate(split.objects):
                for view in range(3):
                    row = rows[record.id, view]
                    assert (row["split"], row["category"], row["licence"]) == (
                        name,
                        record.category,
                        "CC0-1.0",
                    )
                    assert row["source_sha256"] == record.source_sha256
                    found = np.array([row[factor] for factor in dataset.schema.names], np.float32)
                    np.testing.assert_array_equal(found, split.labels[at, view])
    assert {(f"{row['key']}.{row['view']:03d}", 16, 16) for row in labels} == {tuple(view) for view in views}


def test_it_names_every_file_by_its_digest_and_no_clock(dataset: Dataset) -> None:
    text = (dataset.path / "croissant.json").read_text()
    stated = parse_croissant_digests(text)
    assert len(stated) == len(dataset.manifest.shards) + 2
    for name, digest in stated.items():
        assert compute_file_sha256(dataset.path / name) == digest
    table = json.loads(text)
    assert not any(name.startswith("date") for name in table)
    assert table["license"] == "https://spdx.org/licenses/CC0-1.0.html"
    assert table["version"].startswith("1.0.0+")
    wanted = ("dataCollection", "dataLimitations", "dataBiases", "dataUseCases", "dataSocialImpact")
    assert all(table[f"rai:{name}"] for name in (*wanted, "personalSensitiveInformation"))
    assert table["rai:hasSyntheticData"] is True


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"distribution": [{}]}'])
def test_what_is_no_croissant_is_said(text: str) -> None:
    with pytest.raises(ValueError):
        parse_croissant_digests(text)
