"""Errors that users can act on. Their messages say what is wrong, where, and what to do.

TurntableError                    base class; the command line prints it without a traceback
├── InvalidInputError             a wrong argument, table or name   (also a ValueError)
│   └── RecipeError               all faults of one recipe
├── MeshError                     one object's mesh is unusable: it is left out, and the run goes on
├── IntegrityError                a shard, index or manifest is damaged or was changed
├── StoreError                    a folder or bucket cannot be reached, read or written
│   └── RejectedResponseError     a response that is too long or too slow; the request is not repeated
├── DeviceError                   no usable OpenGL device   (also a RuntimeError)
│   └── DeviceLostError           the device was lost during work (driver reset, GPU fell off the bus):
│                                 the worker ends, and a new one gets its task
├── StoppedError                  a run was asked to stop; the same call resumes it
├── MissingExtraError             a library of an optional extra is not installed   (also an ImportError)
└── BrokenLibraryError            a library is installed, but cannot be imported   (also an ImportError)
"""

import re
from collections.abc import Callable
from typing import Any

from turntable.installation import format_install_command

_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that are not safe in a terminal: control characters, line ends, marks of text direction, and
surrogates without a partner."""


def is_plain(text: str) -> bool:
    """Return True if a text fits in one line and has no characters that control a terminal."""
    return _CONTROL_CHARACTERS.search(text) is None


def format_text(text: str, max_length: int = 120) -> str:
    """Format untrusted text for a message: in one line, cut after ``max_length`` characters, escaped."""
    return escape_text(text if len(text) <= max_length else f"{text[:max_length]}…")


def escape_text(text: str) -> str:
    """Escape line ends and control characters in a text, in the notation of Python strings."""
    return _CONTROL_CHARACTERS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def format_value(value: object, to_text: Callable[[object], str] = repr) -> str:
    """Format an untrusted value for a message: in one line, cut after 60 characters, of any type.

    Args:
        value: Value of any type.
        to_text: Function that converts the value to text.
    """
    try:
        return format_text(to_text(value), 60)
    except ValueError:
        return "a number with thousands of digits"  # Python refuses to print integers this long
    except RecursionError:
        return f"a {type(value).__name__} nested too deeply"


class TurntableError(Exception):
    """The base class of all errors that turntable raises for its users."""


class InvalidInputError(TurntableError, ValueError):
    """An error of an argument, table or name that is wrong."""


class RecipeError(InvalidInputError):
    """An error of a recipe; the message lists all its faults by name."""


class MeshError(TurntableError):
    """An error of one object's mesh, which is unusable. Other objects are not affected.

    Args:
        message: Message: what is wrong, where, and what to do.
        reason: Short reason, the same for all meshes with this problem, by which they are counted.
    """

    def __init__(self, message: str, reason: str = "unusable mesh") -> None:
        super().__init__(message, reason)
        self.message, self.reason = message, reason

    def __str__(self) -> str:
        """Return the message, without the reason."""
        return self.message


class IntegrityError(TurntableError):
    """An error of a shard, index or manifest that is damaged or was changed."""


class StoreError(TurntableError):
    """An error of a folder or bucket that cannot be reached, read or written."""


class RejectedResponseError(StoreError):
    """An error of a response that is too long, too slow, or redirects to a place that is not allowed.

    The same request would get the same response. So code that repeats a request after a StoreError does not
    repeat it after this error.
    """


class DeviceError(TurntableError, RuntimeError):
    """An error of a machine without a usable OpenGL device."""


class DeviceLostError(DeviceError):
    """An error of a device that was lost during work. A new process may be able to use it again."""


class StoppedError(TurntableError):
    """An error of a run that was asked to stop before its end. The same call resumes it."""


class MissingExtraError(TurntableError, ImportError):
    """An error of a library that is not installed, and belongs to an optional extra.

    Args:
        library: Name of the library.
        extra: Name of the extra.
        alternative: Another way to go on, as a sentence's end: "or …"; empty if there is none.
    """

    def __init__(self, library: str, extra: str, alternative: str = "") -> None:
        command = format_install_command(extra)
        super().__init__(f"{library} is not installed; run: {command}{alternative and f', {alternative}'}")
        self.library, self.extra, self.alternative = library, extra, alternative

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors are unpickled with the arguments of Exception.__init__, which are not those of this class.
        return type(self), (self.library, self.extra, self.alternative), vars(self)


class BrokenLibraryError(TurntableError, ImportError):
    """An error of a library that is installed, but cannot be imported: it is broken, or a file hides it."""
