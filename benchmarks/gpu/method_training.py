"""Four methods trained on this device at one budget, which is as large as the time allows, and evaluated.

The budget is a number of epochs, the same for all. A short run of each tells how long an epoch takes, one
evaluation how long those take; the time that is left then is shared out.
"""

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from methods import ASKED, CATEGORIES, PROBED
from steps import NotPossibleError, Row, Rows, Setting, need_cuda

from turntable.datasets import load_recipe
from turntable.evaluation import EvaluationResults, Protocol, evaluate, get_protocol
from turntable.renderer import generate
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.runs.engines import ProcessEngine
from turntable.training import TrainConfig, make_demo_config, make_paper_config, train

METHODS = ("sie", "equicaps-4x4", "seq-jepa", "vicreg")
SET = "methods"
SHARE = 0.6
"""The share of the time left that is planned with: the rest is for what varies on a machine with others."""


def run(setting: Setting) -> Rows:
    """Render, time an epoch of each, train all for as many epochs as fit, and yield the scores."""
    need_cuda(setting)
    ends = time.monotonic() + setting.seconds
    folder, protocol = setting.work / SET, _protocol(setting)
    yield Row("data set", _rendered(setting, folder))
    an_epoch_s = beside_s = 0.0
    for method in METHODS:
        epoch_s, start_s = _an_epoch(_config(setting, method, folder, 2), _place(setting, method))
        an_epoch_s, beside_s = an_epoch_s + epoch_s, beside_s + start_s
        yield Row(f"{method}, an epoch", epoch_s, "s")
    evaluation_s, _ = _scored(_place(setting, METHODS[0]), folder, protocol)
    yield Row(f"{METHODS[0]}, its evaluation", evaluation_s, "s")
    beside_s += len(METHODS) * evaluation_s
    epochs = epochs_that_fit(an_epoch_s, beside_s, ends - time.monotonic())
    yield Row("budget, the same for all", float(epochs), "epochs")
    for method in METHODS:
        place = _place(setting, method)
        began = time.monotonic()
        _train_anew(_config(setting, method, folder, epochs), place)
        yield Row(f"{method}, training", time.monotonic() - began, "s")
        _, results = _scored(place, folder, protocol)
        for name, value in best_scores(results).items():
            yield Row(f"{method}, {name}", value)


def epochs_that_fit(an_epoch_s: float, beside_s: float, left_s: float) -> int:
    """Return how many epochs each method can be trained.

    Args:
        an_epoch_s: Time of one epoch of all of them.
        beside_s: Time of their starts and evaluations.
        left_s: The time that there is.

    Raises:
        NotPossibleError: Not one.
    """
    epochs = int((SHARE * left_s - beside_s) / an_epoch_s)
    if epochs < 1:
        needed = (an_epoch_s + beside_s) / SHARE
        raise NotPossibleError(
            f"{left_s:.0f} s are left; one epoch of all and their scores take {needed:.0f}"
        )
    return epochs


def best_scores(results: EvaluationResults) -> Mapping[str, float]:
    """Return what is asked of a method: the best of its parts."""
    rows = [row for row in results.rows if row.name in PROBED]
    found = {name: [row.scores[name].value for row in rows if name in row.scores] for name in ASKED}
    return {name: max(values) for name, values in found.items() if values}


def _rendered(setting: Setting, folder: Path) -> str:
    objects, views, size = (960, 20, 128) if setting.on_gpu else (48, 4, 32)
    if not (folder / "manifest.json").exists():
        recipe = load_recipe("zoo-benchmark").replace(image_size_px=size, views=views)
        source = ZooSource(objects, CATEGORIES)
        generate(recipe, source, folder, engine=ProcessEngine(setting.workers), device=setting.draws_on)
    return f"{objects} objects of the zoo, {views} views each, {size} px"


def _config(setting: Setting, method: str, folder: Path, epochs: int) -> TrainConfig:
    changes: dict[str, Any] = {"epochs": epochs, "num_workers": setting.workers, "device": setting.device}
    if setting.on_gpu:
        return make_paper_config(method, folder, amp="bf16", batch_size=256, pairs_per_object=8, **changes)
    return make_demo_config(method, folder, batch_size=16, pairs_per_object=1, image_size=None, **changes)


def _protocol(setting: Setting) -> Protocol:
    demo = get_protocol("turntable-demo")
    if setting.on_gpu:
        return demo
    return replace(demo.with_probe_settings(epochs=2), pairs=replace(demo.pairs, val_per_object=4))


def _place(setting: Setting, method: str) -> Path:
    return setting.work / f"run-{method}"


def _train_anew(config: TrainConfig, place: Path) -> list[float]:
    """Train, and return when each step began."""
    shutil.rmtree(place, ignore_errors=True)
    stamps = list[float]()

    def stamp() -> bool:
        stamps.append(time.monotonic())
        return False

    train(config, place, stop=stamp)
    return [*stamps, time.monotonic()]


def _an_epoch(config: TrainConfig, place: Path) -> tuple[float, float]:
    """Measure the second of two epochs, in seconds, and the time of a training outside its epochs."""
    began = time.monotonic()
    stamps = _train_anew(config, place)
    epoch_s = stamps[-1] - stamps[len(stamps) // 2]
    return epoch_s, max(0.0, stamps[-1] - began - 2 * epoch_s)


def _scored(place: Path, folder: Path, protocol: Protocol) -> tuple[float, EvaluationResults]:
    began = time.monotonic()
    results = evaluate(place, folder, protocol=protocol)
    return time.monotonic() - began, results
