"""A source of scenes: each is composed of objects of another source, as a recipe's [scene] or [street] says.

Train and val share no object: the objects are divided by the recipe's rule, and a scene is composed of
objects of its own split.
"""

import math
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from turntable.datasets import Recipe
from turntable.datasets.files import compute_json_sha256
from turntable.datasets.objects import SPLITS, TRAIN, VAL, split_objects
from turntable.errors import InvalidInputError, MeshError, format_text
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.duplicates import find_duplicates
from turntable.renderer.meshes.sources.scene_composers import SceneComposer, SceneMember, make_composer
from turntable.renderer.meshes.sources.scene_meshes import as_one_piece
from turntable.renderer.meshes.sources.selection import select_objects
from turntable.renderer.meshes.sources.source import MeshSource, SourceObject, read_mesh

SCENE_COUNTS = ("scenes", "base_objects")
"""Numbers of scenes and of the objects that they are composed of, among a manifest's facts about meshes."""
DEFAULT_SCENES = 320
"""Number of scenes if none is given."""
MAX_REMEMBERED = 64
"""Scenes whose digests are remembered between loading a scene and asking for its digest."""
_NUMBER = re.compile(r"\d{6,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SceneSource:
    """Scenes of several objects. Ids are like ``scene/000007`` or ``street/000007``.

    A scene's first parts are its objects, in order.
    """

    base: MeshSource
    """Source of the objects."""
    recipe: Recipe
    """Recipe with a table [scene] or [street]. What decides the labels alone plays no role here."""
    num_scenes: int = DEFAULT_SCENES
    """Number of scenes. The first scenes of a larger number are the same."""
    num_base_objects: int | None = None
    """Largest number of objects to compose scenes of, taken in turn from every category; all if None."""
    _pools: dict[str, tuple[SourceObject, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Objects of each split, sorted by id, once the base was listed. They are sent to other processes."""
    _digests: "OrderedDict[str, list[str]]" = field(
        default_factory=OrderedDict, init=False, repr=False, compare=False
    )
    """Digests of the objects of the scenes that were loaded last."""

    @property
    def name(self) -> str:
        """Name of the source of the objects."""
        return self.base.name

    @property
    def license(self) -> str:
        """License of the objects as a whole."""
        return self.base.license

    def list_objects(self) -> tuple[SourceObject, ...]:
        """Return the scenes.

        Raises:
            InvalidInputError: There are no scenes, or a split has too few objects for its scenes.
        """
        if self.num_scenes < 1:
            raise InvalidInputError(f"--objects {self.num_scenes}: there must be at least one scene")
        kind = self._composer.kind
        scenes = tuple(SourceObject(f"{kind}/{number:06d}", kind) for number in range(self.num_scenes))
        used = {self.get_split(item.id) for item in scenes}
        for split in (name for name in SPLITS if name in used and name in self.recipe.splits):
            self._get_pool(split)
        return scenes

    def get_split(self, object_id: str) -> str:
        """Return the split of a scene: of every first N scenes, a share is in val, beginning with the second.

        The number of scenes does not matter, so a longer run extends a shorter one.
        """
        number = self._read_number(object_id)
        before, held_out = (
            _count_held_out(count, self.recipe.val_fraction) for count in (number, number + 1)
        )
        return VAL if held_out > before else TRAIN

    def load(self, object_id: str) -> Mesh:
        """Load the objects of a scene and join them; at rest they stand in a row.

        Raises:
            MeshError: The mesh of an object cannot be used; the message names it.
        """
        members = self.list_members(object_id)
        meshes = [self._load_member(object_id, item) for item, _ in members]
        self._remember(object_id, meshes, [item.id for item, _ in members])
        return self._composer.join(object_id, members, meshes)

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:  # noqa: ARG002
        """Return the SHA-256 (hex) of the scene's objects, their sizes and digests."""
        if object_id not in self._digests:
            self.load(object_id)
        members = self.list_members(object_id)
        rows = [
            [item.id, size, digest]
            for (item, size), digest in zip(members, self._digests[object_id], strict=True)
        ]
        return compute_json_sha256({self._composer.kind: rows} | self._composer.describe_rest(object_id))

    def get_license(self, object_id: str) -> str:
        """Return the licenses of the scene's objects, each once."""
        licenses = {self.base.get_license(item.id) for item, _ in self.list_members(object_id)}
        return "; ".join(sorted(filter(None, licenses)))

    def find_mesh_file(self, object_id: str) -> Path | None:  # noqa: ARG002
        """Return None, because a scene has no file of its own."""
        return None

    def describe(self) -> dict[str, Any]:
        """Return the facts about the objects' source, and what the scenes were composed of."""
        pools = self._get_pools()
        ids = {split: [item.id for item in pool] for split, pool in pools.items()}
        counts = dict(zip(SCENE_COUNTS, (self.num_scenes, sum(map(len, ids.values()))), strict=True))
        return {**self.base.describe(), **counts, "base_digest": compute_json_sha256(ids)}

    def list_members(self, scene_id: str) -> list[SceneMember]:
        """Return the objects of a scene with their sizes: diagonals, or on a street lengths in meters."""
        return self._composer.list_members(scene_id, self._get_pool(self.get_split(scene_id)))

    @property
    def _composer(self) -> SceneComposer:
        composer = make_composer(self.recipe)
        assert composer is not None
        return composer

    def _get_pool(self, split: str) -> tuple[SourceObject, ...]:
        """Return the objects of which the scenes of a split are composed.

        Raises:
            InvalidInputError: They are fewer than a scene may need.
        """
        pool, num_needed = self._get_pools()[split], self._composer.num_needed
        if len(pool) < num_needed:
            raise InvalidInputError(
                f"only {len(pool)} objects of {self.name} are in the split {split}, and a scene of it has up "
                f"to {num_needed}; take more (--base-objects), set another val_fraction, or fewer objects in "
                f"[{self._composer.kind}] of the recipe"
            )
        return pool

    def _get_pools(self) -> Mapping[str, tuple[SourceObject, ...]]:
        if not self._pools:
            usable = self._composer.select_usable(self.base.list_objects(), self.base.name)
            objects = select_objects(usable, self.num_base_objects, "--base-objects")
            split_of = split_objects(
                {item.id: item.category for item in objects},
                self.recipe.val_fraction,
                self.recipe.split_seed,
                find_duplicates(self.base, objects),
            )
            pools = {name: [item for item in objects if split_of[item.id] == name] for name in SPLITS}
            self._pools.update({name: tuple(pool) for name, pool in pools.items()})
        return self._pools

    def _read_number(self, scene_id: str) -> int:
        kind, _, number = scene_id.partition("/")
        if kind != self._composer.kind or _NUMBER.fullmatch(number) is None:
            raise InvalidInputError(
                f"{format_text(repr(scene_id))} is not a {self._composer.kind}; ids are like "
                f"{self._composer.kind}/000007"
            )
        return int(number)

    def _load_member(self, scene_id: str, item: SourceObject) -> Mesh:
        """Load an object of a scene; the parts that it may have itself stay at rest.

        Raises:
            MeshError: Its mesh cannot be used.
        """
        try:
            return as_one_piece(read_mesh(self.base, item.id))
        except MeshError as error:
            raise MeshError(
                f"{scene_id}: its object {format_text(item.id)} cannot be used: {error}", error.reason
            ) from error

    def _remember(self, scene_id: str, meshes: Sequence[Mesh], ids: Sequence[str]) -> None:
        self._digests[scene_id] = [
            self.base.compute_digest(name, mesh) for name, mesh in zip(ids, meshes, strict=True)
        ]
        while len(self._digests) > MAX_REMEMBERED:
            self._digests.popitem(last=False)


def _count_held_out(num_scenes: int, share: float) -> int:
    """Return how many of the first scenes are in val: of two or more at least one, and never all."""
    return math.ceil(round(max(num_scenes - 1, 0) * share, 9))  # rounded: 15 * 0.2 is a little above 3
