"""Files beside the shards that are none: each is a line of the report, and hides no other."""

import os
from pathlib import Path

import pytest

from turntable.datasets import verify_dataset
from turntable.testing.datasets import make_synthetic_dataset


@pytest.mark.parametrize("deep", [True, False])
@pytest.mark.parametrize("name", ["labels.parquet", "contact-sheet.jpg", "README.md", "quarantine.jsonl"])
@pytest.mark.parametrize("what", ["link", "pipe"])
def test_what_is_no_file_is_told_beside_all_else(tmp_path: Path, name: str, what: str, deep: bool) -> None:
    folder = make_synthetic_dataset(tmp_path / "set", num_objects=4, num_views=2, image_size=16).path
    (folder / "warnings.jsonl").unlink()
    (folder / name).unlink(missing_ok=True)
    (tmp_path / "private").write_text("mine")
    if what == "link":
        (folder / name).symlink_to(tmp_path / "private")
    else:
        os.mkfifo(folder / name)
    problems = "\n".join(verify_dataset(folder, deep=deep).problems)
    assert f"{name}: {'a link that leads out' if what == 'link' else 'no ordinary file'}" in problems
    assert "warnings.jsonl: missing" in problems
