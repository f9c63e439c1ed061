"""Loading of users' own code: from a reference that they give, or from entry points of installed packages.

Code runs only on request: a reference (``package.module:NAME`` or ``file.py:NAME``) is loaded when the user
gives it, and an entry point when the user names it.
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

from turntable.errors import InvalidInputError, format_text
from turntable.home import expand_home

_MODULE_PREFIX = "turntable_own_"
"""Prefix of the names of modules that are made from files."""


class UserCode(NamedTuple):
    """The module and the name that a reference stands for."""

    location: str
    """Name of the module, or absolute path of the file."""
    name: str
    """Name in the module."""
    module: ModuleType

    @property
    def reference(self) -> str:
        """Reference with the absolute path of a file, as it is stored."""
        return f"{self.location}:{self.name}"

    @property
    def value(self) -> Any:
        """Value of the name in the module; raises AttributeError if the module does not have it."""
        return getattr(self.module, self.name)


def is_reference(name: str) -> bool:
    """Return True if a name is a reference to code: ``package.module:NAME`` or ``file.py:NAME``."""
    return ":" in name


def load_user_code(reference: str, option: str) -> UserCode:
    """Import the module or file of a reference.

    Args:
        reference: ``package.module:NAME``, or ``file.py:NAME`` with a path.
        option: Option with which the user gave it, such as ``--method``; messages of errors begin with it.

    Raises:
        InvalidInputError: There is no such module or file, or its code fails.
    """
    location, _, name = reference.rpartition(":")
    if not location or not name.isidentifier():
        raise InvalidInputError(
            f"{option} {format_text(reference)}: give a name, package.module:NAME or file.py:NAME"
        )
    if location.endswith(".py"):
        path, module = _import_file(location, option)
        return UserCode(path, name, module)
    return UserCode(location, name, _import_module(location, option))


def list_entry_points(group: str) -> Mapping[str, EntryPoint]:
    """List the entry points of installed packages in a group, by name. Nothing is loaded."""
    return {point.name: point for point in entry_points(group=group)}


def load_entry_point(point: EntryPoint, kind: str) -> Any:
    """Load the value of an installed package's entry point.

    Args:
        point: Entry point to load.
        kind: Kind of the value for the message of an error, such as "method".

    Raises:
        InvalidInputError: The package's code fails.
    """
    try:
        return point.load()
    except Exception as error:  # code of others may raise anything
        raise InvalidInputError(
            f"the {kind} {point.name} of an installed package ({point.value}) cannot be loaded:"
            f" {type(error).__name__}: {error}"
        ) from error


def _import_module(name: str, option: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise InvalidInputError(
            f"{option} {format_text(name)}: the module cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _import_file(path_text: str, option: str) -> tuple[str, ModuleType]:
    """Import a file as a module, once per process, and return its absolute path and the module.

    The file can import modules in its folder, which is added to the end of the import path.
    """
    path = expand_home(path_text).resolve()
    if not path.is_file():
        raise InvalidInputError(f"{option} {format_text(path_text)}: there is no such file ({path})")
    name = f"{_MODULE_PREFIX}{path.stem}_{crc32(str(path).encode()):08x}"
    if name not in sys.modules:
        _run_file(path, name, f"{option} {format_text(path_text)}")
    return str(path), sys.modules[name]


def _run_file(path: Path, name: str, prefix: str) -> None:
    """Run a file as a module of this name. Messages of errors begin with the prefix."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before the code runs: dataclasses look up their types there
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise InvalidInputError(f"{prefix}: its code fails: {type(error).__name__}: {error}") from error
