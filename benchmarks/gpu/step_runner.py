"""Steps one after the other, each in a process that is ended when its time is over; results as they come.

Nothing here needs more than Python itself, so that a machine without any library gets its results too.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from results_page import write_page
from steps import Setting, Step

CHILD = Path(__file__).with_name("step_process.py")
RESULTS = "results.json"
LOG = "log.txt"
CANNOT = 3
"""The exit status of a step that this machine cannot do."""
_TO_END_S = 3.0
"""Kept for the ending of the last step and the page."""
_AGAIN = ("stopped", "skipped", "failed")

Results = dict[str, Any]


def read_results(out: Path) -> Results:
    """Read what earlier calls found; nothing where there is none, or where it is broken."""
    try:
        found = json.loads((out / RESULTS).read_text())
    except (OSError, ValueError):
        return {"steps": {}}
    whole = isinstance(found, dict) and isinstance(found.get("steps"), dict)
    return found if whole else {"steps": {}}


def write_results(out: Path, results: Results) -> None:
    """Write them whole, and the page of them."""
    part = out / f".{RESULTS}.part"
    part.write_text(json.dumps(results, indent=1) + "\n")
    part.replace(out / RESULTS)
    write_page(out, results)


def run_steps(steps: Iterable[Step], setting: Setting, minutes: float, results: Results) -> None:
    """Do what no earlier call has done, for as long as there is time."""
    ends = time.monotonic() + 60 * minutes
    for step in steps:
        known = results["steps"].get(step.name)
        if known is not None and known["state"] not in _AGAIN:
            continue
        left = ends - time.monotonic() - _TO_END_S
        entry = _begun(known)
        results["steps"][step.name] = entry
        if word := _why_not(step, left):
            entry |= {"state": "skipped", "word": word}
        else:
            limit = left if step.takes_the_rest else min(left, step.most_s)
            _run_step(step, replace(setting, seconds=limit), entry, results)
        told = f": {entry['word']}" if entry["word"] else ""
        print(f"{step.name}: {entry['state']}, {entry['seconds']:.0f} s{told}", flush=True)
        write_results(setting.out, results)


def _begun(known: dict[str, Any] | None) -> dict[str, Any]:
    """Return a step's entry before it runs; figures of an earlier attempt stay until there are new ones."""
    return {"state": "skipped", "word": "", "seconds": 0.0, "rows": known["rows"] if known else []}


def _why_not(step: Step, left: float) -> str:
    """Say why a step is not begun; nothing where it is."""
    missing = [name for name in step.needs if find_spec(name) is None]
    if missing:
        return f"not installed here: {', '.join(missing)}"
    if left < step.least_s:
        return f"{max(left, 0):.0f} s were left, it needs {step.least_s:.0f}"
    return ""


def _run_step(step: Step, setting: Setting, entry: dict[str, Any], results: Results) -> None:
    began = time.monotonic()
    setting.work.mkdir(parents=True, exist_ok=True)
    words = [
        step.module,
        setting.device,
        setting.out,
        setting.work,
        setting.workers,
        f"{setting.seconds:.1f}",
    ]
    with (setting.out / LOG).open("ab", buffering=0) as log:
        log.write(f"\n== {step.name}\n".encode())
        over = threading.Event()
        with subprocess.Popen(
            [sys.executable, str(CHILD), *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        ) as process:
            timer = threading.Timer(setting.seconds, _end, [process, over])
            timer.start()
            assert process.stdout is not None
            _take_rows(process.stdout, entry, setting.out, results)
            timer.cancel()
        _kill(process)  # workers that it left
    entry["seconds"] = round(time.monotonic() - began, 1)
    if over.is_set():
        entry |= {"state": "stopped", "word": f"ended after {setting.seconds:.0f} s"}
    elif process.returncode == 0:
        entry |= {"state": "done", "word": ""}
    elif process.returncode == CANNOT:
        entry["state"] = "skipped"
    else:
        how = f"ended with status {process.returncode}; {LOG} has more"
        entry |= {"state": "failed", "word": entry["word"] or how}


def _take_rows(lines: IO[str], entry: dict[str, Any], out: Path, results: Results) -> None:
    """Keep each figure as soon as it is told."""
    rows = list[dict[str, Any]]()
    for line in lines:
        said = json.loads(line)
        if "word" in said:
            entry["word"] = said["word"]
            continue
        rows.append(said)
        entry["rows"] = rows
        write_results(out, results)


def _end(process: "subprocess.Popen[str]", over: threading.Event) -> None:
    over.set()
    _kill(process)


def _kill(process: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
