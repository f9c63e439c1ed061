"""The rules by which objects are divided into train and val at random.

Every rule depends on the ids and the seed, not on the order of the objects, and keeps equal meshes together.
"""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from turntable.datasets.objects.records import TRAIN, VAL, SplitName, compute_sort_key

SplitRule = Literal["overall", "each-category"]
"""Rule of a division: "overall" holds out a share of all objects; "each-category", of earlier versions,
rounds the share in every category by itself."""
SPLIT_RULE_TEXTS: dict[SplitRule, str] = {
    "overall": "by object, a share of all, equal meshes on one side",
    "each-category": "by object, equal meshes on one side",
}
"""The rules as plans and manifests name them. The texts are stored, so they must not change."""
LISTS_TEXT = "by lists of objects"
"""The text of manifests whose splits were read from lists."""
SCENES_TEXT = "by scene, a share of all; no object is in scenes of both splits, equal meshes on one side"
"""The text of manifests of scenes."""


SCAFFOLDS_TEXT = "by Murcko scaffold, each in one split by its hash; molecules without rings by their SMILES"
"""The text of manifests of molecules."""


def assign_group(group: str, val_fraction: float, split_seed: int) -> SplitName:
    """Return the split of all objects of a group, by a hash of its name and the seed.

    Whatever else is in the data set, a group is in the same split, so a larger set extends a smaller one.
    About a share ``val_fraction`` of the groups are in val, and of the objects if no group is large.

    Args:
        group: Name of the group, such as the SMILES of a scaffold.
        val_fraction: Share of groups held out, in [0, 1).
        split_seed: Seed of the choice.
    """
    number = int.from_bytes(compute_sort_key("group", split_seed, group)[:8], "big")
    return VAL if number < val_fraction * 2.0**64 else TRAIN


def split_objects(
    categories: Mapping[str, str],
    val_fraction: float,
    split_seed: int,
    duplicate_groups: Iterable[Sequence[str]] = (),
    rule: SplitRule = "overall",
) -> dict[str, str]:
    """Divide objects into train and val. Objects of one mesh stay together.

    With the rule "overall", ``val_fraction`` of all objects are held out, rounded to a whole number: at least
    one if the fraction is positive, and never all. The categories share this number in proportion to their
    sizes, by largest remainder. Each keeps an object in train as long as the number can be reached so; if
    not, the smallest categories are held out whole. Equal meshes can make the number smaller.

    With the rule "each-category", the share is rounded in each category, with at least one object in each
    split if it has two or more. A category's only object is in train.

    Args:
        categories: Object id to category.
        val_fraction: Share of objects held out, in [0, 1).
        split_seed: Seed of the choice.
        duplicate_groups: Groups of ids that are the same mesh. Ids that are not among the objects are
            ignored.
        rule: Rule of the division.

    Returns:
        Object id to "train" or "val", in the order given.
    """
    groups = _rank_groups(categories, split_seed, duplicate_groups)
    if rule == "each-category":
        held_out = _hold_out_each_category(categories, groups, val_fraction)
    else:
        held_out = _OverallDivision(categories, groups, val_fraction, split_seed).hold_out()
    return {object_id: VAL if object_id in held_out else TRAIN for object_id in categories}


def find_untrained_categories(categories: Mapping[str, str], split: Mapping[str, str]) -> tuple[str, ...]:
    """Return the sorted names of the categories that have objects in val and none in train.

    Args:
        categories: Object id to category.
        split: Object id to split.
    """
    trained = {categories[item] for item, name in split.items() if name == TRAIN}
    held_out = {categories[item] for item, name in split.items() if name == VAL}
    return tuple(sorted(held_out - trained))


_Group = tuple[str, ...]
"""Objects that are one mesh, sorted by id; one object alone, as a rule."""


def _rank_groups(
    categories: Mapping[str, str], split_seed: int, duplicate_groups: Iterable[Sequence[str]]
) -> dict[str, list[_Group]]:
    """Return the groups of each category in the order in which they are held out."""
    groups = [tuple(sorted(set(group).intersection(categories))) for group in duplicate_groups]
    group_by_id = {object_id: group for group in groups for object_id in group}
    members: defaultdict[str, set[_Group]] = defaultdict(set)
    for object_id, category in categories.items():
        members[category].add(group_by_id.get(object_id, (object_id,)))

    def rank(group: _Group) -> tuple[bytes, str]:
        # The first id alone decides a group's rank, so that larger groups are not held out more often.
        return compute_sort_key("split", split_seed, group[0]), group[0]

    return {category: sorted(members[category], key=rank) for category in sorted(members)}


