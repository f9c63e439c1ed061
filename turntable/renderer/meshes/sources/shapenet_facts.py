"""Facts about ShapeNetCore from the tables in ``known/``: names of synsets, and objects with faults."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from turntable.datasets.objects import EMPTY_CARS

EMPTY_MODELS = frozenset(EMPTY_CARS)
"""Folders of v2 that never held a mesh, as "synset/id"."""


def get_synset_names(synset: str) -> tuple[str, ...]:
    """Return the names of a synset, the most common one first; empty if ShapeNetCore has no such synset."""
    return _get_all_names().get(synset, ())


def find_synset(folder: str) -> str | None:
    """Find the synset that a folder's name stands for.

    The name may be the synset's number or any of its names ("cell phone", "Cell_Phone").
    """
    if folder in _get_all_names():
        return folder
    return _index_by_name().get(_normalize_name(folder))


def list_synsets(version: str) -> frozenset[str]:
    """Return the synsets of version "v1" or "v2"."""
    extra = frozenset(_read_table("shapenet_synsets")["versions"]["v1_only"])
    return frozenset(_get_all_names()) if version == "v1" else frozenset(_get_all_names()) - extra


def get_known_faults() -> Mapping[str, str]:
    """Return the known faults of objects, by "synset/id"."""
    facts = _read_table("shapenet_facts")
    denied = {object_id: group["fault"] for group in facts["denylist"] for object_id in group["ids"]}
    return {**dict.fromkeys(EMPTY_MODELS, "has no mesh in v2"), **denied, **facts["bad"]}


def _get_all_names() -> Mapping[str, tuple[str, ...]]:
    """Return the names of every synset."""
    return {synset: tuple(names) for synset, names in _read_table("shapenet_synsets")["synsets"].items()}


@cache
def _index_by_name() -> Mapping[str, str]:
    """Return the synset of every normalized name."""
    return {_normalize_name(name): synset for synset, names in _get_all_names().items() for name in names}


def _normalize_name(name: str) -> str:
    """Reduce a name to its letters and digits, in lower case."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


@cache
def _read_table(name: str) -> dict[str, Any]:
    """Read a TOML table of the package."""
    text = (resources.files("turntable.renderer.meshes.sources") / "known" / f"{name}.toml").read_text(
        "utf-8"
    )
    return tomllib.loads(text)
