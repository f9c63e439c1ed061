"""One step in a process of its own: a line for each figure, and all else that is printed to the log.

    python benchmarks/gpu/step_process.py MODULE DEVICE OUT WORK WORKERS SECONDS

MODULE is that of the step's entry in ``steps``.
"""

import importlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(Path(__file__).parent)]

from steps import NotPossibleError, Setting  # noqa: E402


def main(words: list[str]) -> int:
    """Run the step, and say a word where it ends early.

    Returns:
        0 where it was done, 3 where this machine cannot do it; another number where it failed.
    """
    module, device, out, work, workers, seconds = words
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is for the log
    setting = Setting(device, Path(out), Path(work), int(workers), float(seconds))
    try:
        for row in importlib.import_module(module).run(setting):
            lines.write(json.dumps(asdict(row)) + "\n")
    except NotPossibleError as error:
        lines.write(json.dumps({"word": str(error)}) + "\n")
        return 3
    except Exception as error:
        lines.write(json.dumps({"word": _word(error)}) + "\n")
        raise
    return 0


def _word(error: Exception) -> str:
    said = str(error).strip().split("\n")[0][:300]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
