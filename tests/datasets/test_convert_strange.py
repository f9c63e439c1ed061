"""Published folders that somebody made to do harm, or that were damaged on their way."""

import os
from pathlib import Path

import pytest

from turntable.datasets import export_folder, import_folder
from turntable.errors import InvalidInputError
from turntable.testing.datasets import make_synthetic_dataset


@pytest.mark.slow
def test_names_of_folders_that_are_not_in_utf_8_are_told(tmp_path: Path) -> None:
    dataset = make_synthetic_dataset(tmp_path / "set", num_objects=4, num_views=3, image_size=16)
    export_folder(dataset.path, tmp_path / "published")
    folder = next((tmp_path / "published").glob("*/*"))
    folder.rename(os.fsdecode(os.fsencode(folder.parent) + b"/\xff\xfe"))
    with pytest.raises(InvalidInputError, match="1 names of folders are not in UTF-8") as told:
        import_folder(tmp_path / "published", tmp_path / "out")
    assert str(told.value).isprintable()
