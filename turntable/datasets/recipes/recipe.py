"""A recipe: everything that decides a data set except the meshes, as one frozen value read from TOML."""

import json
from dataclasses import dataclass, fields
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from turntable.choices import ChannelOrder, QualityName, SourceName
from turntable.datasets.files import JpegSubsampling, sha256_of
from turntable.datasets.labels import (
    Draws,
    Factor,
    LabelSchema,
    OutputName,
    RotationRule,
    SequenceRule,
    label_columns,
)
from turntable.datasets.objects import SPLITS
from turntable.datasets.recipes.text import check_extent, parse_toml, read_text
from turntable.errors import InvalidInputError, shown


@dataclass(frozen=True)  # no slots: the digests are cached
class Recipe:
    """Everything that decides a rendering but the meshes; ``load_recipe`` and ``Recipe.from_toml`` make it.

    A key that a table leaves out gets its default there.
    """

    name: str
    source: SourceName
    views: int
    """Views of each object."""
    image_size_px: int
    """Images are square."""
    drawn: tuple[Factor, ...]
    """The tables [factors.<name>], in the standard order."""
    description: str
    seed: int
    quality: QualityName
    supersampling: int | None
    """Samples a pixel along each axis; None leaves it to the quality."""
    jpeg_quality: int
    jpeg_subsampling: JpegSubsampling
    channel_order: ChannelOrder
    """"bgr" exchanges red and blue in the files, as the published 3DIEBench does."""
    outputs: tuple[OutputName, ...]
    """What is kept of each view, in the standard order."""
    points: int
    """Of the point cloud of each object; 0: none."""
    objects_per_shard: int
    val_fraction: float
    """Share of each category's objects that are held out."""
    split_seed: int
    """Decides the split, and the order of objects over shards."""
    splits: tuple[str, ...]
    """Those that are rendered."""
    draws: Draws
    """Where numbers come from: a counter for every view; "numpy-legacy", the stream of the published
    generators; or "imported" with the pictures, and then nothing can be drawn again."""
    chunks: int
    """"numpy-legacy": the list of objects is cut into so many, and chunk c has the seed ``seed + c``."""
    rotation: RotationRule | None
    """Where rotations are drawn on SO(3), and not by the factors of the three angles."""
    sequence: SequenceRule | None
    """How the views of an object follow one another."""

    @classmethod
    def from_toml(cls, text: str, where: str = "") -> "Recipe":
        """Read a recipe's text.

        Args:
            text: TOML.
            where: what error messages call it (a file name).

        Raises:
            RecipeError: its faults, by name.
        """
        return cls.from_dict(parse_toml(text, where), where)

    @classmethod
    def from_dict(cls, table: dict[str, Any], where: str = "") -> "Recipe":
        """Check a table of the shape of the TOML file. Raises RecipeError listing its faults."""
        check_extent(table, where or "(unnamed)")
        # Who reads data sets needs no pydantic, which takes as long to import as all else here.
        from turntable.datasets.recipes.checking import checked_fields

        return cls(**checked_fields(table, where or shown(str(table.get("name", "(unnamed)")))))

    def to_dict(self) -> dict[str, Any]:
        """The table this recipe can be read back from."""
        table: dict[str, Any] = {
            item.name: getattr(self, item.name) for item in fields(self) if item.name != "drawn"
        }
        # Left out where they say nothing: recipes from before they existed keep their digests.
        outputs, points = list(table.pop("outputs")), table.pop("points")
        table |= {"supersampling": samples} if (samples := table.pop("supersampling")) else {}
        table |= {"outputs": outputs} if outputs != ["rgb"] else {}
        table |= {"points": points} if points else {}
        splits, draws, chunks = list(table.pop("splits")), table.pop("draws"), table.pop("chunks")
        table |= {"splits": splits} if splits != list(SPLITS) else {}
        table |= {"draws": draws} if draws != "philox" else {}
        table |= {"chunks": chunks} if chunks != 1 else {}
        rules = {name: table.pop(name) for name in ("rotation", "sequence")}
        table |= {name: rule.to_dict() for name, rule in rules.items() if rule is not None}
        return {**table, "factors": {factor.name: _factor_dict(factor) for factor in self.drawn}}

    def to_toml(self) -> str:
        """The recipe as TOML; reading it back gives an equal recipe."""
        table = self.to_dict()
        tables = {f"factors.{name}": factor for name, factor in table.pop("factors").items()}
        tables = {name: table.pop(name) for name in ("rotation", "sequence") if name in table} | tables
        lines = [f"{name} = {_toml(value)}" for name, value in table.items()]
        for name, keys in tables.items():
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in keys.items())]
        return "\n".join(lines) + "\n"

    def replace(self, **changes: Any) -> "Recipe":
        """A copy with some keys changed, checked anew: ``recipe.replace(views=8, seed=3)``."""
        return Recipe.from_dict(
            {**self.to_dict(), **changes}, f"{self.name} (with {', '.join(changes)} changed)"
        )

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """All label columns in order: what is drawn, what a motion decides, and what follows from both."""
        return label_columns(self.drawn, self.rotation, self.sequence)

    @property
    def schema(self) -> LabelSchema:
        """The label columns."""
        return LabelSchema(self.factors)

    @cached_property
    def label_digest(self) -> str:
        """Hex sha256 of only what decides labels: seed, factors and the rules by which they are drawn."""
        factors = [_decisive(factor) for factor in self.drawn]
        return sha256_of({"draws": 1, "seed": self.seed, "factors": factors} | self._decisive_rules())

    def _decisive_rules(self) -> dict[str, Any]:
        """What else decides labels; nothing where it says nothing, so that digests stay what they were."""
        rules = {"rotation": self.rotation, "sequence": self.sequence}
        decisive: dict[str, Any] = {name: rule.to_dict() for name, rule in rules.items() if rule is not None}
        decisive |= {"stream": self.draws} if self.draws != "philox" else {}
        # In one stream, where an object's numbers begin depends on how many the objects before it took.
        places = {"views": self.views, "chunks": self.chunks}
        return decisive | (places if self.draws == "numpy-legacy" else {})

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of everything the recipe says."""
        return sha256_of(self.to_dict())


def shipped_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the package."""
    folder = resources.files("turntable.datasets.recipes")
    return tuple(sorted(Path(item.name).stem for item in folder.iterdir() if item.name.endswith(".toml")))


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Load a shipped recipe by name, or any by the path of its TOML file.

    Raises:
        InvalidInputError: no such recipe; the message lists the shipped ones.
        RecipeError: the file has faults.
    """
    if str(name_or_path) in shipped_recipes():
        item = resources.files("turntable.datasets.recipes") / f"{name_or_path}.toml"
        return Recipe.from_toml(item.read_text(encoding="utf-8"), f"{name_or_path}.toml")
    path = Path(name_or_path)
    if not _is_file(path):
        shipped = ", ".join(shipped_recipes())
        name = shown(repr(str(path)))
        raise InvalidInputError(f"no recipe {name}: give the path of a TOML file, or one of {shipped}")
    return Recipe.from_toml(read_text(path), str(path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _factor_dict(factor: Factor) -> dict[str, float]:
    if factor.distribution == "fixed":
        return {"value": factor.low}
    if factor.distribution == "two-sided":
        return {"inner": factor.inner, "outer": factor.high}
    return {"low": factor.low, "high": factor.high}


def _decisive(factor: Factor) -> list[str | float]:
    ends: list[str | float] = [factor.name, factor.distribution, factor.low, factor.high]
    return [*ends, factor.inner] if factor.distribution == "two-sided" else ends


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    # JSON's strings and numbers are TOML's, with one exception: TOML wants DEL escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
