"""Every method on one recipe, with three seeds each, next to an untrained encoder.

    scripts/bench methods --out runs/benchmark                   # all of it: about two hours on two cores
    scripts/bench methods --out runs/benchmark --methods sie vicreg --seeds 0
    scripts/bench methods --out runs/benchmark --write docs/benchmarks.md
    scripts/bench methods --out runs/paper --paper --data DIR --set amp=bf16 epochs=200   # on a GPU

Renders the shipped recipe ``zoo-benchmark`` from the zoo, trains each method with its demo settings for the
same number of images, evaluates it, and prints the table with two expectations: every method predicts the
category better than the untrained encoder, and every equivariant method predicts the rotation better than
VICReg. Finished runs of an earlier call are kept. With ``--paper`` each method has its paper's settings, and
the protocol's heads are trained for their full length.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turntable.studies.comparison import ComparedPart

CATEGORIES = ("airplane", "car", "chair", "dog", "guitar", "shoe", "teapot", "truck")
OBJECTS = 960
POINTS = 512
"""The size of each object's cloud, for methods that learn from points."""
SEEDS = (0, 1, 2)
UNTRAINED = "untrained"
BASELINE = "vicreg"
PROBED = ("representation", "invariant", "equivariant")
ASKED = ("top1", "r2_averaged")
INTRODUCTION = Path(__file__).with_name("methods_page.md")
"""The text of the page before its table."""


@dataclass(frozen=True, slots=True)
class Job:
    """One method with one seed."""

    method: str
    seed: int
    root: Path

    @property
    def run(self) -> Path:
        """Its folder."""
        return self.root / f"{self.method}-{self.seed}"

    @property
    def is_done(self) -> bool:
        """True if its scores exist."""
        from turntable.evaluation import list_result_files

        return bool(list_result_files(self.run))


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings shared by all trainings."""

    paper: bool
    """True for the papers' settings, False for the demo's."""
    changes: Sequence[str]
    """"NAME=VALUE", as of ``turntable train --set``."""
    threads: int
    """Number of threads of a job."""


def equivariant_methods() -> tuple[str, ...]:
    """Return the methods whose loss reads how an object turned, without being supervised by it alone."""
    from turntable.models import METHODS

    told = ("relative_", "_difference")
    return tuple(
        name
        for name, entry in METHODS.items()
        if not name.startswith("supervised") and any(word in field for field in entry.reads for word in told)
    )


def render(place: Path, objects: int) -> None:
    """Render the data set if it does not exist."""
    from turntable.datasets import load_recipe
    from turntable.processes import count_usable_cores
    from turntable.renderer import generate
    from turntable.renderer.meshes.sources import ZooSource

    if not (place / "manifest.json").exists():
        recipe = load_recipe("zoo-benchmark").replace(points=POINTS)
        generate(recipe, ZooSource(objects, CATEGORIES), place, num_workers=count_usable_cores())


def learn(job: Job, dataset: Path, settings: Settings) -> None:
    """Train and evaluate, in this process."""
    import torch

    from turntable.evaluation import evaluate, evaluate_untrained, get_protocol
    from turntable.training import make_demo_config, make_paper_config, parse_overrides, train

    torch.set_num_threads(settings.threads)
    protocol = get_protocol("turntable" if settings.paper else "turntable-demo")
    method = BASELINE if job.method == UNTRAINED else job.method
    changes = {**parse_overrides(method, settings.changes), "seed": job.seed}
    config = (make_paper_config if settings.paper else make_demo_config)(method, dataset, **changes)
    if job.method == UNTRAINED:
        evaluate_untrained(config, job.run, protocol)
        return
    train(config, job.run)
    evaluate(job.run, dataset, protocol=protocol)


def in_a_process(job: Job, words: Sequence[str], threads: int) -> str | None:
    """Run one job of the command in a process of its own; say what went wrong, if anything did."""
    if job.is_done:
        return None
    command = [sys.executable, __file__, *words, "--job", job.method, str(job.seed)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    began = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    print(f"{job.run.name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
    return f"{job.run.name}: {said[-1]}"


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    from turntable.models import METHODS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set and the runs")
    parser.add_argument("--methods", nargs="+", default=[UNTRAINED, *METHODS], choices=[UNTRAINED, *METHODS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[*SEEDS])
    parser.add_argument("--objects", type=int, default=OBJECTS)
    parser.add_argument("--data", type=Path, help="a data set to learn from, instead of one rendered here")
    parser.add_argument("--paper", action="store_true", help="the papers' settings, one job at a time")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="other settings, of all")
    parser.add_argument("--jobs", type=int, help="at once, which share the cores (else one a core)")
    parser.add_argument("--write", type=Path, help="a page to put the table into")
    parser.add_argument("--job", nargs=2, metavar=("METHOD", "SEED"), help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: Sequence[str]) -> None:
    """Do it all, or one job of it."""
    arguments = parsed(words)
    cores = os.cpu_count() or 1
    at_once = arguments.jobs or (1 if arguments.paper else cores)
    settings = Settings(arguments.paper, arguments.set, max(1, cores // at_once))
    dataset = arguments.data or arguments.out / "zoo"
    if arguments.job:
        method, seed = arguments.job
        learn(Job(method, int(seed), arguments.out), dataset, settings)
        return
    if arguments.data is None:
        render(dataset, arguments.objects)
    jobs = [Job(method, seed, arguments.out) for seed in arguments.seeds for method in arguments.methods]
    with ThreadPoolExecutor(at_once) as pool:
        told = list(pool.map(lambda job: in_a_process(job, words, settings.threads), jobs))
    faults = [fault for fault in told if fault]
    if not any(job.is_done for job in jobs):
        sys.exit("\n".join(faults))
    runs = [job.run for job in sorted(jobs, key=lambda job: arguments.methods.index(job.method))]
    as_shipped = not (arguments.paper or arguments.data or arguments.set)
    text = page(runs, introduction(None if as_shipped else words))
    print(text)
    if arguments.write is not None:
        arguments.write.write_text(text, encoding="utf-8")
    if faults:
        sys.exit("\n".join(faults))


def introduction(words: Sequence[str] | None) -> str:
    """Return the text before the table; for other settings it names the command."""
    if words is None:
        return INTRODUCTION.read_text("utf-8").rstrip()
    command = f"scripts/bench methods {shlex.join(words)}"
    return f"# Benchmarks: all methods on one data set\n\nMade by `{command}`."


def page(runs: Sequence[Path], introduced: str) -> str:
    """Return the page: the table of finished runs, and the questions asked of it."""
    from turntable.evaluation import list_result_files
    from turntable.studies import compare_runs, comparison_to_markdown

    comparison = compare_runs([run for run in runs if list_result_files(run)])
    best = best_parts(comparison.entries)
    means = {
        method: {metric: entry.summaries[metric].mean for metric, entry in by_metric.items()}
        for method, by_metric in best.items()
    }
    return "\n\n".join(
        [
            introduced,
            comparison_to_markdown(comparison),
            "## Expected of all methods",
            "The best part of each method. In brackets: the widest 95 % bootstrap interval over objects"
            " of all seeds.",
            with_intervals(best),
            asked(means),
        ]
    )


def best_parts(entries: Sequence["ComparedPart"]) -> dict[str, dict[str, "ComparedPart"]]:
    """Return the entry of each method's best part, by method and metric."""
    found: dict[str, dict[str, ComparedPart]] = {}
    for entry in entries:
        for metric in ASKED:
            if entry.part in PROBED and metric in entry.summaries:
                by_metric = found.setdefault(entry.method, {})
                held = by_metric.setdefault(metric, entry)
                if entry.summaries[metric].mean > held.summaries[metric].mean:
                    by_metric[metric] = entry
    return found


