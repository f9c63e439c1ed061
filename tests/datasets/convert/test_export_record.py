"""An exported folder is imported with everything that its export.json says, and that file is not trusted."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.published import VIEWS, lists
from turntable.choices import ChannelOrder
from turntable.datasets import Dataset, Recipe, export_folder, import_folder, load_recipe, open_dataset
from turntable.datasets.convert import ImportSettings
from turntable.datasets.files import compute_json_sha256
from turntable.datasets.objects import ObjectRecord
from turntable.errors import IntegrityError, InvalidInputError
from turntable.testing.datasets import write_synthetic_dataset

OBJECT = {"path": "a/b", "id": "b", "category": "c", "licence": ""}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A set with ids, ranges, licenses and outputs that the published layout does not know."""
    table = load_recipe("so3-ood").to_dict()
    table["factors"]["light_theta_rad"] = {"low": 0, "high": 1.5}
    table |= {
        "name": "own",
        "source": "folder",
        "views": VIEWS,
        "image_size_px": 16,
        "splits": ["train", "val"],
    }
    recipe = Recipe.from_dict(table | {"description": "Rotations and lights of our own", "points": 24})
    records = [
        ObjectRecord("table", "unsorted", "train", "folder", "0" * 64),
        ObjectRecord("a/b/c d", "a", "train", "folder", "1" * 64, "CC-BY-4.0"),
        ObjectRecord("chair/1", "chair", "val", "folder", "2" * 64),
        ObjectRecord("chair/2", "seats & more", "train", "folder", "3" * 64),
    ]
    folder = tmp_path_factory.mktemp("own")
    write_synthetic_dataset(folder, recipe, records)
    return open_dataset(folder)


def read_objects(dataset: Dataset) -> dict[str, tuple[str, str, str, bytes]]:
    found = {}
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            for row, record in enumerate(split.objects):
                labels = split.labels[row].tobytes()
                found[record.id] = (record.category, record.split, record.licence, labels)
    return found


@pytest.mark.parametrize("order", [None, "bgr"])
def test_an_export_comes_back_as_it_was(own: Dataset, tmp_path: Path, order: ChannelOrder | None) -> None:
    export_folder(own.path, tmp_path / "out", channel_order=order)
    told: list[str] = []
    import_folder(tmp_path / "out", tmp_path / "back", warn=told.append)
    back = open_dataset(tmp_path / "back")
    assert told == []
    assert read_objects(back) == read_objects(own)
    assert (back.manifest.name, back.manifest.source) == (own.manifest.name, own.manifest.source)
    assert (back.categories, back.splits) == (own.categories, own.splits)
    assert back.manifest.channel_order == (order or "rgb")
    assert back.manifest.recipe["description"] == "Rotations and lights of our own"
    assert [f.name for f in back.manifest.factors] == [f.name for f in own.manifest.factors]
    assert (back.manifest.points, back.manifest.outputs) == (0, ("rgb",))  # the layout has no place for more


def test_options_have_precedence_and_are_named(own: Dataset, tmp_path: Path) -> None:
    export_folder(own.path, tmp_path / "out")
    told: list[str] = []
    settings = ImportSettings(channel_order="bgr", source="gso", license="mine", name="other")
    manifest = import_folder(
        tmp_path / "out",
        tmp_path / "back",
        settings=settings,
        split_lists=lists(tmp_path / "out"),
        warn=told.append,
    )
    assert (manifest.channel_order, manifest.source["name"], manifest.source["licence"]) == (
        "bgr",
        "gso",
        "mine",
    )
    assert manifest.name == "other"
    assert [text.partition(",")[0] for text in told] == [
        "--channel-order bgr is not rgb",
        "--source gso is not folder",
        "--licence mine is not CC0-1.0",
    ]


def test_files_that_contradict_the_record_are_named(own: Dataset, tmp_path: Path) -> None:
    export_folder(own.path, tmp_path / "out")
    for path in tmp_path.glob(f"out/*/*/*_{VIEWS - 1}.*"):
        path.unlink()
    told: list[str] = []
    manifest = import_folder(tmp_path / "out", tmp_path / "back", warn=told.append)
    assert manifest.views == VIEWS - 1
    (text,) = told
    assert f"export.json says {VIEWS} views of each object, but the files have {VIEWS - 1}" in text


