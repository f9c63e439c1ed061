"""Code of users' own: by a reference that they give, and by the entry points of packages that they installed.

Code runs only because somebody asked for it: a package offers it by entry points, and a reference
(``package.module:NAME``, ``file.py:NAME``) is followed when the user gives it.
"""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from zlib import crc32

from turntable.errors import InvalidInputError, shown

_PREFIX = "turntable_own_"
"""Begins the names of modules that are made of files."""


class OwnCode(NamedTuple):
    """What a reference leads to."""

    place: str
    """The module's name, or the file's whole path."""
    name: str
    module: ModuleType

    @property
    def reference(self) -> str:
        """The reference as it is remembered: with the whole path of a file."""
        return f"{self.place}:{self.name}"

    @property
    def value(self) -> Any:
        """What has the name; AttributeError where nothing has it."""
        return getattr(self.module, self.name)


def is_reference(name: str) -> bool:
    """Return whether a name tells where code is: ``package.module:NAME`` or ``file.py:NAME``."""
    return ":" in name


def follow(reference: str, option: str) -> OwnCode:
    """Run the code that a reference names.

    Args:
        reference: ``package.module:NAME``, or ``file.py:NAME`` with a path.
        option: By which the user gave it, such as ``--method``; it begins the message of an error.

    Raises:
        InvalidInputError: There is no such module or file, or its code fails.
    """
    place, _, name = reference.rpartition(":")
    if not place or not name.isidentifier():
        raise InvalidInputError(
            f"{option} {shown(reference)}: give a name, package.module:NAME or file.py:NAME"
        )
    if place.endswith(".py"):
        whole, module = _file_module(place, option)
        return OwnCode(whole, name, module)
    return OwnCode(place, name, _installed_module(place, option))


def offers(group: str) -> Mapping[str, EntryPoint]:
    """Return what installed packages offer in a group of entry points, by name; none of it is loaded."""
    return {point.name: point for point in entry_points(group=group)}


def load_offer(point: EntryPoint, what: str) -> Any:
    """Load what an installed package offers.

    Args:
        point: Its entry point.
        what: It is, such as "method", for the message of an error.

    Raises:
        InvalidInputError: The package's code fails.
    """
    try:
        return point.load()
    except Exception as error:  # anything, as it is anybody's code
        raise InvalidInputError(
            f"the {what} {point.name} of an installed package ({point.value}) cannot be loaded:"
            f" {type(error).__name__}: {error}"
        ) from error


def _installed_module(name: str, option: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise InvalidInputError(
            f"{option} {shown(name)}: the module cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _file_module(place: str, option: str) -> tuple[str, ModuleType]:
    """Run a file once a process, as a module; modules beside it can be imported, after all others."""
    path = Path(place).expanduser().resolve()
    if not path.is_file():
        raise InvalidInputError(f"{option} {shown(place)}: there is no such file ({path})")
    name = f"{_PREFIX}{path.stem}_{crc32(str(path).encode()):08x}"
    if name not in sys.modules:
        _run_file(path, name, f"{option} {shown(place)}")
    return str(path), sys.modules[name]


def _run_file(path: Path, name: str, told: str) -> None:
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
        raise InvalidInputError(f"{told}: its code fails: {type(error).__name__}: {error}") from error
