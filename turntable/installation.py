"""The way turntable is installed on this machine, and the command that adds an extra to it."""

import json
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

DISTRIBUTION = "turntable3d"
"""Name of the distribution on the package index, where ``turntable`` belongs to another project."""


def format_install_command(extra: str) -> str:
    """Return the shell command that installs turntable with an extra.

    A checkout is installed in place, by its path. In all other cases the command uses the package index.

    Args:
        extra: Name of the extra.
    """
    folder = next(filter(_is_checkout, _iter_checkout_candidates()), None)
    if folder is None:
        return f'pip install "{DISTRIBUTION}[{extra}]"'
    # Within double quotes a shell still interprets these four characters.
    path = "." if folder.samefile(".") else re.sub(r'(["$`\\])', r"\\\1", str(folder))
    return f'pip install -e "{path}[{extra}]"'


def _iter_checkout_candidates() -> Iterator[Path]:
    """Yield the folders that may be a checkout: this package's, and that of an editable installation."""
    yield Path(__file__).resolve().parents[1]
    try:
        record = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")  # defined by PEP 610
    except metadata.PackageNotFoundError:
        return
    origin = json.loads(record or "{}")
    if origin.get("dir_info", {}).get("editable"):
        yield Path(url2pathname(urlsplit(origin["url"]).path))


def _is_checkout(folder: Path) -> bool:
    """Return True if a folder has turntable's pyproject.toml, and not that of a project with a copy of it."""
    try:
        settings = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return settings.get("project", {}).get("name") == DISTRIBUTION
