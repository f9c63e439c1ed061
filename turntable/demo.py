"""The demo: render a zoo, verify it, train three methods, evaluate them and write a report, in one call."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from turntable.datasets import load_recipe, open_dataset, verify_dataset
from turntable.datasets.files import encode_jpeg
from turntable.errors import IntegrityError, StoppedError
from turntable.evaluation import (
    EvaluationResults,
    StageProgress,
    evaluate,
    get_protocol,
    locate_result_files,
    merge_figure_data,
    read_figure_data,
    write_runs_report,
)
from turntable.evaluation.report import ReportFigure
from turntable.renderer import draw_modality_strip, generate
from turntable.renderer.backends import select_backend
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.runs import Progress, RunListener
from turntable.training import TrainProgress, make_demo_config, train

METHODS = ("vicreg", "sie", "supervised")
"""Names of the methods that are trained."""

# fmt: off
CATEGORIES = (
    "airplane", "bed", "bicycle", "camera", "car", "chair", "dog", "guitar",
    "helicopter", "laptop", "mug", "piano", "shoe", "sofa", "teapot", "truck",
)
# fmt: on
"""Categories of the zoo. With 60 objects in each of these sixteen, a short training learns rotations that
carry over to unseen objects. With a dozen objects in each of more categories it did not
(docs/lab-notebook.md)."""


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """Settings of the demo; the defaults take about a quarter of an hour on two CPU cores."""

    folder: Path
    num_objects: int = 960
    num_views: int = 20
    num_workers: int = 2
    epochs: int | None = None
    """Number of epochs of each training; None for the methods' demo settings."""

    def with_epochs(self, epochs: int) -> "DemoConfig":
        """Return these settings with another number of epochs."""
        return replace(self, epochs=epochs)

    @property
    def dataset_folder(self) -> Path:
        """Folder of the data set."""
        return self.folder / "zoo"

    @property
    def training_changes(self) -> dict[str, Any]:
        """Changes to the methods' demo settings."""
        return {} if self.epochs is None else {"epochs": self.epochs}


class DemoListener(Protocol):
    """A listener for the demo's progress; each ``watch_`` method returns a context that gives a callback."""

    def announce(self, text: str) -> None:
        """Announce the next stage."""
        ...

    def warn(self, text: str) -> None:
        """Show a warning."""
        ...

    def watch_rendering(self) -> AbstractContextManager[Callable[[Progress], None]]:
        """Return a context whose callback receives the progress of rendering."""
        ...

    def watch_verification(self) -> AbstractContextManager[Callable[[int, int], None]]:
        """Return a context whose callback receives the number of shards verified, and of all shards."""
        ...

    def watch_training(self, method: str) -> AbstractContextManager[Callable[[TrainProgress], None]]:
        """Return a context whose callback receives the progress of a training."""
        ...

    def watch_evaluation(self, method: str) -> AbstractContextManager[Callable[[StageProgress], None]]:
        """Return a context whose callback receives the progress of an evaluation."""
        ...


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The report's path and the results behind it."""

    page_path: Path
    results: tuple[EvaluationResults, ...]


def _return_false() -> bool:
    return False


def _ignore(_: str) -> None:
    """Do nothing with a line about a replaced result: a demo that is resumed evaluates again."""


def run_demo(
    config: DemoConfig, listener: DemoListener, stop: Callable[[], bool] = _return_false
) -> DemoReport:
    """Run the demo, or resume one that was interrupted.

    Args:
        config: Settings of the demo.
        listener: Listener for its progress.
        stop: Function that is called often; once it returns True, the demo ends after the shards, the step or
            the evaluation that it is working on.

    Raises:
        InvalidInputError: The folder holds other results.
        IntegrityError: The data set does not verify.
        StoppedError: ``stop`` returned True; the same call resumes.
    """
    _render(config, listener, stop)
    runs = [_train(config, method, listener, stop) for method in METHODS]
    results = []
    for run in runs:
        if stop():
            raise StoppedError(f"{run}: stopped before its evaluation; run the same command again to resume")
        results.append(_evaluate(config, run, listener))
    return DemoReport(_write_report(config, runs, results), tuple(results))


def _render(config: DemoConfig, demo_listener: DemoListener, stop: Callable[[], bool]) -> None:
    demo_listener.announce(f"render {config.num_objects} objects, {config.num_views} views of each")
    recipe = load_recipe("zoo").replace(views=config.num_views)
    with demo_listener.watch_rendering() as bar:
        source = ZooSource(config.num_objects, CATEGORIES)
        listener = RunListener(bar, demo_listener.warn, should_stop=stop)
        generate(recipe, source, config.dataset_folder, num_workers=config.num_workers, listener=listener)
    demo_listener.announce("verify")
    with demo_listener.watch_verification() as bar:
        report = verify_dataset(config.dataset_folder, bar, deep=True)
    if not report.ok:
        raise IntegrityError(f"{config.dataset_folder} does not verify:\n  " + "\n  ".join(report.problems))


def _train(config: DemoConfig, method: str, listener: DemoListener, stop: Callable[[], bool]) -> Path:
    listener.announce(f"train {method}")
    settings = make_demo_config(method, config.dataset_folder, **config.training_changes)
    with listener.watch_training(method) as bar:
        return train(settings, config.folder / method, bar, warn=listener.warn, stop=stop)


def _evaluate(config: DemoConfig, run: Path, listener: DemoListener) -> EvaluationResults:
    listener.announce(f"evaluate {run.name}")
    with listener.watch_evaluation(run.name) as bar:
        protocol = get_protocol("turntable-demo")
        return evaluate(run, config.dataset_folder, None, protocol, bar, notify=_ignore)


def _write_report(config: DemoConfig, runs: Sequence[Path], results: Sequence[EvaluationResults]) -> Path:
    files = [locate_result_files(run, each) for run, each in zip(runs, results, strict=True)]
    details = merge_figure_data(
        {run.name: read_figure_data(each.details_path) for run, each in zip(runs, files, strict=True)}
    )
    dataset = open_dataset(config.dataset_folder)
    page = config.folder / "report.html"
    return write_runs_report(runs, dataset, results, details, page, [_draw_modalities()])


def _draw_modalities() -> ReportFigure:
    """Draw the figure of what a view can show besides one rigid object."""
    with select_backend().open() as backend:
        strip = draw_modality_strip(backend)
    return ReportFigure(
        encode_jpeg(strip, quality=90),
        "More than one rigid object",
        "The same generator poses objects with joints (recipe articulated), scenes of several objects"
        " (scenes), solids whose symmetry is known (solids) and particles that move by a law (charged: frames"
        " of one sequence). The poses of all parts are labels.",
    )
