"""Every recipe says what its labels are, in words, in numbers, in pictures and in the docs."""

import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from turntable import cli
from turntable.datasets import Recipe, list_shipped_recipes, load_recipe
from turntable.datasets.describing import describe_columns
from turntable.datasets.describing.label_table import format_label_table
from turntable.datasets.draws import compute_histogram, draw_pseudo_labels, format_histogram
from turntable.datasets.labels import STANDARD_FACTORS_BY_NAME
from turntable.datasets.manifest_conventions import CONVENTIONS, describe_conventions
from turntable.datasets.recipes import read_shipped_recipe
from turntable.errors import InvalidInputError
from turntable.installation import format_install_command
from turntable.testing.datasets import make_synthetic_dataset

DOCS = Path(__file__).parent.parent.parent / "docs"


def inspect(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", *map(str, arguments)])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.mark.parametrize("name", list_shipped_recipes())
def test_every_recipe_and_column_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "recipes.md").read_text("utf-8")
    labels = (DOCS / "labels.md").read_text("utf-8")
    for row in describe_columns(load_recipe(name)):
        assert f"`{row.column}`" in labels
        assert row.meaning
    assert format_label_table(load_recipe(name)).count("\n") == len(load_recipe(name).schema) + 1


def test_every_factor_is_documented() -> None:
    labels = (DOCS / "labels.md").read_text("utf-8")
    assert [name for name in STANDARD_FACTORS_BY_NAME if f"`{name}`" not in labels] == []


OTHER_ROTATIONS = (
    "articulated",
    "articulated-unseen",
    "charged",
    "scan-objects",
    "keypoints",
    "nbody",
    "graphs",
    "molecules",
    "sequences",
    "shared-poses",
    "solids",
    "springs",
    "zoo-benchmark",
)
"""Shipped recipes, besides those of tests of distributions, with rotations that training cannot show."""


@pytest.mark.parametrize("name", list_shipped_recipes())
def test_inspect_tells_columns_and_distributions(capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, out, _ = inspect(capsys, name)
    assert status == 0
    for factor in load_recipe(name).factors:
        assert factor.name in out
    assert "10000 views of invented objects" in out
    share = re.search(r"3diebench can show too: ([\d.]+)", out)
    expected = {"so3-ood": "0.0000", "3diebench-ood-legacy": "1.0000"}
    if name in expected:
        assert share is not None
        assert share[1] == expected[name]
    else:
        assert (share is not None) == (name in OTHER_ROTATIONS)


def test_inspect_alone_lists_the_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = inspect(capsys)
    assert status == 0
    for name in list_shipped_recipes():
        assert re.search(
            rf"^  {re.escape(name)} +{re.escape(load_recipe(name).description)}$", out, re.MULTILINE
        )
    folder = re.search(r"Their files are in (.+)", out)
    assert folder is not None
    assert {path.stem for path in Path(folder[1]).glob("*.toml")} == set(list_shipped_recipes())


@pytest.mark.parametrize("name", list_shipped_recipes())
def test_a_shipped_recipe_is_copied_with_its_comments(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    status, out, _ = inspect(capsys, name, "--toml")
    assert status == 0
    assert out == read_shipped_recipe(name)
    (tmp_path / "mine.toml").write_text(out, encoding="utf-8")
    assert load_recipe(tmp_path / "mine.toml") == load_recipe(name)


def test_the_recipe_of_a_data_set_and_of_a_file_is_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    dataset = make_synthetic_dataset(tmp_path / "set", num_objects=4, num_views=2, image_size=16)
    status, out, _ = inspect(capsys, tmp_path / "set", "--toml")
    assert status == 0
    recipe = Recipe.from_toml(out)
    assert recipe.digest == dataset.manifest.recipe_digest
    (tmp_path / "mine.toml").write_text(out, encoding="utf-8")
    assert inspect(capsys, tmp_path / "mine.toml", "--toml") == (0, out, "")
    for arguments in (["--plot", "page.png"], ["zoo", "--toml", "--plot", "page.png"]):
        status, _, err = inspect(capsys, *arguments)
        assert (status, "--plot draws a recipe or a data set: name one" in err) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scenes", "articulated", "charged"])
def test_inspect_draws_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(load_recipe(name).replace(name="mine").to_toml(), encoding="utf-8")
    status, out, _ = inspect(capsys, recipe, "--plot", tmp_path / "page.png")
    assert status == 0
    assert "page.png" in out
    picture = np.asarray(Image.open(io.BytesIO((tmp_path / "page.png").read_bytes())).convert("RGB"))
    assert picture.shape[1] == 1200
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100


def test_inspect_without_matplotlib_says_what_to_install(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    status, _, err = inspect(capsys, "zoo", "--plot", tmp_path / "page.png")
    assert status == 2
    assert format_install_command("train") in err
    assert not (tmp_path / "page.png").exists()


def test_inspect_of_what_cannot_be_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(load_recipe("zoo").replace(draws="imported").to_toml(), encoding="utf-8")
    status, out, _ = inspect(capsys, recipe)
    assert status == 0
    assert "imported with the pictures" in out
    assert "views of invented objects" not in out
    assert inspect(capsys, recipe, "--plot", tmp_path / "page.png")[0] == 2
    status, _, err = inspect(capsys, tmp_path, "--plot", tmp_path / "page.png")
    assert (status, "--plot is for recipes and data sets" in err) == (2, True)
    with pytest.raises(InvalidInputError, match="nothing to draw"):
        draw_pseudo_labels(load_recipe("zoo").replace(draws="imported"))


def test_pseudo_labels_are_whole_and_enough() -> None:
    long = load_recipe("sequences").replace(views=1000)
    assert draw_pseudo_labels(long, 25).shape == (30, len(long.schema))
    assert len(draw_pseudo_labels(load_recipe("zoo"), 30)) == 40


def test_histograms_count_and_show_every_value() -> None:
    factor = STANDARD_FACTORS_BY_NAME["floor_hue"].factor
    counts = compute_histogram(factor, np.float32([0, 0.1, 0.1, 0.99, 1]), 4)
    assert counts.tolist() == [3, 0, 0, 2]
    assert format_histogram(np.array([1000, 0, 1])) == "█ ▁"
    assert compute_histogram(factor.with_value(0.3), np.float32([0.3] * 3), 3).tolist() == [0, 3, 0]


def test_conventions_say_what_is_special_to_a_recipe() -> None:
    assert describe_conventions(load_recipe("zoo")) == CONVENTIONS
    assert "np.random.seed" in describe_conventions(load_recipe("3diebench-published"))["draws"]
    assert (
        "came with the pictures"
        in describe_conventions(load_recipe("zoo").replace(draws="imported"))["draws"]
    )
    assert "exp(twist_t)" in describe_conventions(load_recipe("sequences"))["sequence"]
    assert "10° outside 3diebench" in describe_conventions(load_recipe("so3-ood"))["rotation"]
