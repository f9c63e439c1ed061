"""The plan of a run as it lies on disk, for a resumed run and for the merge of shares."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from turntable.datasets import Recipe
from turntable.datasets.objects import SPLIT_RULE_TEXTS, SplitRule


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as read from ``plan.json``: what finishing a run needs of it."""

    recipe: Recipe
    source: Mapping[str, Any]
    split: Mapping[str, Any]
    shard_names: tuple[tuple[str, str], ...]
    """The split and name of each shard."""

    @classmethod
    def from_text(cls, text: str) -> "StoredPlan":
        """Read the text of ``plan.json``."""
        table = cast("dict[str, Any]", json.loads(text))
        rule = _find_rule(table["split"]["rule"]) or "overall"
        recipe = Recipe.from_dict({**table["recipe"], "split_rule": rule}, "in plan.json")
        names = tuple((item["split"], item["name"]) for item in table["shards"])
        return cls(recipe, table["source"], table["split"], names)


def find_planned_rule(text: str) -> SplitRule | None:
    """Return the rule by which a plan, given as text, divides its objects; None if lists divide them."""
    try:
        return _find_rule(json.loads(text)["split"]["rule"])
    except (ValueError, KeyError, TypeError):
        return None


def _find_rule(stated: object) -> SplitRule | None:
    return next((rule for rule, words in SPLIT_RULE_TEXTS.items() if words == stated), None)
