"""The label columns of a recipe in words: unit, range, distribution and meaning of each."""

from dataclasses import dataclass

from turntable.datasets.labels import (
    BRANCH_NAME,
    ENVIRONMENT,
    POSE_INDEX,
    POSE_NAMES,
    ROTATION_NAMES,
    Distribution,
    Environment,
    Factor,
)
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


def describe_interventions(recipe: Recipe) -> dict[str, str]:
    """Return texts on a recipe's pose bank, environments and couplings, by key; without those not given."""
    texts = {
        "pose bank": f"{recipe.pose_bank} rotations that all objects share" if recipe.pose_bank else "",
        "environments": "; ".join(map(_format_environment, recipe.environment)),
        "couplings": "; ".join(map(str, recipe.coupling)),
    }
    return {name: text for name, text in texts.items() if text}


def _format_environment(environment: Environment) -> str:
    laws = [f"{factor.name} {_format_values(factor)}" for factor in environment.factors]
    laws += [f"slope of {name} {slope:g}" for name, slope in environment.slopes]
    return f"{environment.name} ({', '.join(laws) or 'as the recipe says'})"


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
    if factor.name in (POSE_INDEX, ENVIRONMENT):
        return "one for each view" if factor.name == POSE_INDEX else "one for each object"
    if factor.role == "derived":
        return "follows from the poses"
    if factor.role == "object":
        return "as the object is"
    moving = recipe.sequence is not None and recipe.sequence.is_moving
    if moving and factor.distribution == "joint" and factor.name in POSE_NAMES:
        assert recipe.sequence is not None
        return f"{recipe.sequence.motion} motion"
    if factor.name in ROTATION_NAMES and (recipe.rotation is not None or recipe.pose_bank):
        law = str(recipe.rotation or "uniform")
        return f"{law}, a bank of {recipe.pose_bank}" if recipe.pose_bank else law
    if rules := [str(item) for item in recipe.coupling if item.factor == factor.name]:
        return rules[0]
    return _LAWS[factor.distribution]


_LAWS: dict[Distribution, str] = {
    "uniform": "uniform",
    "two-sided": "uniform, either sign",
    "integer": "uniform over whole numbers",
    "joint": "differs by environment",
}
"""Texts of the laws of a column by itself; what else is drawn together with others is said above."""