def _hold_out_each_category(
    categories: Mapping[str, str], groups: Mapping[str, Sequence[_Group]], fraction: float
) -> set[str]:
    """Return the ids held out by the rule "each-category"."""
    held_out: set[str] = set()
    decided: set[_Group] = set()
    for category, ranked in groups.items():
        sizes = {group: sum(categories[item] == category for item in group) for group in ranked}
        # A group may span categories, so some of its objects may be in a split already.
        num_held = sum(size for group, size in sizes.items() if group[0] in held_out)
        num_left = _round_share(sum(sizes.values()), fraction) - num_held
        for group in ranked:
            if group not in decided and sizes[group] <= num_left:
                num_left -= sizes[group]
                held_out.update(group)
            decided.add(group)
    return held_out


def _round_share(count: int, fraction: float) -> int:
    """Return a share of a number of objects, at least one of which is in each split if there are two."""
    if count < 2 or fraction == 0:
        return 0
    return min(max(math.floor(fraction * count + 0.5), 1), count - 1)


@dataclass(slots=True)
class _OverallDivision:
    """A division by the rule "overall", in progress."""

    categories: Mapping[str, str]
    groups: Mapping[str, Sequence[_Group]]
    fraction: float
    seed: int
    held_out: set[str] = field(default_factory=set)
    sizes: Counter[str] = field(init=False)
    """Number of objects of each category."""
    num_held: Counter[str] = field(init=False)
    """Number of objects of each category that are held out so far."""

    def __post_init__(self) -> None:
        self.sizes, self.num_held = Counter(self.categories.values()), Counter()

    def hold_out(self) -> set[str]:
        """Return the ids that are held out."""
        total = _round_share(len(self.categories), self.fraction)
        self._fill_in_proportion(total)
        # Where every category keeps an object in train, at most this many can be held out.
        most_kept = len(self.categories) - len(self.sizes)
        if total > most_kept:
            self._fill_whole_categories(total)
        if total and not self.held_out:
            self._hold_out_smallest_group()
        return self.held_out

    def _fill_in_proportion(self, total: int) -> None:
        """Hold out objects, each of the category that lacks most, while all keep an object in train.

        This gives the numbers of the largest-remainder method, since the shares add up to the total within
        one half.
        """
        queue = [(-self._compute_lack(name), self._rank_category(name), name) for name in self.sizes]
        heapq.heapify(queue)
        waiting = {name: iter(groups) for name, groups in self.groups.items()}
        while queue and len(self.held_out) < total:
            lack, rank, name = heapq.heappop(queue)
            current = -self._compute_lack(name)
            # A group that spans categories may have changed the lack of one that waits.
            if current == lack and not self._take_next(waiting[name], total):
                continue
            heapq.heappush(queue, (-self._compute_lack(name), rank, name))

    def _take_next(self, waiting: Iterable[_Group], total: int) -> bool:
        """Hold out the next group that fits; return False if none does."""
        for group in waiting:
            counts = Counter(self.categories[item] for item in group)
            keeps = all(self.sizes[name] - self.num_held[name] > count for name, count in counts.items())
            if keeps and self._has_room(group, total):
                self._take(group)
                return True
        return False

    def _fill_whole_categories(self, total: int) -> None:
        for name in sorted(self.sizes, key=lambda name: (self.sizes[name], self._rank_category(name))):
            for group in self.groups[name]:
                if self._has_room(group, total):
                    self._take(group)

    def _hold_out_smallest_group(self) -> None:
        """Hold out the smallest group where every group is larger than the share; of one group none."""
        distinct = dict.fromkeys(group for groups in self.groups.values() for group in groups)
        if len(distinct) > 1:
            self._take(
                min(distinct, key=lambda group: (len(group), compute_sort_key("split", self.seed, group[0])))
            )

    def _has_room(self, group: _Group, total: int) -> bool:
        return group[0] not in self.held_out and len(self.held_out) + len(group) <= total

    def _take(self, group: _Group) -> None:
        self.held_out.update(group)
        self.num_held.update(self.categories[item] for item in group)

    def _compute_lack(self, name: str) -> float:
        return self.fraction * self.sizes[name] - self.num_held[name]

    def _rank_category(self, name: str) -> bytes:
        return compute_sort_key("split category", self.seed, name)