def with_intervals(best: Mapping[str, Mapping[str, "ComparedPart"]]) -> str:
    """Return a table of the metrics asked about: mean over seeds ± deviation, interval, and part."""
    from turntable.evaluation.report import CATALOG

    lines = [
        ["method", *(CATALOG.columns[metric].short_heading for metric in ASKED)],
        ["---"] * (1 + len(ASKED)),
    ]
    for method, by_metric in best.items():
        cells = [method]
        for metric in ASKED:
            entry, told = by_metric[metric], CATALOG.columns[metric].format_value
            summary = entry.summaries[metric]
            spread = "" if summary.spread is None else f" ± {told(summary.spread)}"
            interval = f"[{told(summary.low)}, {told(summary.high)}]"
            cells.append(f"{told(summary.mean)}{spread} {interval} {entry.part}")
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def asked(best: Mapping[str, Mapping[str, float]]) -> str:
    """Return a line for each question, with the methods that fail."""
    top1 = {method: scores["top1"] for method, scores in best.items()}
    turns = {method: scores["r2_averaged"] for method, scores in best.items()}
    lines = []
    if UNTRAINED in top1:
        failed = [m for m in top1 if m != UNTRAINED and top1[m] <= top1[UNTRAINED]]
        lines.append(_line("Every method predicts the category better than an untrained encoder", failed))
    if BASELINE in turns:
        told = [m for m in turns if m in equivariant_methods()]
        failed = [m for m in told if turns[m] <= turns[BASELINE]]
        lines.append(_line(f"Every equivariant method predicts the rotation better than {BASELINE}", failed))
    return "\n".join(lines) + "\n"


def _line(question: str, failed: Sequence[str]) -> str:
    return f"- {question}: {'yes' if not failed else 'no, not ' + ', '.join(failed)}."


if __name__ == "__main__":
    main(sys.argv[1:])
