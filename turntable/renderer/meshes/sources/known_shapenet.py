"""What is known of ShapeNetCore, from the tables in ``known/``: synsets by name, objects with faults."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from turntable.datasets.objects import EMPTY_CARS

EMPTY = frozenset(EMPTY_CARS)
"""Folders of v2 that never held a mesh, as "synset/id"."""


def names_of(synset: str) -> tuple[str, ...]:
    """What a synset is called, the usual name first; nothing for one that is not ShapeNetCore's."""
    return _names().get(synset, ())


def synset_named(folder: str) -> str | None:
    """The synset that a folder stands for: its number, or any of its names ("cell phone", "Cell_Phone")."""
    if folder in _names():
        return folder
    return _by_name().get(_plain(folder))


def synsets(version: str) -> frozenset[str]:
    """All of version "v1" or "v2"."""
    extra = frozenset(_table("shapenet_synsets")["versions"]["v1_only"])
    return frozenset(_names()) if version == "v1" else frozenset(_names()) - extra


def known_bad() -> Mapping[str, str]:
    """What is wrong with an object, by "synset/id"."""
    facts = _table("shapenet_facts")
    denied = {object_id: group["fault"] for group in facts["denylist"] for object_id in group["ids"]}
    return {**dict.fromkeys(EMPTY, "has no mesh in v2"), **denied, **facts["bad"]}


def _names() -> Mapping[str, tuple[str, ...]]:
    return {synset: tuple(names) for synset, names in _table("shapenet_synsets")["synsets"].items()}


@cache
def _by_name() -> Mapping[str, str]:
    return {_plain(name): synset for synset, names in _names().items() for name in names}


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


@cache
def _table(name: str) -> dict[str, Any]:
    text = (resources.files("turntable.renderer.meshes.sources") / "known" / f"{name}.toml").read_text(
        "utf-8"
    )
    return tomllib.loads(text)
