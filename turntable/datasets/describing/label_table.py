"""The label schema of a recipe in words: every column with its unit, range, distribution and meaning."""

from dataclasses import dataclass

from turntable.datasets.labels import POSE_NAMES, ROTATION_NAMES, Factor
from turntable.datasets.recipes import Recipe
from turntable.markdown import markdown_table


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """A description of one label column, in words."""

    column: str
    unit: str
    values: str
    """Its range, or its one value."""
    distribution: str
    meaning: str


def label_rows(recipe: Recipe) -> tuple[ColumnDescription, ...]:
    """Describe the columns of a recipe's labels, in order."""
    return tuple(
        ColumnDescription(item.name, item.unit, _values(item), _distribution(recipe, item), item.description)
        for item in recipe.factors
    )


def schema_text(recipe: Recipe) -> str:
    """The same as a table in Markdown."""
    return markdown_table(
        ("column", "unit", "values", "distribution", "meaning"),
        [
            (f"`{row.column}`", row.unit, row.values, row.distribution, row.meaning)
            for row in label_rows(recipe)
        ],
    )


def _values(factor: Factor) -> str:
    if factor.distribution == "fixed":
        return f"{factor.low:.5g}"
    if factor.distribution == "two-sided":
        return f"±[{factor.inner:.5g}, {factor.high:.5g}]"
    return f"[{factor.low:.5g}, {factor.high:.5g}]"


def _distribution(recipe: Recipe, factor: Factor) -> str:
    if factor.distribution == "fixed":
        return "fixed"
    how = _how(recipe, factor)
    return f"{how}, one for each sequence" if factor.per == "sequence" else how


def _how(recipe: Recipe, factor: Factor) -> str:
    if recipe.draws == "imported":
        return "imported with the pictures"
    if factor.role == "derived":
        return "follows from the poses"
    moving = recipe.sequence is not None and recipe.sequence.moving
    if moving and factor.distribution == "joint" and factor.name in POSE_NAMES:
        assert recipe.sequence is not None
        return f"{recipe.sequence.motion} motion"
    if recipe.rotation is not None and factor.name in ROTATION_NAMES:
        return str(recipe.rotation)
    return "uniform, either sign" if factor.distribution == "two-sided" else "uniform"
