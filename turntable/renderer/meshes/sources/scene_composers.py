"""The composition of scenes: which objects they have, in which sizes, and how their meshes are joined.

A recipe's table [scene] arranges objects by their diagonals, and [street] by their true lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from turntable.datasets import Recipe
from turntable.datasets.draws import (
    compute_composition_digest,
    compute_street_digest,
    draw_composition,
    draw_street_composition,
)
from turntable.datasets.labels import SceneRule, StreetRule
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.sources.scene_meshes import fit_mesh, join_scene
from turntable.renderer.meshes.sources.source import SourceObject
from turntable.renderer.meshes.sources.street_meshes import fit_street_mesh, join_street
from turntable.renderer.scene import FLOOR_Z

SceneMember = tuple[SourceObject, float]
"""An object of a scene, with its size."""


class SceneComposer(Protocol):
    """A composer of scenes, by one kind of table of a recipe."""

    @property
    def kind(self) -> str:
        """Category of the scenes, with which their ids begin, and name of the table."""
        ...

    @property
    def num_needed(self) -> int:
        """Least number of objects that the scenes of a split are composed of."""
        ...

    @property
    def digest(self) -> str:
        """Hex sha256 of what determines the compositions."""
        ...

    def select_usable(self, objects: Sequence[SourceObject], source: str) -> Sequence[SourceObject]:
        """Return the objects of a source that scenes can have.

        Raises:
            InvalidInputError: There are none.
        """
        ...

    def list_members(self, scene_id: str, pool: Sequence[SourceObject]) -> list[SceneMember]:
        """Return the objects of a scene, from those of its split."""
        ...

    def join(self, scene_id: str, members: Sequence[SceneMember], meshes: Sequence[Mesh]) -> Mesh:
        """Join the meshes of a scene's objects; at rest they stand in a row."""
        ...

    def describe_rest(self, scene_id: str) -> dict[str, Any]:
        """Return what a scene has besides its objects, as JSON values."""
        ...


def make_composer(recipe: Recipe) -> SceneComposer | None:
    """Return what composes the scenes of a recipe; None for a recipe without scenes."""
    if recipe.street is not None:
        return _StreetComposer(recipe, recipe.street)
    return None if recipe.scene is None else _ArrangementComposer(recipe, recipe.scene)


@dataclass(frozen=True, slots=True)
class _ArrangementComposer:
    """Scenes by a table [scene]; a size is the diagonal of an object's box."""

    recipe: Recipe
    rule: SceneRule

    @property
    def kind(self) -> str:
        return "scene"

    @property
    def num_needed(self) -> int:
        return self.rule.objects[1]

    @property
    def digest(self) -> str:
        return compute_composition_digest(self.recipe)

    def select_usable(self, objects: Sequence[SourceObject], source: str) -> Sequence[SourceObject]:
        del source
        return objects

    def list_members(self, scene_id: str, pool: Sequence[SourceObject]) -> list[SceneMember]:
        drawn = draw_composition(self.recipe, scene_id, len(pool))
        return [(pool[place], size) for place, size in zip(drawn.places, drawn.sizes, strict=True)]

    def join(self, scene_id: str, members: Sequence[SceneMember], meshes: Sequence[Mesh]) -> Mesh:
        fitted = [fit_mesh(mesh, size) for mesh, (_, size) in zip(meshes, members, strict=True)]
        return join_scene(fitted, [item for item, _ in members], self.rule.level, scene_id)

    def describe_rest(self, scene_id: str) -> dict[str, Any]:
        del scene_id
        return {}


@dataclass(frozen=True, slots=True)
class _StreetComposer:
    """Streets by a table [street]; a size is the length of an object in meters."""

    recipe: Recipe
    rule: StreetRule

    @property
    def kind(self) -> str:
        return "street"

    @property
    def num_needed(self) -> int:
        return 1

    @property
    def digest(self) -> str:
        return compute_street_digest(self.recipe)

    def select_usable(self, objects: Sequence[SourceObject], source: str) -> Sequence[SourceObject]:
        usable = [item for item in objects if item.category in self.rule.categories]
        if not usable:
            raise InvalidInputError(
                f"{source} has no objects of the categories {', '.join(self.rule.categories)}; in [street] "
                "of the recipe, give lengths_m of its categories, or take more objects"
            )
        return usable

    def list_members(self, scene_id: str, pool: Sequence[SourceObject]) -> list[SceneMember]:
        drawn, usual = draw_street_composition(self.recipe, scene_id, len(pool)), dict(self.rule.lengths_m)
        chosen = [pool[place] for place in drawn.places]
        return [
            (item, scale * usual[item.category]) for item, scale in zip(chosen, drawn.scales, strict=True)
        ]

    def join(self, scene_id: str, members: Sequence[SceneMember], meshes: Sequence[Mesh]) -> Mesh:
        scale = self.recipe.meters_per_unit
        fitted = [
            fit_street_mesh(mesh, length / scale, self.rule.front)
            for mesh, (_, length) in zip(meshes, members, strict=True)
        ]
        composition = draw_street_composition(self.recipe, scene_id, 1)
        return join_street(fitted, [item for item, _ in members], composition, scale, FLOOR_Z, scene_id)

    def describe_rest(self, scene_id: str) -> dict[str, Any]:
        drawn = draw_street_composition(self.recipe, scene_id, 1)
        return {
            "walls": [list(size) for size in drawn.walls],
            "poles": [list(size) for size in drawn.poles],
            "scale": [self.rule.front, self.recipe.meters_per_unit],
        }
