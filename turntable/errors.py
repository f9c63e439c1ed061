"""Errors a user can act on: each says what is wrong, where, and what to do.

TurntableError                    the base of them all; the command line prints it without a traceback
├── InvalidInputError             an argument, table or name that cannot be right   (also a ValueError)
│   └── RecipeError               every fault of one recipe at once
├── MeshError                     one object's mesh cannot be used: it is quarantined, the run goes on
├── IntegrityError                a shard, index or manifest is not what was written
├── StoreError                    a folder or bucket cannot be reached, read or written
│   └── GivenUpError              an answer too long or too slow, which is not asked for again
├── DeviceError                   no usable OpenGL device
│   └── DeviceLostError           the device was lost in the middle of work (driver reset, GPU fell off the
│                                 bus): the worker ends, its task is given to a new one
├── StoppedError                  a run ended before its end because it was asked to; it goes on later
└── MissingExtraError             a library of an optional extra is not installed   (also an ImportError)
"""

import re
from collections.abc import Callable
from typing import Any

from turntable.installation import install_hint

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, which a terminal obeys; line ends; marks that turn text round; lone surrogates."""


def is_plain(text: str) -> bool:
    """Return whether a text can be printed in one line: it has nothing that a terminal would obey."""
    return _UNSEEN.search(text) is None


def shown(text: str, most: int = 120) -> str:
    """Return a stranger's text for a message: in one line, cut after ``most`` characters, escaped."""
    return escaped(text if len(text) <= most else f"{text[:most]}…")


def escaped(text: str) -> str:
    """Return a text in one line that a terminal prints and does not obey: escaped as Python writes it."""
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def said(value: object, spell: Callable[[object], str] = repr) -> str:
    """Return a stranger's value for a message: in one line, cut after 60 characters, whatever it is."""
    try:
        return shown(spell(value), 60)
    except ValueError:
        return "a number of thousands of figures"
    except RecursionError:
        return f"a {type(value).__name__} nested without end"


class TurntableError(Exception):
    """The base of every error that turntable raises for its users."""


class InvalidInputError(TurntableError, ValueError):
    """An argument, table or name that cannot be right."""


class RecipeError(InvalidInputError):
    """A recipe with one or more faults, all of them listed by name."""


class MeshError(TurntableError):
    """One object's mesh cannot be used; others are not affected.

    Args:
        message: What is wrong, where, what to do.
        reason: The same few words for the same cause, to be counted by.
    """

    def __init__(self, message: str, reason: str = "unusable mesh") -> None:
        super().__init__(message, reason)
        self.message, self.reason = message, reason

    def __str__(self) -> str:
        """The message alone."""
        return self.message


class IntegrityError(TurntableError):
    """A shard, index or manifest is not what was written."""


class StoreError(TurntableError):
    """A folder or bucket cannot be reached, read or written."""


class GivenUpError(StoreError):
    """An answer that is not put up with: too long, too slow, or leading where nobody should follow.

    The same request would be answered in the same way, so whoever is patient with a StoreError is not with
    this one.
    """


class DeviceError(TurntableError, RuntimeError):
    """No usable OpenGL device."""


class DeviceLostError(DeviceError):
    """The device was lost in the middle of work; a new process may find it again."""


class StoppedError(TurntableError):
    """A run ended before its end because it was asked to; the same call goes on."""


class MissingExtraError(TurntableError, ImportError):
    """A library of an optional extra is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"{library} is not installed; run: {install_hint(extra)}")
        self.library, self.extra = library, extra

    def __reduce__(self) -> tuple[Any, ...]:
        # An error comes from another process by its arguments, and this one's are not those of __init__.
        return type(self), (self.library, self.extra), vars(self)
