"""The label columns of a recipe in words: unit, range, distribution and meaning of each."""

from dataclasses import dataclass

from turntable.datasets.labels import BRANCH_NAME, POSE_NAMES, ROTATION_NAMES, Factor
from turntable.datasets.recipes import Recipe
from turntable.markdown import format_markdown_table


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """A description of one label column, in words."""

    column: str
    unit: str
    values: str
    """The column's range, or its single value."""
    distribution: str
    meaning: str


def describe_columns(recipe: Recipe) -> tuple[ColumnDescription, ...]:
    """Describe the columns of a recipe's labels, in order."""
    return tuple(
        ColumnDescription(
            item.name, item.unit, _format_values(item), _format_distribution(recipe, item), item.description
        )
        for item in recipe.factors
    )


def format_label_table(recipe: Recipe) -> str:
    """Return the descriptions of a recipe's label columns as a Markdown table."""
    return format_markdown_table(
        ("column", "unit", "values", "distribution", "meaning"),
        [
            (f"`{row.column}`", row.unit, row.values, row.distribution, row.meaning)
            for row in describe_columns(recipe)
        ],
    )


def _format_values(factor: Factor) -> str:
    if factor.distribution == "fixed":
        return f"{factor.low:.5g}"
    if factor.distribution == "two-sided":
        if factor.inner == factor.high:
            return f"±{factor.high:.5g}"
        return f"±[{factor.inner:.5g}, {factor.high:.5g}]"
    return f"[{factor.low:.5g}, {factor.high:.5g}]"


def _format_distribution(recipe: Recipe, factor: Factor) -> str:
    if factor.distribution == "fixed":
        return "fixed"
    text = _format_draws(recipe, factor)
    return f"{text}, one for each sequence" if factor.per == "sequence" else text


def _format_draws(recipe: Recipe, factor: Factor) -> str:
    if recipe.draws == "imported":
        return "imported with the pictures"
    if factor.name == BRANCH_NAME:
        return "equal odds"
    if factor.role == "derived":
        return "follows from the poses"
    if factor.role == "object":
        return "as the object is"
    moving = recipe.sequence is not None and recipe.sequence.is_moving
    if moving and factor.distribution == "joint" and factor.name in POSE_NAMES:
        assert recipe.sequence is not None
        return f"{recipe.sequence.motion} motion"
    if recipe.rotation is not None and factor.name in ROTATION_NAMES:
        return str(recipe.rotation)
    return "uniform, either sign" if factor.distribution == "two-sided" else "uniform"
