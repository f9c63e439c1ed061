"""Print what `scripts/test --lowest` installs: the libraries of the extras, in the lowest versions allowed.

pip has no option for this. torch is left out: its version is that of constraints.txt. The tools that the
tests need are in their latest versions.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
EXTRAS = ("render", "compressed", "molecules", "train", "serve", "cluster", "wandb", "pyrender", "testing")
TOOLS = ("hypothesis", "moto", "pytest-xdist", "trimesh")
"""Libraries of the extra `dev` that the chosen tests need."""
OTHER_TOOLS = ("httpx",)
"""Libraries that starlette's test client needs in the lowest version; in later ones it takes httpx2."""
ANY_VERSION = ("torch",)

REQUIREMENT = re.compile(r"(?P<name>[\w-]+)(?P<extras>\[[\w,]+\])?(?:>=(?P<lowest>[\d.]+)[^;]*)?")


def parse(line: str) -> re.Match[str]:
    """Return a requirement's name, extras and lower bound."""
    found = REQUIREMENT.fullmatch(line)
    if found is None:
        sys.exit(f"{PROJECT}: {line!r} is not of the form NAME[EXTRAS]>=LOWEST,<NEXT")
    return found


def find_lowest(project: dict) -> Iterator[str]:
    """Yield every library that users get, in the lowest version allowed: "numpy==1.26"."""
    optional = project["optional-dependencies"]
    for line in [*project["dependencies"], *(line for extra in EXTRAS for line in optional[extra])]:
        found = parse(line)
        if found["name"] in (project["name"], *ANY_VERSION):
            continue
        if found["lowest"] is None:
            sys.exit(f"{PROJECT}: {line!r} has no lower bound")
        yield f"{found['name']}=={found['lowest']}"


def find_tools(project: dict) -> Iterator[str]:
    """Yield the tools of the tests, as the extra `dev` has them."""
    yield from OTHER_TOOLS
    yield from (line for line in project["optional-dependencies"]["dev"] if parse(line)["name"] in TOOLS)


def main() -> None:
    """Print the extras, and then the requirements, one a line."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    print(",".join(EXTRAS))
    print("\n".join([*dict.fromkeys(find_lowest(project)), *find_tools(project)]))


if __name__ == "__main__":
    main()
