"""The optional extras: what each is for, its libraries, and the errors if one cannot be imported."""

import importlib.util
import re
import sys
import sysconfig
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType

from turntable.errors import BrokenLibraryError, MissingExtraError, TurntableError, format_text
from turntable.installation import format_install_command


@dataclass(frozen=True, slots=True)
class Extra:
    """An optional extra of the distribution."""

    name: str
    purpose: str
    """Description of what it is for, after "to"."""
    libraries: tuple[str, ...]
    """Libraries that it brings, by the names they are imported by."""


EXTRAS = (
    Extra(
        "render",
        "render data sets, and to read and publish them over HTTP and in buckets",
        ("moderngl", "embreex", "mapbox_earcut", "obstore", "urllib3"),
    ),
    Extra(
        "train",
        "train, evaluate and study, and to load the views that fulfill a condition",
        ("torch", "tensorboard", "matplotlib", "jinja2", "duckdb", "scipy", "obstore", "urllib3"),
    ),
    Extra(
        "serve",
        "serve data sets and their gallery",
        ("starlette", "uvicorn", "httptools", "prometheus_client", "typing_extensions", "duckdb", "obstore"),
    ),
    Extra("cluster", "render on a Ray cluster", ("ray",)),
    Extra("compressed", "read meshes of compressed glTF files", ("DracoPy", "meshopt")),
    Extra("molecules", "make data sets of molecules, and to export them as SDF", ("biotite", "rdkit")),
    Extra("wandb", "record runs in Weights & Biases", ("wandb",)),
    Extra("pyrender", "render with pyrender, to compare with it", ("pyrender",)),
    Extra("testing", "test backends, stores, methods and tasks of your own", ("pytest", "scipy")),
)
"""The extras of pyproject.toml that users install by themselves, those with the smallest libraries first."""


def find_extra(library: str) -> Extra:
    """Return the first extra that brings a library, given by the name it is imported by."""
    return next(extra for extra in EXTRAS if library in extra.libraries)


def is_installed(library: str) -> bool:
    """Return True if a library can be found. A folder of its name without code is not the library."""
    if library in sys.modules:
        return _has_code(sys.modules[library])
    try:
        spec = importlib.util.find_spec(library)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None


def check_installed(library: str, alternative: str = "") -> None:
    """Check that a library is installed, without importing it.

    Args:
        library: The library, by the name it is imported by.
        alternative: Another way to go on, for the message: "or …".

    Raises:
        MissingExtraError: It is not installed.
    """
    if not is_installed(library):
        raise MissingExtraError(library, find_extra(library).name, alternative)


def _has_code(module: ModuleType | None) -> bool:
    """Return False for a folder of a library's name: it has a path, but no file."""
    return module is not None and (_get_file(module) is not None or not hasattr(module, "__path__"))


def _get_file(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return None if file is None else Path(file)


@contextmanager
def explain_import_errors(library: str, extra: str = "") -> Generator[None]:
    """Return a context in which a library of an extra is imported, and whose errors say what to do.

    The context should hold the import alone, so that no other error is taken for the library's.

    Args:
        library: The library, by the name it is imported by.
        extra: Name of the extra to install; the first one that brings the library if it is left out.

    Raises:
        MissingExtraError: The library is not installed.
        BrokenLibraryError: It is installed, but it cannot be imported, or a file of the user hides it or a
            module that it needs.
    """
    extra = extra or find_extra(library).name
    try:
        yield
    except TurntableError:
        raise
    except Exception as error:
        if sys.is_finalizing():  # Python is shutting down, and imports nothing more
            raise
        raise _make_error(library, extra, error) from error
    if not is_installed(library):  # a folder of its name can be imported
        raise MissingExtraError(library, extra)
    file = _get_file(sys.modules[library])
    if file is not None and file.name == f"{library}.py" and not _is_of_a_distribution(file):
        raise BrokenLibraryError(f"{file} hides the library {library}, whose name it has: rename that file")


def _make_error(library: str, extra: str, error: Exception) -> TurntableError:
    """Return the error for users of a library, which an extra brings, whose import failed."""
    if not is_installed(library):
        return MissingExtraError(library, extra)
    cause = format_text(f"{type(error).__name__}: {error}", 300)
    for name, file in _iter_hiding_files(error):
        what = f"the library {name}" if name == library else f"Python's own module {name}"
        return BrokenLibraryError(
            f"{library} cannot be imported, because {file} hides {what}, whose name it has: rename that file "
            f"({cause})"
        )
    return BrokenLibraryError(
        f"{library} is installed, but cannot be imported ({cause}); install it again with all that it needs: "
        f"{format_install_command(extra)}"
    )


def _iter_hiding_files(error: Exception) -> Iterator[tuple[str, Path]]:
    """Yield the files that hide modules which an error speaks of, or in which it happened.

    A script's folder comes first when Python looks for modules: http.py in it hides Python's own http.
    """
    named = re.findall(r"'(\w+)", str(error))
    for name in dict.fromkeys([*named, *_iter_modules(error.__traceback__)]):
        file = _find_file(name)
        if file is not None and _is_hiding(name, file):
            yield name, file


def _iter_modules(traceback: TracebackType | None) -> Iterator[str]:
    """Yield the outermost names of the modules in which an error happened."""
    while traceback is not None:
        yield str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        traceback = traceback.tb_next


def _find_file(name: str) -> Path | None:
    """Return the file that Python imports under a name, or None without one."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


def _is_hiding(name: str, file: Path) -> bool:
    """Return True if a file has the name of a module of Python or a library of an extra, and is neither."""
    if _is_of_a_distribution(file):
        return False
    if name in sys.stdlib_module_names:
        folders = (sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib"))
        return file.exists() and not any(file.is_relative_to(folder) for folder in folders)
    return any(name in extra.libraries for extra in EXTRAS) and file.name == f"{name}.py"


def _is_of_a_distribution(file: Path) -> bool:
    """Return True if a file lies in a folder into which distributions are installed."""
    return not {"site-packages", "dist-packages"}.isdisjoint(file.parts)
