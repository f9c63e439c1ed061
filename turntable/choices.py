"""Words that are chosen among at the command line and in the package: each set has this one definition.

It loads nothing, so that the command line can list its choices before numpy or torch is there. A set that
only one room asks for is defined in that room.
"""

from collections.abc import Iterable
from typing import Literal

from turntable.errors import InvalidInputError, said, shown

Amp = Literal["off", "bf16", "fp16"]
"""Mixed precision of a training."""
ChannelOrder = Literal["rgb", "bgr"]
"""Order of the colors in JPEG files; the published 3DIEBench has red and blue exchanged."""
Preset = Literal["demo", "paper"]
"""Settings that a training or a protocol begins from."""
PublishedKind = Literal["sie", "equicaps", "seq-jepa"]
"""Code whose checkpoints can be read."""
QualityName = Literal["fast", "standard", "high"]
"""Amount of work that goes into a picture."""
Schedule = Literal["constant", "cosine"]
"""Course of the learning rate after the warm-up."""
SourceName = Literal["zoo", "shapenet", "shapenet-v1", "shapenetsem", "objaverse", "gso", "folder"]
"""Kind of meshes."""
TokenScope = Literal["read", "render", "admin"]
"""Right that a token gives: to all of a data set; to views on request too; to the service's numbers too."""


def check_choice(kind: str, value: object, choices: Iterable[str], own: str = "") -> None:
    """Make sure that a value is one of the words that there are.

    Args:
        kind: What it should be, for the message: "backbone".
        value: Anything.
        choices: The words, or a table of which they are the keys.
        own: The option by which users give one of their own, where they can.

    Raises:
        InvalidInputError: It is none of them; the message lists them.
    """
    words = tuple(choices)
    if value not in words:
        raise unknown_choice(kind, value, words, own)


def unknown_choice(kind: str, value: object, words: Iterable[str], own: str = "") -> InvalidInputError:
    """Return the error that refuses a value: it is none of the words that there are.

    Args:
        kind: What it should be.
        value: Anything.
        words: Those that there are.
        own: The option by which users give one of their own, where they can.
    """
    more = f"; or give one of your own: {own} FILE.py:NAME" if own else ""
    return InvalidInputError(f"unknown {kind} {said(value)}; choose one of: {', '.join(words)}{more}")


def check_names(owner: str, given: Iterable[object], known: Iterable[str]) -> None:
    """Make sure that names are some of those that there are.

    Args:
        owner: What has them, for the message: "an augmentation".
        given: Anything, such as the keys of a table that a file had.
        known: The names.

    Raises:
        InvalidInputError: One is none of them; the message names each such, and lists the others.
    """
    names = tuple(known)
    unknown = sorted(map(str, set(given) - set(names)))
    if unknown:
        raise InvalidInputError(f"{owner} has no {shown(', '.join(unknown))}; it has {', '.join(names)}")
