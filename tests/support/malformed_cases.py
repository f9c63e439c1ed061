"""A case of the malformed corpus, and the ways in which loading it may end."""

from dataclasses import dataclass

KEPT = "kept"
WARNED = "kept with a warning"

REASONS = (
    *("cut off", "no faces", "not finite", "no extent", "not to scale", "too large"),
    *("file missing", "outside", "unreadable", "unsupported"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One object, and how loading it is to end."""

    source: str
    """"shapenet" or "folder": the source, and the name of the folder."""
    id: str
    outcomes: tuple[str, ...]
    """``KEPT``, ``WARNED``, or the reasons for which it may be left out: where a file is cut decides some."""
    listed: bool = True
    """Whether the source lists it: what is no file at all is no object."""
