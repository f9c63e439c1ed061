"""Recipes: everything that determines a data set except the meshes, as frozen values read from TOML."""

import json
from dataclasses import dataclass, fields
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from turntable.choices import ChannelOrder, QualityName, SourceName
from turntable.datasets.files import JpegSubsampling, compute_json_sha256
from turntable.datasets.labels import (
    HANDEDNESS,
    ROTATION_NAMES,
    VIEW_ARRAYS,
    Coupling,
    Draws,
    DynamicsRule,
    Environment,
    Factor,
    GraphRule,
    JointRule,
    LabelSchema,
    MoleculeRule,
    OutputName,
    RotationRule,
    ScanRule,
    SceneRule,
    SequenceRule,
    StreetRule,
    TrackRule,
    build_index_columns,
    build_label_columns,
    join_laws,
)
from turntable.datasets.objects import SPLITS, SplitRule
from turntable.datasets.recipes.toml_text import check_extent, parse_toml, read_recipe_text
from turntable.errors import InvalidInputError, format_text
from turntable.home import expand_home

_RULES = ("rotation", "sequence", "scene", "joints", "dynamics", "street")
"""Tables of a recipe that determine labels besides [factors]; a recipe without one leaves it out."""
_TABLES = (*_RULES, "scan", "tracks", "graph")
"""All of its tables that it leaves out if it has none, besides those that come several times."""


