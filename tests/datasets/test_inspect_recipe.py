"""Every recipe says what its labels are, in words, in numbers, in pictures and in the docs."""

import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from turntable import cli
from turntable.datasets import load_recipe, shipped_recipes
from turntable.datasets.conventions import CONVENTIONS, conventions_of
from turntable.datasets.describing import label_rows
from turntable.datasets.describing.label_table import schema_text
from turntable.datasets.draws import bars, histogram, pseudo_labels
from turntable.datasets.labels import STANDARD_BY_NAME
from turntable.errors import InvalidInputError
from turntable.installation import install_hint

DOCS = Path(__file__).parent.parent.parent / "docs"


def inspect(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", *map(str, arguments)])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_recipe_and_column_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "recipes.md").read_text("utf-8")
    labels = (DOCS / "labels.md").read_text("utf-8")
    for row in label_rows(load_recipe(name)):
        assert f"`{row.column}`" in labels
        assert row.meaning
    assert schema_text(load_recipe(name)).count("\n") == len(load_recipe(name).schema) + 1


def test_every_factor_is_documented() -> None:
    labels = (DOCS / "labels.md").read_text("utf-8")
    assert [name for name in STANDARD_BY_NAME if f"`{name}`" not in labels] == []


@pytest.mark.parametrize("name", shipped_recipes())
def test_inspect_tells_columns_and_distributions(capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, out, _ = inspect(capsys, name)
    assert status == 0
    for factor in load_recipe(name).factors:
        assert factor.name in out
    assert "10000 views drawn" in out
    share = re.search(r"3diebench can show too: ([\d.]+)", out)
    expected = {"so3-ood": "0.0000", "3diebench-ood-legacy": "1.0000"}
    if name in expected:
        assert share is not None
        assert share[1] == expected[name]
    else:
        assert (share is not None) == (name in ("sequences", "zoo-benchmark"))


@pytest.mark.slow
def test_inspect_draws_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(load_recipe("sequences").replace(name="mine").to_toml(), encoding="utf-8")
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
    assert install_hint("train") in err
    assert not (tmp_path / "page.png").exists()


def test_inspect_of_what_cannot_be_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(load_recipe("zoo").replace(draws="imported").to_toml(), encoding="utf-8")
    status, out, _ = inspect(capsys, recipe)
    assert status == 0
    assert "imported with the pictures" in out
    assert "views drawn" not in out
    assert inspect(capsys, recipe, "--plot", tmp_path / "page.png")[0] == 2
    status, _, err = inspect(capsys, tmp_path, "--plot", tmp_path / "page.png")
    assert (status, "--plot draws recipes" in err) == (2, True)
    with pytest.raises(InvalidInputError, match="nothing to draw"):
        pseudo_labels(load_recipe("zoo").replace(draws="imported"))


def test_pseudo_labels_are_whole_and_enough() -> None:
    long = load_recipe("sequences").replace(views=1000)
    assert pseudo_labels(long, 25).shape == (30, len(long.schema))
    assert len(pseudo_labels(load_recipe("zoo"), 30)) == 40


def test_histograms_count_and_show_every_value() -> None:
    factor = STANDARD_BY_NAME["floor_hue"].factor
    counts = histogram(factor, np.float32([0, 0.1, 0.1, 0.99, 1]), 4)
    assert counts.tolist() == [3, 0, 0, 2]
    assert bars(np.array([1000, 0, 1])) == "█ ▁"
    assert histogram(factor.fixed(0.3), np.float32([0.3] * 3), 3).tolist() == [0, 3, 0]


def test_conventions_say_what_is_special_to_a_recipe() -> None:
    assert conventions_of(load_recipe("zoo")) == CONVENTIONS
    assert "np.random.seed" in conventions_of(load_recipe("3diebench-published"))["draws"]
    assert "came with the pictures" in conventions_of(load_recipe("zoo").replace(draws="imported"))["draws"]
    assert "exp(twist_t)" in conventions_of(load_recipe("sequences"))["sequence"]
    assert "10° outside 3diebench" in conventions_of(load_recipe("so3-ood"))["rotation"]
