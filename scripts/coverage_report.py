"""Says how many lines of turntable/ the last `scripts/test` ran, and which files are below the floor.

The floor is `fail_under` in pyproject.toml. The exit status is 2 where the total is below it.
"""

import json
import sys
import warnings
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import CoverageWarning

BELOW_FLOOR = 2


def combined() -> Coverage:
    """Put the data of all processes together."""
    measured = Coverage()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CoverageWarning)
        measured.combine()
    measured.save()
    data = Path(measured.get_data().data_filename())
    for half in data.parent.glob(f"{data.name}.*"):  # by a process that was killed as it wrote
        half.unlink()
    return measured


def main() -> int:
    """Print the lines, and return the exit status."""
    measured = combined()
    total = measured.json_report()
    floor = float(measured.get_option("report:fail_under") or 0)
    files = json.loads(Path(str(measured.get_option("json:output"))).read_text("utf-8"))["files"]
    shares = sorted((file["summary"]["percent_covered"], name) for name, file in files.items())
    for share, name in shares:
        if share < floor:
            print(f"{share:6.1f} %  {name}")
    print(f"{total:6.1f} %  of the lines of turntable/ ran; the floor is {floor:g} %")
    return BELOW_FLOOR if total < floor else 0


if __name__ == "__main__":
    sys.exit(main())
