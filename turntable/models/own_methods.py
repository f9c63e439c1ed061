"""Methods of users' own: from installed packages, from modules and from files, by a reference that they give.

Code runs only because somebody asked for it: an installed package offers its methods by entry points, and a
reference (``package.module:NAME``, ``file.py:NAME``) is followed when the user gives it. Nothing is imported
because a run or a checkpoint names it.
"""

from pathlib import Path

from turntable.errors import InvalidInputError, shown
from turntable.models.entry import MethodEntry
from turntable.own_code import follow, load_offer, offers

GROUP = "turntable.methods"
"""The group of entry points in which a package offers its methods."""
_known: dict[str, MethodEntry] = {}


def keep_method(name: str, entry: MethodEntry) -> None:
    """Keep a method of one's own under a name in this process, in place of another of that name.

    Raises:
        InvalidInputError: It is no entry.
    """
    if not isinstance(entry, MethodEntry):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError(
            f"method {shown(name)} is {shown(repr(entry))}, not a MethodEntry; give"
            " MethodEntry(YourConfig, YourMethod) of turntable.models"
        )
    _known[name] = entry


def method_label(name: str) -> str:
    """Return a method's name as tables show it: a reference's last part, without this machine's paths."""
    return name.rpartition(":")[2]


def load_reference(reference: str) -> str:
    """Run the code that a reference names, and keep the method.

    Args:
        reference: ``package.module:NAME``, or ``file.py:NAME`` with a path, where NAME is a MethodEntry.

    Returns:
        The reference as a run remembers it: with the whole path of a file.

    Raises:
        InvalidInputError: There is no such module, file or name; its code fails; or it is no MethodEntry.
    """
    code = follow(reference, "--method")
    if not hasattr(code.module, code.name):
        there = [key for key, value in vars(code.module).items() if isinstance(value, MethodEntry)]
        raise InvalidInputError(
            f"{code.place} has no {code.name}; its entries of methods are: {', '.join(there) or 'none'}"
        )
    keep_method(code.reference, code.value)
    return code.reference


def own_method(name: str) -> MethodEntry | None:
    """Return the method that was registered under a name, or that an installed package offers; or None.

    Raises:
        InvalidInputError: The package's code fails, or what it offers is no MethodEntry.
    """
    if name not in _known and (offered := offers(GROUP).get(name)) is not None:
        keep_method(name, load_offer(offered, "method"))
    return _known.get(name)


def own_names() -> tuple[str, ...]:
    """Return the names of all methods that were registered or that installed packages offer."""
    return tuple(dict.fromkeys([*_known, *offers(GROUP)]))


def missing_words(name: str) -> str:
    """Say why the method that a run names cannot be had, and what to do."""
    place, _, last = name.rpartition(":")
    if place.endswith(".py") and not Path(place).is_file():
        return (
            f"the method {shown(name)}: the file {shown(place)} is not there any more; say where it is now:"
            f" --method FILE.py:{shown(last)}"
        )
    return (
        f"the method {shown(name)} is not turntable's own, and its code runs only when you ask for it: add"
        f" --method {shown(name)}"
    )