@dataclass(frozen=True)  # no slots: the digests are cached
class Recipe:
    """Everything that determines a rendered data set except the meshes.

    Use ``load_recipe`` or ``Recipe.from_toml`` to make one. They fill in the defaults of missing keys.
    """

    name: str
    source: SourceName
    views: int
    """Number of views of each object."""
    image_size_px: int
    """Width and height of the images in pixels."""
    drawn_factors: tuple[Factor, ...]
    """The factors of the tables [factors.<name>], in the standard order."""
    description: str
    seed: int
    quality: QualityName
    supersampling: int | None
    """Number of samples per pixel along each axis; None for the number of the quality."""
    jpeg_quality: int
    jpeg_subsampling: JpegSubsampling
    channel_order: ChannelOrder
    """Order of the channels in the files. "bgr" exchanges red and blue, as the published 3DIEBench does."""
    outputs: tuple[OutputName, ...]
    """The outputs stored of each view, in the standard order."""
    points: int
    """Number of points of each object's point cloud; 0 for none."""
    mirrored: bool
    """True for a mirrored twin of every object, with the same labels but its ``handedness``."""
    parts: bool
    """True for assemblies of what the animations and skins of glTF files move."""
    objects_per_shard: int
    val_fraction: float
    """Share of the objects that are held out."""
    split_rule: SplitRule
    """Rule by which objects are held out: "overall", or "each-category" of earlier versions."""
    split_seed: int
    """Seed of the split, and of the order of objects over shards."""
    splits: tuple[str, ...]
    """The splits that are rendered."""
    draws: Draws
    """Origin of the labels: "philox", a counter for every view; "numpy-legacy", the stream of the published
    generators; or "imported" with the pictures, so that they cannot be drawn again."""
    chunks: int
    """Number of chunks of the list of objects, for "numpy-legacy". Chunk c has the seed ``seed + c``."""
    rotation: RotationRule | None
    """The rule for rotations on SO(3); None if the three angles are factors."""
    sequence: SequenceRule | None
    """The rule for sequences of views; None if the views are independent."""
    joints: JointRule | None
    """The rule that draws the joints of articulated objects; None for the whole range of each."""
    scene: SceneRule | None
    """The rule that composes objects into scenes; None if every object is shown by itself."""
    dynamics: DynamicsRule | None
    """The law by which parts move over a sequence; None if none moves them."""
    pose_bank: int = 0
    """Number of rotations of the list from which all objects draw those of their views; 0 if each view draws
    its own."""
    environment: tuple[Environment, ...] = ()
    """The environments, each of which holds some of the objects; empty for none."""
    coupling: tuple[Coupling, ...] = ()
    """The factors that follow others, each after the one that it depends on."""
    meters_per_unit: float = 0.0
    """Meters of a unit of the world, for what has a true size; 0 if the recipe does not say."""
    street: StreetRule | None = None
    """The rule that composes objects into streets; None for no street."""
    scan: ScanRule | None = None
    """The scanner of every view; None for none. It does not determine labels."""
    tracks: TrackRule | None = None
    """The rule of the tracks of points or particles; None if there are no tracks."""
    graph: GraphRule | None = None
    """The rule for the graph of each object's surface; None for no graphs."""
    molecules: MoleculeRule | None = None
    """The rule that chooses molecules, for the source of that name; None for the defaults of the rule."""

    @classmethod
    def from_toml(cls, text: str, display_name: str = "") -> "Recipe":
        """Parse the text of a recipe.

        Args:
            text: TOML.
            display_name: Name of the recipe in error messages (a file name).

        Raises:
            RecipeError: The recipe has faults. The message lists them by key.
        """
        return cls.from_dict(parse_toml(text, display_name), display_name)

    @classmethod
    def from_dict(cls, table: dict[str, Any], display_name: str = "") -> "Recipe":
        """Check a table of the form of the TOML file, and make its recipe.

        Args:
            table: Keys and values as in TOML.
            display_name: Name of the recipe in error messages.

        Raises:
            RecipeError: The table has faults. The message lists them by key.
        """
        check_extent(table, display_name or "(unnamed)")
        # Imported here because readers of data sets do not need pydantic, which is slow to import.
        from turntable.datasets.recipes.checking import parse_recipe_table

        return cls(
            **parse_recipe_table(table, display_name or format_text(str(table.get("name", "(unnamed)"))))
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the table from which this recipe can be read back."""
        table: dict[str, Any] = {
            item.name: getattr(self, item.name) for item in fields(self) if item.name != "drawn_factors"
        }
        # Keys with their default are left out, so that recipes older than a key keep their digests.
        outputs, points = list(table.pop("outputs")), table.pop("points")
        table |= {"supersampling": samples} if (samples := table.pop("supersampling")) else {}
        table |= {"outputs": outputs} if outputs != ["rgb"] else {}
        table |= {"points": points} if points else {}
        table |= {"mirrored": True} if table.pop("mirrored") else {}
        table |= {"parts": True} if table.pop("parts") else {}
        splits, draws, chunks = list(table.pop("splits")), table.pop("draws"), table.pop("chunks")
        table |= {"splits": splits} if splits != list(SPLITS) else {}
        rule = table.pop("split_rule")
        table |= {"split_rule": rule} if rule != "overall" else {}
        table |= {"draws": draws} if draws != "philox" else {}
        table |= {"chunks": chunks} if chunks != 1 else {}
        rules = {name: table.pop(name) for name in _TABLES}
        table |= {name: rule.to_dict() for name, rule in rules.items() if rule is not None}
        molecules = table.pop("molecules")
        table |= {"molecules": molecules.to_dict()} if molecules is not None else {}
        for name in ("pose_bank", "environment", "coupling", "meters_per_unit"):
            table.pop(name)
        table |= self._interventions_to_dict() | self._scale_to_dict()
        return {**table, "factors": {factor.name: _factor_to_dict(factor) for factor in self.drawn_factors}}

    def to_plain_dict(self) -> dict[str, Any]:
        """Return the table without the rule of splits, as the digest and the plans of runs have it.

        The rule decides only the split of each object, which plans and fingerprints have anyway. Without it,
        both are as earlier versions, which had one rule, wrote them.
        """
        return {key: value for key, value in self.to_dict().items() if key != "split_rule"}

    def to_toml(self) -> str:
        """Return the recipe as TOML. Reading it back gives an equal recipe."""
        table = self.to_dict()
        tables = {f"factors.{name}": factor for name, factor in table.pop("factors").items()}
        tables = {name: table.pop(name) for name in (*_TABLES, "molecules") if name in table} | tables
        arrays = {name: table.pop(name) for name in ("environment", "coupling") if name in table}
        lines = [f"{name} = {_format_toml(value)}" for name, value in table.items()]
        for name, keys in tables.items():
            lines += _format_toml_table(f"[{name}]", keys)
        for name, items in arrays.items():
            lines += [line for item in items for line in _format_toml_table(f"[[{name}]]", item)]
        return "\n".join(lines) + "\n"

    def replace(self, **changes: Any) -> "Recipe":
        """Return a copy with some keys changed, and check it: ``recipe.replace(views=8, seed=3)``.

        Raises:
            RecipeError: The changed recipe has faults.
        """
        return Recipe.from_dict(
            {**self.to_dict(), **changes}, f"{self.name} (with {', '.join(changes)} changed)"
        )

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The label columns in order: those drawn, those a motion determines, and those derived from them.

        The last one tells mirrored twins from their objects, if there are any.
        """
        return (*self.object_schema.factors, *((HANDEDNESS,) if self.mirrored else ()))

    @cached_property
    def object_schema(self) -> LabelSchema:
        """The label columns that are equal for an object and its mirrored twin."""
        # A fixed angle stays one number; the others are drawn together, as rotations of the bank.
        angles = ROTATION_NAMES if self.pose_bank else ()
        joint = (*angles, *(item.factor for item in self.coupling))
        laws = join_laws(self.drawn_factors, self.environment, joint)
        columns = build_label_columns(laws, self.rotation, self.sequence, self.dynamics)
        return LabelSchema(columns + build_index_columns(self.pose_bank, len(self.environment)))

    @property
    def has_pictures(self) -> bool:
        """True if views have pictures."""
        return "rgb" in self.outputs

    @property
    def drawn_outputs(self) -> tuple[OutputName, ...]:
        """The outputs that a backend draws: pictures and other images."""
        return tuple(name for name in self.outputs if name not in VIEW_ARRAYS)

    @property
    def schema(self) -> LabelSchema:
        """The label columns as a schema."""
        return LabelSchema(self.factors)

    @cached_property
    def label_digest(self) -> str:
        """Hex sha256 of everything that determines labels: the seed, the factors and the rules of drawing.

        Twins take no part, so objects have the same labels with and without them.
        """
        factors = [_factor_to_list(factor) for factor in self.drawn_factors]
        return compute_json_sha256(
            {"draws": 1, "seed": self.seed, "factors": factors} | self._label_rules_to_dict()
        )

    def _label_rules_to_dict(self) -> dict[str, Any]:
        """Return the rules that determine the labels besides the factors.

        Rules with their default value are left out, so that recipes older than a rule keep their digests.
        """
        rules = {name: getattr(self, name) for name in _RULES}
        decisive: dict[str, Any] = {name: rule.to_dict() for name, rule in rules.items() if rule is not None}
        decisive |= {"stream": self.draws} if self.draws != "philox" else {}
        # In a single stream an object's position depends on how many numbers the objects before it took.
        layout = {"views": self.views, "chunks": self.chunks}
        decisive |= self._interventions_to_dict() | self._scale_to_dict()
        return decisive | (layout if self.draws == "numpy-legacy" else {})

    def _interventions_to_dict(self) -> dict[str, Any]:
        """Return the keys of the pose bank, the environments and the couplings, without those not given."""
        keys = {
            "pose_bank": self.pose_bank,
            "environment": [_environment_to_dict(item) for item in self.environment],
            "coupling": [item.to_dict() for item in self.coupling],
        }
        return {name: value for name, value in keys.items() if value}

    def _scale_to_dict(self) -> dict[str, Any]:
        return {"meters_per_unit": self.meters_per_unit} if self.meters_per_unit else {}

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of the whole recipe except its rule of splits."""
        return compute_json_sha256(self.to_plain_dict())


def list_shipped_recipes() -> tuple[str, ...]:
    """Return the names of the recipes that come with the package."""
    folder = resources.files("turntable.datasets.recipes")
    return tuple(sorted(Path(item.name).stem for item in folder.iterdir() if item.name.endswith(".toml")))


def read_shipped_recipe(name: str) -> str:
    """Return the text of a shipped recipe's file, with its comments: to print it, or to copy and change it.

    Args:
        name: One of ``list_shipped_recipes``.
    """
    return (resources.files("turntable.datasets.recipes") / f"{name}.toml").read_text(encoding="utf-8")


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Load a shipped recipe by its name, or any other by the path of its TOML file.

    Raises:
        InvalidInputError: There is no such recipe. The message lists the shipped ones.
        RecipeError: The file has faults.
    """
    if str(name_or_path) in list_shipped_recipes():
        return Recipe.from_toml(read_shipped_recipe(str(name_or_path)), f"{name_or_path}.toml")
    path = expand_home(name_or_path)
    if not _is_file(path):
        shipped = ", ".join(list_shipped_recipes())
        name = format_text(repr(str(path)))
        raise InvalidInputError(
            f"there is no recipe {name}: give the path of a TOML file, or one of {shipped} (turntable "
            "inspect describes them)"
        )
    return Recipe.from_toml(read_recipe_text(path), str(path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _environment_to_dict(environment: Environment) -> dict[str, Any]:
    factors = {factor.name: _factor_to_dict(factor) for factor in environment.factors}
    table = {"name": environment.name, "factors": factors, "slopes": dict(environment.slopes)}
    return {key: value for key, value in table.items() if value}


def _factor_to_dict(factor: Factor) -> dict[str, float]:
    if factor.distribution == "fixed":
        return {"value": factor.low}
    if factor.distribution == "two-sided":
        return {"inner": factor.inner, "outer": factor.high}
    span = {"low": factor.low, "high": factor.high}
    return span | ({"integer": True} if factor.distribution == "integer" else {})


def _factor_to_list(factor: Factor) -> list[str | float]:
    values: list[str | float] = [factor.name, factor.distribution, factor.low, factor.high]
    return [*values, factor.inner] if factor.distribution == "two-sided" else values


def _format_toml_table(head: str, keys: dict[str, Any]) -> list[str]:
    return ["", head, *(f"{key} = {_format_toml(value)}" for key, value in keys.items())]


def _format_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_format_toml(item)}" for key, item in value.items()) + " }"
    # JSON's strings and numbers are valid TOML, except that TOML requires DEL to be escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
