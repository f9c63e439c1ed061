"""A recipe: everything that decides a data set except the meshes, as one frozen value read from TOML."""

import json
import tomllib
from dataclasses import dataclass, fields
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from turntable.datasets.digests import sha256_of
from turntable.datasets.factors import STANDARD_BY_NAME, Factor
from turntable.datasets.labels import LabelSchema
from turntable.datasets.outputs import OutputName
from turntable.datasets.recipe_schema import FactorTable, RecipeTable, parse_table
from turntable.errors import InvalidInputError, RecipeError

Source = Literal["zoo", "shapenet", "folder"]
Quality = Literal["fast", "standard", "high"]


@dataclass(frozen=True)  # no slots: the digests are cached
class Recipe:
    """What to render and how. Made by ``load_recipe``, ``Recipe.from_toml`` or ``Recipe.from_dict``."""

    name: str
    source: Source
    views: int
    """Views of each object."""
    image_size_px: int
    """Images are square."""
    factors: tuple[Factor, ...]
    """In the standard order, which is the order of the label columns."""
    description: str = ""
    seed: int = 0
    quality: Quality = "standard"
    supersampling: int | None = None
    """Samples a pixel along each axis; None leaves it to the quality."""
    jpeg_quality: int = 95
    jpeg_subsampling: Literal["420", "444"] = "420"
    channel_order: Literal["rgb", "bgr"] = "rgb"
    """"bgr" exchanges red and blue in the files, as the published 3DIEBench does."""
    outputs: tuple[OutputName, ...] = ("rgb",)
    """What is kept of each view, in the standard order."""
    points: int = 0
    """Of the point cloud of each object; 0: none."""
    objects_per_shard: int = 128
    val_fraction: float = 0.2
    """Share of each category's objects that are held out."""
    split_seed: int = 0
    """Decides the split, and the order of objects over shards."""

    @classmethod
    def from_toml(cls, text: str, where: str = "") -> "Recipe":
        """Read a recipe's text.

        Args:
            text: TOML.
            where: what error messages call it (a file name).

        Raises:
            RecipeError: every fault of it, by name.
        """
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"recipe {where}: not TOML: {error}") from None
        return cls.from_dict(table, where)

    @classmethod
    def from_dict(cls, table: dict[str, Any], where: str = "") -> "Recipe":
        """Check a table of the shape of the TOML file. Raises RecipeError listing every fault."""
        checked = parse_table(table, where or str(table.get("name", "(unnamed)")))
        factors = tuple(_factor(name, factor) for name, factor in checked.factor_tables().items())
        plain = {name: getattr(checked, name) for name in RecipeTable.model_fields if name != "factors"}
        plain["outputs"] = tuple(checked.outputs)
        return cls(**plain, factors=factors)

    def to_dict(self) -> dict[str, Any]:
        """The table this recipe can be read back from."""
        table: dict[str, Any] = {
            item.name: getattr(self, item.name) for item in fields(self) if item.name != "factors"
        }
        # Left out where they say nothing: recipes from before they existed keep their digests.
        outputs, points = list(table.pop("outputs")), table.pop("points")
        table |= {"supersampling": samples} if (samples := table.pop("supersampling")) else {}
        table |= {"outputs": outputs} if outputs != ["rgb"] else {}
        table |= {"points": points} if points else {}
        return {**table, "factors": {factor.name: _factor_dict(factor) for factor in self.factors}}

    def to_toml(self) -> str:
        """The recipe as TOML; reading it back gives an equal recipe."""
        table = self.to_dict()
        factors = table.pop("factors")
        lines = [f"{name} = {_toml(value)}" for name, value in table.items()]
        for name, factor in factors.items():
            lines += ["", f"[factors.{name}]", *(f"{key} = {_toml(value)}" for key, value in factor.items())]
        return "\n".join(lines) + "\n"

    def replace(self, **changes: Any) -> "Recipe":
        """A copy with some keys changed, checked anew: ``recipe.replace(views=8, seed=3)``."""
        return Recipe.from_dict(
            {**self.to_dict(), **changes}, f"{self.name} (with {', '.join(changes)} changed)"
        )

    @property
    def schema(self) -> LabelSchema:
        """The label columns."""
        return LabelSchema(self.factors)

    @cached_property
    def label_digest(self) -> str:
        """Hex sha256 of only what decides labels: the seed and the factors' names and ranges."""
        draws = [[factor.name, factor.distribution, factor.low, factor.high] for factor in self.factors]
        return sha256_of({"draws": 1, "seed": self.seed, "factors": draws})

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of everything the recipe says."""
        return sha256_of(self.to_dict())


def shipped_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the package."""
    folder = resources.files("turntable.datasets") / "recipes"
    return tuple(sorted(Path(item.name).stem for item in folder.iterdir() if item.name.endswith(".toml")))


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Load a shipped recipe by name, or any by the path of its TOML file.

    Raises:
        InvalidInputError: no such recipe; the message lists the shipped ones.
        RecipeError: the file has faults.
    """
    if str(name_or_path) in shipped_recipes():
        item = resources.files("turntable.datasets") / "recipes" / f"{name_or_path}.toml"
        return Recipe.from_toml(item.read_text(encoding="utf-8"), f"{name_or_path}.toml")
    path = Path(name_or_path)
    if not path.is_file():
        shipped = ", ".join(shipped_recipes())
        raise InvalidInputError(f"no recipe {str(path)!r}: give the path of a TOML file, or one of {shipped}")
    try:
        return Recipe.from_toml(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError:
        raise RecipeError(f"recipe {path}: not a text file in UTF-8") from None


def _factor(name: str, table: FactorTable) -> Factor:
    standard = STANDARD_BY_NAME[name].factor
    if table.value is not None:
        return standard.fixed(table.value)
    assert table.low is not None
    assert table.high is not None
    return standard.over(table.low, table.high)


def _factor_dict(factor: Factor) -> dict[str, float]:
    if factor.distribution == "fixed":
        return {"value": factor.low}
    return {"low": factor.low, "high": factor.high}


def _toml(value: str | float | list[str]) -> str:
    # JSON's strings and numbers are TOML's, with one exception: TOML wants DEL escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
