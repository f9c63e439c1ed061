"""The kinds of warnings with which a run leaves an object out (``--strict``)."""

import difflib
from collections.abc import Collection, Iterable, Sequence

from turntable.errors import InvalidInputError, MeshError, format_text, format_value
from turntable.renderer.meshes import FOLDER_KINDS, WARNING_KINDS, MeshWarning

ALL = "all"
"""Word for all kinds of warnings about objects."""
_MAX_NAMED = 3
"""Largest number of an object's warnings that a message names."""


def check_strict_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """Check kinds of warnings, and return them in one order without repetition, or ``("all",)``.

    Raises:
        InvalidInputError: A kind is not known.
    """
    given = set(kinds)
    for kind in sorted(given):
        if kind != ALL and kind not in WARNING_KINDS:
            near = difflib.get_close_matches(kind, WARNING_KINDS, n=3)
            guess = f"did you mean {' or '.join(near)}? " if near else ""
            raise InvalidInputError(
                f"--strict: {format_value(kind)} is not a kind of warning; {guess}the kinds are "
                f"{', '.join(WARNING_KINDS)}, and {ALL} for those of objects"
            )
    named = tuple(kind for kind in WARNING_KINDS if kind in given)
    return (ALL, *(kind for kind in named if kind in FOLDER_KINDS)) if ALL in given else named


def check_folder_problems(problems: Sequence[MeshWarning], strict: Collection[str]) -> None:
    """Check that a folder has no problem of a kind that a run does not accept.

    Args:
        problems: Problems of the folder of the meshes.
        strict: Kinds as ``check_strict_kinds`` returns them. ``all`` stands for the kinds of objects alone.

    Raises:
        InvalidInputError: It has one. No object can be left out for it, so the run must not begin.
    """
    named = [problem for problem in problems if problem.kind in strict]
    if named:
        first = named[0]
        raise InvalidInputError(
            f"--strict {first.kind}: the folder of the meshes has {len(named):,} such "
            f"problem{'s' * (len(named) != 1)}, the first: {first}; mend the folder, or leave the kind out"
        )


def raise_if_strict(object_id: str, warnings: Iterable[MeshWarning], strict: Collection[str]) -> None:
    """Raise if an object has a warning of a kind that a run does not accept.

    Args:
        object_id: Id of the object.
        warnings: Its warnings.
        strict: Kinds as ``check_strict_kinds`` returns them.

    Raises:
        MeshError: It has one. The reason is the kind of the first such warning.
    """
    named = [warning for warning in warnings if ALL in strict or warning.kind in strict]
    if named:
        texts = "; ".join(format_text(f"{item.kind}, {item}", 400) for item in named[:_MAX_NAMED])
        more = f"; and {len(named) - _MAX_NAMED:,} more" if len(named) > _MAX_NAMED else ""
        raise MeshError(f"{object_id}: left out by --strict: {texts}{more}", reason=named[0].kind)
