"""Methods that users write: registered in this process, offered by installed packages, or given by reference.

An installed package offers its methods as entry points. A reference (``package.module:NAME`` or
``file.py:NAME``) names a method in a module or a file; its code runs when the user gives the reference. The
name of a method in the files of a run never causes an import: opening someone else's run must not run their
code.
"""

from pathlib import Path

from turntable.errors import InvalidInputError, format_text
from turntable.models.entry import MethodEntry
from turntable.user_code import list_entry_points, load_entry_point, load_user_code

ENTRY_POINT_GROUP = "turntable.methods"
"""Entry point group in which packages offer their methods."""
_registered: dict[str, MethodEntry] = {}


def add_user_method(name: str, entry: MethodEntry) -> None:
    """Add a user's method to this process under a name; a method already added under it is replaced.

    Raises:
        InvalidInputError: ``entry`` is not a MethodEntry.
    """
    if not isinstance(entry, MethodEntry):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError(
            f"method {format_text(name)} is {format_text(repr(entry))}, not a MethodEntry; give"
            " MethodEntry(YourConfig, YourMethod) of turntable.models"
        )
    _registered[name] = entry


def shorten_method_name(name: str) -> str:
    """Return the name of a method as tables show it: of a reference, only the part after the last colon."""
    return name.rpartition(":")[2]


def load_user_method(reference: str) -> str:
    """Run the code that a reference names, and add its method.

    Args:
        reference: ``package.module:NAME`` or ``PATH/file.py:NAME``, where NAME is a MethodEntry.

    Returns:
        The reference as runs store it, with the absolute path of a file.

    Raises:
        InvalidInputError: There is no such module, file or name; the code fails; or NAME is no MethodEntry.
    """
    code = load_user_code(reference, "--method")
    if not hasattr(code.module, code.name):
        entries = [key for key, value in vars(code.module).items() if isinstance(value, MethodEntry)]
        raise InvalidInputError(
            f"{code.location} has no {code.name}; its method entries are: {', '.join(entries) or 'none'}"
        )
    add_user_method(code.reference, code.value)
    return code.reference


def find_user_method(name: str) -> MethodEntry | None:
    """Find a user's method by name: one added to this process, or one that an installed package offers.

    Returns:
        The method's entry; None if there is no such method.

    Raises:
        InvalidInputError: The package's code fails, or its entry point is no MethodEntry.
    """
    if name not in _registered and (offered := list_entry_points(ENTRY_POINT_GROUP).get(name)) is not None:
        add_user_method(name, load_entry_point(offered, "method"))
    return _registered.get(name)


def list_user_methods() -> tuple[str, ...]:
    """Return the names of all methods added to this process or offered by installed packages."""
    return tuple(dict.fromkeys([*_registered, *list_entry_points(ENTRY_POINT_GROUP)]))


def explain_missing_method(name: str) -> str:
    """Return a message that says why the method of a run is not available and how to make it available."""
    location, _, last = name.rpartition(":")
    if location.endswith(".py") and not Path(location).is_file():
        return (
            f"the method {format_text(name)}: the file {format_text(location)} no longer exists; give its new"
            f" path: --method FILE.py:{format_text(last)}"
        )
    return (
        f"the method {format_text(name)} is not part of turntable, and its code runs only when you ask for"
        f" it: add --method {format_text(name)}"
    )
