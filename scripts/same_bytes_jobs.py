"""Small data sets that two checkouts are to make alike: for ``scripts/same-bytes``."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RECIPES = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "recipes"
ALL_OUTPUTS = "rgb,mask,depth,normals,coordinates"
SHARED = "shared"
"""A folder beside those of the checkouts, for lists of objects."""

Recipes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Size:
    """Objects of each set, and the backend that draws them."""

    objects: int
    backend: str

    def render(self, what: str, recipe: Mapping[str, Any], *more: object, out: str) -> tuple[str, ...]:
        """Return the arguments of ``turntable`` for a small set: a few views, or one sequence."""
        views = recipe.get("sequence", {}).get("length", 3)
        size = ("--objects", self.objects, "--views", views, "--image-size", 48, "--workers", 1)
        device = ("--device", "software") if self.backend == "moderngl" else ()
        drawn = ("--backend", self.backend, *device)
        return tuple(map(str, ("render", what, *size, *drawn, *more, "--out", out)))


@dataclass(frozen=True, slots=True)
class Job:
    """A data set: what it is called, and the commands that make it in the folder of that name."""

    name: str
    commands: tuple[tuple[str, ...], ...]


def shipped_recipes(package: Path) -> dict[str, dict[str, Any]]:
    """Return the recipes of a package by name."""
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.toml"))]
    return {table["name"]: table for table in tables if "name" in table and "factors" in table}


def zoo_jobs(recipes: Recipes, size: Size) -> list[Job]:
    """Yield jobs for procedural objects: every shipped recipe, all outputs, and imported from folders."""
    made = []
    for name, recipe in recipes.items():
        more = ["--source", "zoo"]
        if _needs_lists(recipe):
            more += ["--object-lists", f"../{SHARED}/objects.txt"]
        if _holds_out(recipe):
            more += ["--split", f"../{SHARED}/val_images.npy"]
        made.append(Job(name, (size.render(name, recipe, *more, out=name),)))
    if "zoo" in recipes:
        zoo = recipes["zoo"]
        more = ["--outputs", ALL_OUTPUTS, "--points", "64", "--quality", "high"]
        made.append(Job("zoo-outputs", (size.render("zoo", zoo, *more, out="zoo-outputs"),)))
        made.append(Job("zoo-imported", _imported(size.render("zoo", zoo, "--seed", 5, out="exported-set"))))
    return made


def folder_jobs(recipes: Recipes, size: Size, folder: Path) -> list[Job]:
    """Yield jobs for a folder of mesh files, with the shipped recipes and those of the fixtures.

    Left out is what a folder cannot give: places in the published lists, and held-out objects, of which a
    folder with one object a category has none.
    """
    meshes = ("--source", "folder", "--meshes", folder)
    own = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in RECIPES.glob("*.toml")}
    made = [
        Job(f"folder-{name}", (size.render(name, recipe, *meshes, out=f"folder-{name}"),))
        for name, recipe in recipes.items()
        if not _needs_lists(recipe) and not _holds_out(recipe)
    ]
    for name, recipe in sorted(own.items()):
        more = (*meshes, "--points", 64) if name == "points" else meshes
        file = str(RECIPES / f"{name}.toml")
        made.append(Job(f"folder-own-{name}", (size.render(file, recipe, *more, out=f"folder-own-{name}"),)))
    return made


def write_lists(folder: Path, ids: Sequence[str]) -> None:
    """Write a list of objects in the published order, and one of those that are held out.

    Args:
        folder: Gets ``objects.txt`` and ``val_images.npy``.
        ids: Ids of the zoo's objects. Others are added, so that the list can be cut into twelve.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = [*ids, *(f"absent/{number:06d}" for number in range(12))]
    (folder / "objects.txt").write_text("".join(f"{name}\n" for name in listed), encoding="utf-8")
    np.save(folder / "val_images.npy", np.array([f"/{name}" for name in ids[::2]]))


def _imported(rendered: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    back = ("--source", "zoo", "--channel-order", "rgb", "--threads", "1", "--out", "zoo-imported")
    export = ("convert", "export", "exported-set", "--out", "exported", "--threads", "1")
    return (rendered, export, ("convert", "import", "exported", *back))


def _needs_lists(recipe: Mapping[str, Any]) -> bool:
    return recipe.get("draws") == "numpy-legacy"


def _holds_out(recipe: Mapping[str, Any]) -> bool:
    return recipe.get("splits") == ["val"]