def test_an_export_that_is_not_finished_is_not_imported(own: Dataset, tmp_path: Path) -> None:
    export_folder(own.path, tmp_path / "out")
    (tmp_path / "out" / "val_images.npy").unlink()
    with pytest.raises(
        InvalidInputError, match=r"val_images\.npy is missing, so the export .* is not finished"
    ):
        import_folder(tmp_path / "out", tmp_path / "back")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table | {"more": 1}, r"unknown: more"),
        (lambda table: table | {"exchange": "no"}, r"exchange is 'no'.*true or false"),
        (lambda table: table | {"dataset": table["dataset"] | {"hidden": 1}}, r"unknown: dataset\.hidden"),
        (lambda table: table | {"dataset": table["dataset"] | {"channel_order": "gbr"}}, "channel_order"),
        (lambda table: table | {"dataset": table["dataset"] | {"splits": ["../x"]}}, "splits"),
        (lambda table: table | {"dataset": table["dataset"] | {"name": "../x"}}, "name"),
        (
            lambda table: (
                table | {"dataset": table["dataset"] | {"objects": [OBJECT, OBJECT | {"path": "x/y"}]}}
            ),
            "a list of objects with different ids",
        ),
    ],
    ids=["key", "flag", "hidden", "order", "splits", "name", "objects"],
)
def test_a_damaged_record_is_named(own: Dataset, tmp_path: Path, change, words: str) -> None:
    export_folder(own.path, tmp_path / "out")
    path = tmp_path / "out" / "export.json"
    table = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(change(table)), encoding="utf-8")
    with pytest.raises(IntegrityError, match=rf"export\.json: not the record of an export \(.*{words}"):
        import_folder(tmp_path / "out", tmp_path / "back")


def test_an_export_of_an_earlier_version_goes_on_and_is_imported_as_before(
    own: Dataset, tmp_path: Path
) -> None:
    export_folder(own.path, tmp_path / "out")
    path = tmp_path / "out" / "export.json"
    whole = path.read_text("utf-8")
    earlier = {"exchange": False, "fingerprint": own.manifest.fingerprint}
    path.write_text(json.dumps(earlier), encoding="utf-8")
    told: list[str] = []
    with pytest.raises(InvalidInputError, match="outside"):  # the ranges of 3diebench
        import_folder(tmp_path / "out", tmp_path / "back", warn=told.append)
    assert "export.json is of an earlier version" in told[0]
    assert export_folder(own.path, tmp_path / "out").num_resumed == 4
    assert path.read_text("utf-8") == whole
    other = earlier | {"fingerprint": compute_json_sha256(1)}
    path.write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="an export of another data set"):
        export_folder(own.path, tmp_path / "out")


def test_an_import_that_an_earlier_version_began_goes_on(published: Path, tmp_path: Path) -> None:
    """Its plan has the split of the earlier rule, which the recipe did not name."""
    recipe = tmp_path / "earlier.toml"
    recipe.write_text(
        load_recipe("3diebench").replace(split_rule="each-category", val_fraction=0.5).to_toml(),
        encoding="utf-8",
    )
    like = ImportSettings(like=str(recipe), name="set")
    earlier = import_folder(published, tmp_path / "out", settings=like)
    (tmp_path / "out" / "manifest.json").unlink()
    recipe.write_text(load_recipe("3diebench").replace(val_fraction=0.5).to_toml(), encoding="utf-8")
    assert import_folder(published, tmp_path / "out", settings=like).fingerprint == earlier.fingerprint
    assert import_folder(published, tmp_path / "new", settings=like).fingerprint != earlier.fingerprint
    sizes = np.array([shard.objects for shard in earlier.select_shards("val")])
    assert sizes.sum() == 6  # two of three in each category; 5 of 9 overall
