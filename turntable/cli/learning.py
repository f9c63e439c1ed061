"""Commands that train and evaluate."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from turntable.choices import Amp, Preset, PublishedKind, Schedule
from turntable.cli.base import EXIT_STOPPED, MethodReference, app, err, out, say, warn
from turntable.errors import InvalidInputError, StoppedError


@app.command
def train(
    dataset: str | None = None,
    *,
    method: str,
    out_dir: Annotated[Path, Parameter("--out")],
    preset: Preset | None = None,
    backbone: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    accumulate: int | None = None,
    learning_rate: float | None = None,
    schedule: Schedule | None = None,
    image_size: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    device: str | None = None,
    amp: Amp | None = None,
    online: str | None = None,
    meshes: str | None = None,
    objects: int | None = None,
    augment: Annotated[tuple[str, ...], Parameter("--augment")] = (),
    wandb: bool | None = None,
    settings: Annotated[tuple[str, ...], Parameter("--set")] = (),
) -> int:
    """Train a method on the train split; the same command resumes a run that was interrupted.

    Started by torchrun, all processes train together. SIGTERM, SIGUSR1 and Ctrl-C end the run after the step
    in hand with a checkpoint, the first two with exit status 75.

    Args:
        dataset: The folder of the data set, or its URL (https://, s3://, gs://).
        method: Its name (``turntable methods`` lists them), or one of your own: FILE.py:NAME or
            PACKAGE.MODULE:NAME.
        out_dir: The folder of the run.
        preset: Settings to begin from: the paper's (GPUs, days), or the demo's (two CPU cores, minutes). By
            default the paper's where there is a GPU, and a line says which.
        backbone: By its name (docs/training.md).
        epochs: An epoch draws the preset's number of samples of every object.
        batch_size: Samples of one step, of all processes together.
        accumulate: Parts that a step's batch is divided into, one after the other, for less memory.
        learning_rate: At its highest.
        schedule: What becomes of the rate after the warm-up.
        image_size: Width and height in pixels that images are resized to.
        seed: Of weights, order and views.
        workers: Processes that load batches, for each process that trains.
        device: auto, cpu, cuda or cuda:N.
        amp: Mixed precision.
        online: A recipe (its name or TOML file) whose views are rendered beside the training, in place of a
            data set: none comes twice.
        meshes: The folder of the meshes that --online draws; without it, the zoo.
        objects: At most so many objects of --online.
        augment: Random changes of pictures: simclr, simclr-unmirrored, crop or color; or one part of them,
            NAME=VALUE (docs/labels.md); again for more.
        wandb: Whether Weights & Biases gets the records too (offline unless WANDB_MODE says otherwise).
        settings: Another setting of the method or of the run, NAME=VALUE; again for more.
    """
    from turntable.console import TrainBar
    from turntable.models import method_label
    from turntable.own_code import is_reference
    from turntable.processes import stop_when_asked
    from turntable.training import augmentation_of, demo_config, overrides, paper_config, preset_of_machine
    from turntable.training import train as train_method
    from turntable.training.steps import is_first_rank

    given = {
        "backbone": backbone,
        "epochs": epochs,
        "batch_size": batch_size,
        "accumulate": accumulate,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "image_size": image_size,
        "seed": seed,
        "num_workers": workers,
        "device": device,
        "amp": amp,
        "online": online,
        "meshes": meshes,
        "objects": objects,
        "augmentation": augmentation_of(augment),
        "wandb": wandb,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    speaks = is_first_rank()
    chosen, why = preset_of_machine(device) if preset is None else (preset, None)
    make = {"demo": demo_config, "paper": paper_config}[chosen]
    config = make(method, dataset, **{**overrides(method, settings), **changes})
    if why is not None and speaks:
        warn(why)
    try:
        tell = warn if speaks else _say_nothing
        asked = stop_when_asked(tell, "the step in hand", interrupts=True)
        with TrainBar(err, method_label(config.method)) as bar, asked as stop:
            train_method(config, out_dir, bar, warn=warn, stop=stop)
    except StoppedError:
        if speaks:
            raise
        return EXIT_STOPPED  # all ranks stop together; one says so
    if speaks:
        own = f" --method {method}" if is_reference(method) else ""
        say(f"{out_dir}: trained {method}; next: turntable evaluate {out_dir} {dataset or 'DATASET'}{own}")
    return 0


def _say_nothing(text: str) -> None:
    del text


@app.command
def evaluate(
    run: Path,
    dataset: str,
    *,
    method: MethodReference = None,
    protocol: str = "turntable",
    preset: Preset = "paper",
    ood: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    untrained: bool = False,
    vectors: bool = False,
) -> int:
    """Score a finished run on frozen features, beside what sees no image; write numbers and a page.

    Args:
        run: The folder of the run; gets results.json, details.npz and report.html.
        dataset: The folder of the data set, or its URL.
        method: The method of your own that the run is of, FILE.py:NAME or PACKAGE.MODULE:NAME: its code runs.
        protocol: turntable's own, or a paper's: sie, equicaps, seq-jepa, sie-drifting or seq-jepa-drifting.
        preset: Of turntable's protocol, how long the heads are trained: as in the papers, or shortly.
        ood: More data sets on which the same heads are scored, such as one of the recipe so3-ood.
        untrained: Score the run's network as it is before its first step instead, into RUN/untrained.
        vectors: Leave the features of the val split as plain arrays too, in RUN/vectors/PART.
    """
    from turntable.console import results_tables
    from turntable.datasets import open_dataset
    from turntable.evaluation import evaluate as evaluate_run
    from turntable.evaluation import (
        evaluate_untrained,
        leave_vectors,
        protocol_by_name,
        read_details,
        write_runs_report,
    )
    from turntable.training import open_run

    if preset == "demo" and protocol != "turntable":
        raise InvalidInputError(
            f"--preset demo is of turntable's protocol; {protocol}'s has one length alone"
        )
    if untrained and ood:
        raise InvalidInputError("--untrained scores one data set: leave --ood out, or give that as DATASET")
    if untrained and vectors:
        raise InvalidInputError("--vectors leaves those of the trained run: leave --untrained out")
    rules = protocol_by_name("turntable-demo" if preset == "demo" else protocol)
    opened = open_run(run, method)
    folder = run / "untrained" if untrained else run
    with err.status("evaluating") as status:
        if untrained:
            config = replace(opened.config, dataset=dataset, online=None, meshes=None, objects=None)
            results = evaluate_untrained(config, folder, rules, progress=status.update)
        else:
            results = evaluate_run(run, dataset, protocol=rules, progress=status.update, elsewhere=ood)
        status.update("the report")
        details = read_details(folder / "details.npz")
        write_runs_report([folder], open_dataset(dataset), [results], details, folder / "report.html")
    for table in results_tables([results]):
        out.print(table)
        out.print()
    for note in results.notes:
        warn(note)
    say(f"{folder / 'results.json'}, {folder / 'report.html'}")
    if vectors:
        for place in leave_vectors(run, dataset):
            say(f"{place}")
    return 0


@app.command
def methods(name: str | None = None) -> int:
    """List the methods that can be trained; with a NAME, its settings.

    Args:
        name: A method's name, FILE.py:NAME or PACKAGE.MODULE:NAME.
    """
    from turntable.console import method_table, settings_table

    table = method_table() if name is None else settings_table(name)
    out.print(table)
    return 0


@app.command
def import_checkpoint(
    file: Path,
    dataset: str,
    *,
    out_dir: Annotated[Path, Parameter("--out")],
    kind: PublishedKind | None = None,
) -> int:
    """Make a run of a checkpoint that SIE's, EquiCaps' or seq-JEPA's code saved, to evaluate it here.

    Args:
        file: The checkpoint; nothing in it is executed.
        dataset: The data set whose colours it was trained on: 3DIEBench, converted, for the published ones.
        out_dir: The folder of the run.
        kind: What the file should be; by default it tells by itself.
    """
    from turntable.training import import_checkpoint as make_run

    run = make_run(file, dataset, out_dir, kind)
    say(f"{out_dir}: a run of {run.config.method}; next: turntable evaluate {out_dir} {dataset}")
    return 0


@app.command
def compare(
    runs: Annotated[tuple[Path, ...], Parameter(consume_multiple=True)],
    *,
    format: Literal["table", "markdown", "json", "html"] = "table",  # noqa: A002 (it is the option's name)
    out_file: Annotated[Path | None, Parameter("--out")] = None,
    sort: str | None = None,
    intervals: bool = False,
) -> int:
    """Put evaluated runs side by side; those of one method that differ in their seed alone are one row.

    Args:
        runs: Folders of runs, or results.json files.
        format: Of what is printed.
        out_file: A page to write too, as HTML.
        sort: A metric (docs/evaluation.md), such as r2_averaged: the best method comes first.
        intervals: Whether bootstrap intervals stand beside the numbers of a table.
    """
    from turntable.console import comparison_console_tables
    from turntable.studies import (
        compare_runs,
        comparison_json,
        comparison_markdown,
        comparison_page,
        ordered,
        write_comparison,
    )

    comparison = compare_runs(runs)
    if sort is not None:
        comparison = ordered(comparison, sort)
    for warning in comparison.warnings:
        warn(warning)
    if format == "table":
        for table in comparison_console_tables(comparison, intervals):
            out.print(table)
            out.print()
    elif format == "markdown":
        say(comparison_markdown(comparison, intervals))
    else:
        say({"json": comparison_json, "html": comparison_page}[format](comparison))
    if out_file is not None:
        write_comparison(out_file, comparison)
        err.print(str(out_file), soft_wrap=True, markup=False, highlight=False)
    return 0
