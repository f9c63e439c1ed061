"""How turntable is installed here, and the line that adds an extra."""

import json
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

DISTRIBUTION = "turntable3d"
"""The name on the package index, where ``turntable`` is another project's."""


def install_hint(extra: str) -> str:
    """Return the line for a shell that installs turntable with an extra, from where it comes from here.

    A checkout is installed in place, by the path that leads to it from the current folder; whatever else
    turntable was installed from, the package index has it.
    """
    folder = next(filter(_is_checkout, _folders()), None)
    if folder is None:
        return f'pip install "{DISTRIBUTION}[{extra}]"'
    place = "." if folder.samefile(".") else re.sub(r'(["$`\\])', r"\\\1", str(folder))
    return f'pip install -e "{place}[{extra}]"'


def _folders() -> Iterator[Path]:
    """Yield where a checkout may lie: around this very package, and where an editable installation says."""
    yield Path(__file__).resolve().parents[1]
    try:
        record = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")  # of PEP 610
    except metadata.PackageNotFoundError:
        return
    origin = json.loads(record or "{}")
    if origin.get("dir_info", {}).get("editable"):
        yield Path(url2pathname(urlsplit(origin["url"]).path))


def _is_checkout(folder: Path) -> bool:
    """Return whether a folder's pyproject.toml is turntable's, and not of a project that holds a copy."""
    try:
        settings = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return settings.get("project", {}).get("name") == DISTRIBUTION
