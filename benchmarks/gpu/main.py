"""Everything that a borrowed GPU can tell, in minutes, on a bare machine without a network.

    scripts/gpu --minutes 8 --out DIR              # a second call goes on where the first stopped
    scripts/gpu --device cpu --minutes 6 --out DIR # all steps, small, in software
    scripts/gpu --table DIR                        # puts the figures into docs/performance.md
    scripts/gpu --pack DIR --python 3.12 --have torch numpy …   # all that such a machine lacks, to take along
    scripts/gpu --pack DIR --platform aarch64 --have there.txt  # "pip freeze" of that machine

docs/gpu.md says what each step proves.
"""

import argparse
import os
import shlex
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import results_page
import step_runner
from steps import STEPS, Setting

ROOT = Path(__file__).resolve().parents[2]
PERFORMANCE = ROOT / "docs" / "performance.md"


def parsed(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        "scripts/gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=_minutes, default=8.0, help="all steps together end before that")
    parser.add_argument("--out", type=Path, help="a folder for results: at most eight files")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--workers", type=_count, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--only", nargs="+", choices=[step.name for step in STEPS], help="these steps alone")
    parser.add_argument("--again", action="store_true", help="steps that are done too")
    parser.add_argument("--table", type=Path, metavar="DIR", help="a folder of results, for the docs")
    parser.add_argument("--pack", type=Path, metavar="DIR", help="a folder for what a bare machine lacks")
    parser.add_argument("--python", default="3.12", help="the bare machine's")
    parser.add_argument("--platform", choices=("x86_64", "aarch64"), default="x86_64", help="its processor")
    parser.add_argument(
        "--have",
        nargs="*",
        default=[],
        help="packages that it has, or a file with one a line, as pip freeze says",
    )
    return parser.parse_args(words)


def _minutes(text: str) -> float:
    with suppress(ValueError):
        if 0 < float(text) <= 24 * 60:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text}: give a number of minutes, above 0 and at most a day")


def _count(text: str) -> int:
    with suppress(ValueError):
        if 1 <= int(text) <= 1024:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text}: give a whole number from 1 to 1024")


def main(words: list[str]) -> int:
    """Do what the words say."""
    arguments = parsed(words)
    if arguments.table is not None:
        return _table(arguments.table)
    if arguments.pack is not None:
        import wheel_pack

        target = wheel_pack.Target(arguments.python, arguments.platform)
        return wheel_pack.pack(arguments.pack, target, wheel_pack.named(arguments.have))
    if arguments.out is None:
        print("scripts/gpu: give a folder for the results: --out DIR", file=sys.stderr)
        return 2
    return _run(arguments, words)


def _run(arguments: argparse.Namespace, words: list[str]) -> int:
    out = arguments.out.resolve()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"scripts/gpu: {out}: no folder for results ({error.strerror})", file=sys.stderr)
        return 2
    results = step_runner.read_results(out)
    if results.get("device", arguments.device) != arguments.device:
        print(
            f"scripts/gpu: {out} has results of --device {results['device']}; choose another folder for "
            f"those of {arguments.device}",
            file=sys.stderr,
        )
        return 2
    results |= {
        "command": f"scripts/gpu {shlex.join(words)}",
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": arguments.device,
        "machine": f"{os.cpu_count()} cores, {arguments.workers} workers, --device {arguments.device}",
    }
    steps = [step for step in STEPS if arguments.only is None or step.name in arguments.only]
    if arguments.again:
        for step in steps:
            results["steps"].pop(step.name, None)
    work = Path(tempfile.gettempdir()) / f"turntable-gpu-{sha256(str(out).encode()).hexdigest()[:12]}"
    setting = Setting(arguments.device, out, work, arguments.workers, 0.0)
    step_runner.run_steps(steps, setting, arguments.minutes, results)
    print(f"\n{out / results_page.PAGE} has the figures", flush=True)
    failed = [name for name, entry in results["steps"].items() if entry["state"] == "failed"]
    return 1 if failed else 0


def _table(folder: Path) -> int:
    results = step_runner.read_results(folder)
    if not results["steps"]:
        print(f"scripts/gpu: {folder} has no results; make them: scripts/gpu --out {folder}", file=sys.stderr)
        return 2
    try:
        results_page.put_into(PERFORMANCE, results)
    except ValueError as error:
        print(f"scripts/gpu: {error}", file=sys.stderr)
        return 2
    print(f"{PERFORMANCE.relative_to(ROOT)} has the figures")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
