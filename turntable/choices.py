"""Sets of words to choose from, used by the command line and several parts of the package, and their checks.

This module imports no libraries, so that the command line can list choices without loading numpy or torch. A
set that only one package needs is defined there.
"""

from collections.abc import Iterable
from typing import Literal

from turntable.errors import InvalidInputError, format_text, format_value

Amp = Literal["off", "bf16", "fp16"]
"""Mixed precision of training."""
ChannelOrder = Literal["rgb", "bgr"]
"""Order of the color channels in JPEG files; the published 3DIEBench has red and blue exchanged."""
Preset = Literal["demo", "paper"]
"""Preset of settings for training or for a protocol, some of which may then be changed."""
PublishedKind = Literal["sie", "equicaps", "seq-jepa"]
"""Published code base whose checkpoints can be read."""
QualityName = Literal["fast", "standard", "high"]
"""Amount of work that goes into rendering an image."""
Schedule = Literal["constant", "cosine"]
"""Schedule of the learning rate after the warm-up."""
SourceName = Literal[
    "zoo",
    "articulated",
    "particles",
    "solids",
    "molecules",
    "shapenet",
    "shapenet-v1",
    "shapenetsem",
    "objaverse",
    "gso",
    "folder",
]
"""Kind of meshes."""
GENERATED_SOURCES: tuple[SourceName, ...] = ("zoo", "articulated", "particles", "solids", "molecules")
"""Kinds of meshes that are generated, so that they need no folder."""
SOURCES_WITHOUT_PARTS: tuple[SourceName, ...] = (
    "zoo",
    "solids",
    "molecules",
    "shapenet",
    "shapenet-v1",
    "shapenetsem",
    "gso",
)
"""Kinds of meshes of which no object has parts that move."""
SOURCES_WITHOUT_JOINTS: tuple[SourceName, ...] = (*SOURCES_WITHOUT_PARTS, "particles")
"""Kinds of meshes of which no object has joints."""
SOURCES_OF_GLTF: tuple[SourceName, ...] = ("folder", "objaverse")
"""Kinds of meshes that may be glTF files, whose animations tell their parts."""
TokenScope = Literal["read", "render", "admin"]
"""Rights of a token: "read" for data sets, "render" also for views rendered on request, "admin" also for the
service's metrics."""


def check_choice(kind: str, value: object, choices: Iterable[str], own_option: str = "") -> None:
    """Check that a value is one of the words to choose from.

    Args:
        kind: Name of the choice for the message: "backbone".
        value: Value to check, of any type.
        choices: The words, or a mapping with the words as keys.
        own_option: Option with which users can give code of their own instead; "" if there is none.

    Raises:
        InvalidInputError: The value is none of the words; the message lists them.
    """
    words = tuple(choices)
    if value not in words:
        raise make_choice_error(kind, value, words, own_option)


def make_choice_error(
    kind: str, value: object, choices: Iterable[str], own_option: str = ""
) -> InvalidInputError:
    """Return the error for a value that is none of the words to choose from.

    Args:
        kind: Name of the choice for the message: "backbone".
        value: The wrong value, of any type.
        choices: The words.
        own_option: Option with which users can give code of their own instead; "" if there is none.
    """
    hint = f"; or give one of your own: {own_option} FILE.py:NAME" if own_option else ""
    return InvalidInputError(
        f"unknown {kind} {format_value(value)}; choose one of: {', '.join(choices)}{hint}"
    )


def check_names(owner: str, given: Iterable[object], known: Iterable[str]) -> None:
    """Check that all given names are known.

    Args:
        owner: Owner of the names for the message: "an augmentation".
        given: Names to check, such as the keys of a table in a file.
        known: The known names.

    Raises:
        InvalidInputError: Some names are unknown; the message has them and lists the known names.
    """
    names = tuple(known)
    unknown = sorted(map(str, set(given) - set(names)))
    if unknown:
        raise InvalidInputError(
            f"{owner} has no {format_text(', '.join(unknown))}; it has {', '.join(names)}"
        )
