"""Warnings about a plan's splits: those that came out empty, and categories that training never sees."""

from collections.abc import Mapping

from turntable.datasets import Recipe
from turntable.datasets.objects import TRAIN, find_untrained_categories
from turntable.errors import format_text

MAX_NAMED_CATEGORIES = 5
"""Largest number of categories that a warning names."""


def find_split_warnings(
    recipe: Recipe, categories: Mapping[str, str], splits: Mapping[str, str], *, by_lists: bool
) -> tuple[str, ...]:
    """Return texts on splits of the recipe that are empty, and on categories that only val has.

    Args:
        recipe: Recipe of the data set.
        categories: Object id to category, of all objects.
        splits: Object id to split.
        by_lists: True if lists divide the objects, not the recipe's rule.
    """
    wanted = [name for name in recipe.splits if by_lists or recipe.val_fraction or name == TRAIN]
    empty = sorted(set(wanted) - set(splits.values()))
    warnings = [
        f"the split {name} is empty: none of the {len(categories):,} objects is in it; "
        f"{suggest_split_remedy(by_lists, 'larger')}"
        for name in empty
    ]
    untrained = find_untrained_categories(categories, splits) if TRAIN in wanted and not empty else ()
    if untrained:
        named = format_text(", ".join(untrained[:MAX_NAMED_CATEGORIES]))
        warnings.append(
            f"{len(untrained):,} of {len(set(categories.values())):,} categories have objects in val alone, "
            f"so no training sees them ({named}{', ...' if len(untrained) > MAX_NAMED_CATEGORIES else ''}); "
            f"{suggest_split_remedy(by_lists, 'smaller')}"
        )
    return tuple(warnings)


def suggest_split_remedy(by_lists: bool, change: str) -> str:
    """Return what to do about objects that are divided badly.

    Args:
        by_lists: True if lists divide the objects, not the recipe's rule.
        change: Change of the share that would help: "larger" or "smaller".
    """
    if by_lists:
        return "render more objects (--objects), or give other lists (--split)"
    return f"render more objects (--objects), or set a {change} val_fraction in the recipe"
