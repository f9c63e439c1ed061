"""Methods of users' own: from installed packages, from modules and from files, by a reference that they give.

Code runs only because somebody asked for it: an installed package offers its methods by entry points, and a
reference (``package.module:NAME``, ``file.py:NAME``) is followed when the user gives it. Nothing is imported
because a run or a checkpoint names it.
"""

import importlib
import importlib.util
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from zlib import crc32

from turntable.errors import InvalidInputError, shown
from turntable.models.entry import MethodEntry

GROUP = "turntable.methods"
"""The group of entry points in which a package offers its methods."""
_PREFIX = "turntable_own_"
"""Begins the names of modules that are made of files."""
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


def is_reference(name: str) -> bool:
    """Return whether a name tells where code is: ``package.module:NAME`` or ``file.py:NAME``."""
    return ":" in name


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
    place, _, name = reference.rpartition(":")
    if not place or not name.isidentifier():
        raise InvalidInputError(
            f"--method {shown(reference)}: give a name, package.module:NAME or file.py:NAME"
        )
    whole, module = _file_module(place) if place.endswith(".py") else (place, _installed_module(place))
    if not hasattr(module, name):
        there = [key for key, value in vars(module).items() if isinstance(value, MethodEntry)]
        raise InvalidInputError(
            f"{whole} has no {name}; its entries of methods are: {', '.join(there) or 'none'}"
        )
    remembered = f"{whole}:{name}"
    keep_method(remembered, getattr(module, name))
    return remembered


def own_method(name: str) -> MethodEntry | None:
    """Return the method that was registered under a name, or that an installed package offers; or None.

    Raises:
        InvalidInputError: The package's code fails, or what it offers is no MethodEntry.
    """
    if name not in _known and (offered := _offers().get(name)) is not None:
        keep_method(name, _loaded(offered))
    return _known.get(name)


def own_names() -> tuple[str, ...]:
    """Return the names of all methods that were registered or that installed packages offer."""
    return tuple(dict.fromkeys([*_known, *_offers()]))


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


def _offers() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _loaded(point: EntryPoint) -> MethodEntry:
    try:
        return point.load()
    except Exception as error:  # anything, as it is anybody's code
        raise InvalidInputError(
            f"the method {point.name} of an installed package ({point.value}) cannot be loaded:"
            f" {type(error).__name__}: {error}"
        ) from error


def _installed_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise InvalidInputError(
            f"--method {shown(name)}: the module cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _file_module(place: str) -> tuple[str, ModuleType]:
    """Run a file once a process, as a module; modules beside it can be imported, after all others."""
    path = Path(place).expanduser().resolve()
    if not path.is_file():
        raise InvalidInputError(f"--method {shown(place)}: there is no such file ({path})")
    name = f"{_PREFIX}{path.stem}_{crc32(str(path).encode()):08x}"
    if name in sys.modules:
        return str(path), sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their types up there
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise InvalidInputError(
            f"--method {shown(place)}: its code fails: {type(error).__name__}: {error}"
        ) from error
    return str(path), module
