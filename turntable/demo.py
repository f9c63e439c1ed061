"""The whole chain in one call: render a zoo, verify it, train three methods, evaluate them, write a page."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from turntable.datasets import load_recipe, open_dataset, verify
from turntable.errors import IntegrityError, StoppedError
from turntable.evaluation import (
    Results,
    evaluate,
    protocol_by_name,
    read_details,
    together,
    write_runs_report,
)
from turntable.renderer import generate
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.runs import Listener, Progress
from turntable.training import TrainProgress, demo_config, train

METHODS = ("vicreg", "sie", "supervised")

# fmt: off
CATEGORIES = (
    "airplane", "bed", "bicycle", "camera", "car", "chair", "dog", "guitar",
    "helicopter", "laptop", "mug", "piano", "shoe", "sofa", "teapot", "truck",
)
# fmt: on
"""Of the zoo. Sixteen with 60 objects each teach a short training what turning is, so that it holds for
objects it has not seen; a dozen objects each of more categories did not (docs/performance.md)."""


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """What the demo makes; the defaults take about a quarter of an hour on two CPU cores."""

    folder: Path
    objects: int = 960
    views: int = 20
    workers: int = 2
    epochs: int | None = None
    """Of each training; None leaves it to the methods' demo settings."""

    def with_epochs(self, epochs: int) -> "DemoConfig":
        """The same with another length of training."""
        return replace(self, epochs=epochs)

    @property
    def dataset(self) -> Path:
        """The folder of the data set."""
        return self.folder / "zoo"

    @property
    def training(self) -> dict[str, Any]:
        """Changes to the methods' demo settings."""
        return {} if self.epochs is None else {"epochs": self.epochs}


class DemoWatcher(Protocol):
    """A listener that the demo tells how far it is; each method gives a callback for the time of a block."""

    def say(self, text: str) -> None:
        """Announce what comes next."""
        ...

    def warn(self, text: str) -> None:
        """Say what the user should know."""
        ...

    def rendering(self) -> AbstractContextManager[Callable[[Progress], None]]:
        """Watch rendering."""
        ...

    def verifying(self) -> AbstractContextManager[Callable[[int, int], None]]:
        """Watch verification: shards done, shards in all."""
        ...

    def training(self, method: str) -> AbstractContextManager[Callable[[TrainProgress], None]]:
        """Watch a training."""
        ...


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What the demo leaves."""

    page: Path
    results: tuple[Results, ...]


def _never() -> bool:
    return False


def run_demo(config: DemoConfig, watcher: DemoWatcher, stop: Callable[[], bool] = _never) -> DemoReport:
    """Do all of it; what an earlier, interrupted call has done is not done again.

    Args:
        config: What to make.
        watcher: Told how far it is.
        stop: Asked again and again; once true, the demo ends after the shards, the step or the evaluation
            in hand.

    Raises:
        InvalidInputError: The folder holds something else.
        IntegrityError: The data set does not verify.
        StoppedError: ``stop`` said so; the same call goes on.
    """
    _render(config, watcher, stop)
    runs = [_train(config, method, watcher, stop) for method in METHODS]
    results = []
    for run in runs:
        if stop():
            raise StoppedError(f"{run}: stopped before its evaluation; the same command goes on from here")
        watcher.say(f"evaluate {run.name}")
        results.append(evaluate(run, config.dataset, protocol=protocol_by_name("turntable-demo")))
    return DemoReport(_report(config, runs, results), tuple(results))


def _render(config: DemoConfig, watcher: DemoWatcher, stop: Callable[[], bool]) -> None:
    watcher.say(f"render {config.objects} objects, {config.views} views of each")
    recipe = load_recipe("zoo").replace(views=config.views)
    with watcher.rendering() as bar:
        source = ZooSource(config.objects, CATEGORIES)
        listener = Listener(bar, watcher.warn, stop=stop)
        generate(recipe, source, config.dataset, workers=config.workers, listener=listener)
    watcher.say("verify")
    with watcher.verifying() as bar:
        report = verify(config.dataset, bar, deep=True)
    if not report.ok:
        raise IntegrityError(f"{config.dataset} does not verify:\n  " + "\n  ".join(report.problems))


def _train(config: DemoConfig, method: str, watcher: DemoWatcher, stop: Callable[[], bool]) -> Path:
    watcher.say(f"train {method}")
    settings = demo_config(method, config.dataset, **config.training)
    with watcher.training(method) as bar:
        return train(settings, config.folder / method, bar, warn=watcher.warn, stop=stop)


def _report(config: DemoConfig, runs: Sequence[Path], results: Sequence[Results]) -> Path:
    details = together({run.name: read_details(run / "details.npz") for run in runs})
    dataset = open_dataset(config.dataset)
    return write_runs_report(runs, dataset, results, details, config.folder / "report.html")
