"""Commands for training and evaluation: train, evaluate, methods, import-checkpoint, compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from turntable.choices import Amp, Preset, PublishedKind, Schedule
from turntable.cli.base import (
    DATA,
    DEVICE_DEFAULT,
    EXIT_STOPPED,
    MACHINE,
    METHOD,
    OPTIMIZATION,
    OUTPUT,
    LinksUnderOption,
    MethodOption,
    app,
    err,
    format_examples,
    make_option,
    out,
    say,
    say_to_log,
    warn,
)
from turntable.errors import InvalidInputError, StoppedError

if TYPE_CHECKING:
    from turntable.datasets import Selection

_PRESET = "as the preset says"

ViewsOption = Annotated[str | None, make_option(DATA, default="all")]
EnvironmentsOption = Annotated[tuple[str, ...], make_option(DATA, consume_multiple=True, default="all")]
ShotsOption = Annotated[int | None, make_option(DATA, default="all")]
ShotsSeedOption = Annotated[int, make_option(DATA)]


@app.command(
    help_epilogue=format_examples(
        "turntable train my-set --method sie --preset demo --out runs/sie",
        "turntable train my-set --method equicaps --epochs 300 --set learning_rate=3e-4 --out runs/equicaps",
        "turntable train --online zoo --objects 240 --method simclr --augment crop --out runs/simclr",
        "turntable train my-set --method my_method.py:mine --out runs/mine",
    )
)
def train(
    dataset: str | None = None,
    *,
    method: Annotated[str, make_option(METHOD)],
    out_dir: Annotated[Path, make_option(OUTPUT, "--out")],
    preset: Annotated[Preset | None, make_option(METHOD, default="paper with a GPU, else demo")] = None,
    backbone: Annotated[str | None, make_option(METHOD, default=_PRESET)] = None,
    epochs: Annotated[int | None, make_option(OPTIMIZATION, default=_PRESET)] = None,
    start_from: Annotated[Path | None, make_option(METHOD, default="fresh weights")] = None,
    batch_size: Annotated[int | None, make_option(OPTIMIZATION, default=_PRESET)] = None,
    accumulate: Annotated[int | None, make_option(OPTIMIZATION, default=_PRESET)] = None,
    learning_rate: Annotated[float | None, make_option(OPTIMIZATION, default=_PRESET)] = None,
    schedule: Annotated[Schedule | None, make_option(OPTIMIZATION, default=_PRESET)] = None,
    image_size: Annotated[int | None, make_option(DATA, default=_PRESET)] = None,
    seed: Annotated[int | None, make_option(OPTIMIZATION, default="0")] = None,
    workers: Annotated[int | None, make_option(MACHINE, default=_PRESET)] = None,
    device: Annotated[str | None, make_option(MACHINE, default=DEVICE_DEFAULT)] = None,
    amp: Annotated[Amp | None, make_option(MACHINE, default=_PRESET)] = None,
    views: ViewsOption = None,
    environments: EnvironmentsOption = (),
    shots: ShotsOption = None,
    shots_seed: ShotsSeedOption = 0,
    online: Annotated[str | None, make_option(DATA)] = None,
    meshes: Annotated[str | None, make_option(DATA)] = None,
    objects: Annotated[int | None, make_option(DATA, default="all")] = None,
    links_under: LinksUnderOption = (),
    augment: Annotated[tuple[str, ...], make_option(DATA, "--augment", default="none")] = (),
    wandb: Annotated[bool | None, make_option(OUTPUT)] = None,
    settings: Annotated[tuple[str, ...], make_option(METHOD, "--set", default="")] = (),
) -> int:
    """Train a method on the train split. Run the same command again to resume an interrupted run.

    With more --epochs than before, the run is extended.

    Processes started by torchrun train together. After SIGTERM, SIGUSR1 or Ctrl-C the run finishes its step,
    saves a checkpoint and ends, after the two signals with exit status 75.

    Args:
        dataset: Folder of the data set, or its URL (https://, s3://, gs://).
        method: Name of the method (turntable methods lists them), or a method of your own: FILE.py:NAME or
            PACKAGE.MODULE:NAME.
        out_dir: Folder of the run. One process at a time may write to it.
        preset: Settings to start from: the paper's (GPUs, days) or the demo's (two CPU cores, minutes).
        backbone: Name of the backbone (docs/training.md lists them).
        epochs: Number of epochs. In each, the preset's number of samples is drawn of every object. More
            epochs than a run has extend it. The demo preset takes as many as it needs for its number of
            steps.
        start_from: Folder of a finished run of the same method, with whose weights this run starts.
        batch_size: Number of samples in a step, over all processes together.
        accumulate: Number of parts that a step's batch is divided into and computed one after the other,
            which
            saves memory.
        learning_rate: Highest learning rate.
        schedule: Schedule of the learning rate after the warm-up.
        image_size: Width and height in pixels that images are resized to.
        seed: Seed of the weights, the order of the samples and the choice of views.
        workers: Number of processes that load batches, for each process that trains.
        device: Device to train on: auto, cpu, cuda or cuda:N.
        amp: Mixed precision.
        views: Views of each object to train on: even, odd, or numbers and ranges such as 0-15 or 16-.
        environments: Names of the environments to train on.
        shots: Number of objects of each category to train on.
        shots_seed: Seed of the choice of these objects.
        online: Recipe (name or TOML file) whose views are rendered during training, in place of a data set;
            no
            view comes twice.
        meshes: Folder of the meshes for --online; without it, the zoo's.
        objects: Maximum number of objects for --online.
        links_under: Folder into which links in the folder of the meshes may point, besides that folder and
            the hub's cache.
        augment: Augmentation of the pictures: simclr, simclr-unmirrored, crop, color or affine, or a part
            as
            NAME=VALUE (docs/labels.md). May be repeated.
        wandb: Also log to Weights & Biases (offline unless WANDB_MODE says otherwise).
        settings: Another setting of the method or of the run, as NAME=VALUE. May be repeated.
    """
    from turntable.console import TrainBar
    from turntable.datasets.stores import remove_secrets
    from turntable.models import shorten_method_name
    from turntable.processes import catch_stop_signals
    from turntable.training import (
        make_demo_config,
        make_paper_config,
        parse_augmentation,
        parse_overrides,
        select_preset,
    )
    from turntable.training import train as train_method
    from turntable.training.steps import is_first_rank
    from turntable.user_code import is_reference

    given = {
        "backbone": backbone,
        "epochs": epochs,
        "start_from": None if start_from is None else str(start_from),
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
        "links_under": tuple(map(str, links_under)) or None,
        "augmentation": parse_augmentation(augment),
        "selection": _make_selection(views, environments, shots, shots_seed),
        "wandb": wandb,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    prints = is_first_rank()
    preset_name, reason = select_preset(device) if preset is None else (preset, None)
    make_config = {"demo": make_demo_config, "paper": make_paper_config}[preset_name]
    config = make_config(method, dataset, **{**parse_overrides(method, settings), **changes})
    if reason is not None and prints:
        warn(reason)
    try:
        notify = warn if prints else _ignore
        signals = catch_stop_signals(notify, "the current step", catch_interrupts=True)
        with TrainBar(err, shorten_method_name(config.method)) as bar, signals as stop:
            train_method(config, out_dir, bar, warn=warn, say=say_to_log, stop=stop)
    except StoppedError:
        if prints:
            raise
        return EXIT_STOPPED  # all ranks stop together, and only the first prints the message
    if prints:
        method_option = f" --method {method}" if is_reference(method) else ""
        preset_option = " --preset demo" if config.preset == "demo" else ""
        place = remove_secrets(dataset or "DATASET")
        command = f"turntable evaluate {out_dir} {place}{preset_option}{method_option}"
        say(f"{out_dir}: trained {method}; next: {command}")
    return 0


def _make_selection(
    views: str | None, environments: tuple[str, ...], shots: int | None, seed: int
) -> "Selection | None":
    """Return the selection that options ask for; None for all of a split."""
    from turntable.datasets import Selection

    selection = Selection(views=views, environments=environments, shots=shots, seed=seed)
    return None if selection.is_whole else selection


def _ignore(text: str) -> None:
    del text


@app.command(
    help_epilogue=format_examples(
        "turntable evaluate runs/sie my-set",
        "turntable evaluate runs/sie my-set --preset demo --ood my-ood-set",
        "turntable evaluate runs/sie my-set --protocol sie",
        "turntable evaluate runs/sie my-set --shots 5",
        "turntable evaluate runs/sie my-set --split train --train-views even --views odd",
    )
)
def evaluate(
    run: Path,
    dataset: str,
    *,
    method: MethodOption = None,
    protocol: Annotated[str, make_option(METHOD)] = "turntable",
    preset: Annotated[Preset | None, make_option(METHOD, default="that of the run, else paper")] = None,
    split: Annotated[str, make_option(DATA)] = "val",
    views: ViewsOption = None,
    environments: EnvironmentsOption = (),
    train_views: Annotated[str | None, make_option(DATA, default="all")] = None,
    train_environments: Annotated[
        tuple[str, ...], make_option(DATA, consume_multiple=True, default="all")
    ] = (),
    shots: ShotsOption = None,
    shots_seed: ShotsSeedOption = 0,
    ood: Annotated[tuple[str, ...], make_option(DATA, consume_multiple=True, default="")] = (),
    untrained: Annotated[bool, make_option(METHOD)] = False,
    out_dir: Annotated[Path | None, make_option(OUTPUT, "--out", default="RUN")] = None,
    vectors: Annotated[bool, make_option(OUTPUT)] = False,
) -> int:
    """Score a finished run on frozen features, next to baselines that see no image, and write a report.

    Results are kept by data set and protocol, in RUN/results/DATASET/PROTOCOL: results.json, details.npz and
    report.html.

    Args:
        run: Folder of the run.
        dataset: Folder of the data set, or its URL.
        method: Method of your own that the run was trained with, FILE.py:NAME or PACKAGE.MODULE:NAME. Its
            code is
            executed.
        protocol: Protocol to follow: turntable's, or a paper's: sie, equicaps, seq-jepa, sie-train-mode-bn
            or seq-jepa-train-mode-bn.
        preset: Length of the heads' training in turntable's protocol: as in the papers, or short.
        split: Split whose objects are scored; heads are trained on the train split.
        views: Views that are scored: even, odd, or numbers and ranges such as 0-15 or 16-.
        environments: Names of the environments that are scored.
        train_views: Views that heads are trained on; with those of --views, the two may be of one split.
        train_environments: Names of the environments that heads are trained on.
        shots: Number of objects of each category that heads are trained on.
        shots_seed: Seed of the choice of these objects.
        ood: Further data sets to score the same heads on, such as one of the recipe so3-ood.
        untrained: Score the run's network with the weights it had before training, into RUN/untrained.
        out_dir: Folder for features and results in place of RUN, such as for a run of someone else.
        vectors: Also write the features of the split as plain arrays, into RUN/vectors/DATASET/SPLIT/PART.
    """
    from turntable.console import StageBar, build_results_tables
    from turntable.datasets import Selection
    from turntable.evaluation import (
        UNTRAINED_FOLDER,
        SplitSelections,
        evaluate_untrained_run,
        export_vectors,
        select_protocol,
        write_evaluation_report,
    )
    from turntable.evaluation import evaluate as evaluate_run
    from turntable.training import open_run

    if untrained and ood:
        raise InvalidInputError(
            "--untrained scores one data set: leave --ood out, or give that data set as DATASET"
        )
    if untrained and vectors:
        raise InvalidInputError("--vectors writes the features of the trained run: leave --untrained out")
    select_protocol(None, protocol, preset)  # options that do not fit together are refused first
    chosen, reason = select_protocol(open_run(run, method).config.preset, protocol, preset)
    if reason is not None:
        warn(reason)
    selections = SplitSelections(
        _make_selection(train_views, train_environments, shots, shots_seed) or Selection(),
        _make_selection(views, environments, None, 0) or Selection(),
    )
    with StageBar(err, "evaluate") as bar:
        if untrained:
            results = evaluate_untrained_run(
                run, dataset, chosen, bar, split=split, selections=selections, out_dir=out_dir, notify=warn
            )
        else:
            results = evaluate_run(
                run,
                dataset,
                None,
                chosen,
                bar,
                ood,
                split=split,
                selections=selections,
                out_dir=out_dir,
                notify=warn,
            )
        folder = (out_dir or run) / (UNTRAINED_FOLDER if untrained else "")
        files = write_evaluation_report(folder, dataset, results, bar)
        written = export_vectors(run, dataset, split, out_dir=out_dir, progress=bar) if vectors else []
    for table in build_results_tables([results]):
        out.print(table)
        out.print()
    for note in results.notes:
        warn(note)
    if results.training is not None:
        say(f"trained on {results.training}, scored on {results.dataset} {results.fingerprint[:8]}")
    say(f"results: {files.path}")
    say(f"report:  {files.report_path}")
    for path in written:
        say(f"{path}")
    return 0


@app.command(help_epilogue=format_examples("turntable methods", "turntable methods equicaps"))
def methods(name: str | None = None) -> int:
    """List the methods that can be trained, or the settings of one and of its runs, which --set changes.

    Args:
        name: Name of a method, or FILE.py:NAME or PACKAGE.MODULE:NAME.
    """
    from turntable.console import build_method_table, build_settings_tables

    for table in [build_method_table()] if name is None else build_settings_tables(name):
        out.print(table)
    return 0


@app.command(
    help_epilogue=format_examples("turntable import-checkpoint sie.pth 3diebench --out runs/sie-published")
)
def import_checkpoint(
    file: Path,
    dataset: str,
    *,
    out_dir: Annotated[Path, make_option(OUTPUT, "--out")],
    kind: Annotated[PublishedKind | None, make_option(METHOD, default="found out from the file")] = None,
) -> int:
    """Make a run from a checkpoint of SIE's, EquiCaps' or seq-JEPA's code, to evaluate it here.

    Args:
        file: Checkpoint file. Nothing in it is executed.
        dataset: Data set with whose color statistics it was trained: for the published ones 3DIEBench,
            converted.
        out_dir: Folder of the run.
        kind: Code that saved the checkpoint.
    """
    from turntable.datasets.stores import remove_secrets
    from turntable.training import import_checkpoint as make_run

    run = make_run(file, dataset, out_dir, kind)
    command = f"turntable evaluate {out_dir} {remove_secrets(dataset)}"
    say(f"{out_dir}: a run of {run.config.method}; next: {command}")
    return 0


@app.command(
    help_epilogue=format_examples(
        "turntable compare runs/sie runs/equicaps",
        "turntable compare runs/sie runs/equicaps --sort r2_averaged --intervals --out comparison.html",
    )
)
def compare(
    runs: Annotated[tuple[Path, ...], Parameter(consume_multiple=True)],
    *,
    dataset: Annotated[str | None, make_option(DATA, default="all")] = None,
    protocol: Annotated[str | None, make_option(METHOD, default="all")] = None,
    format: Annotated[  # noqa: A002 (it is the option's name)
        Literal["table", "markdown", "json", "html"], make_option(OUTPUT)
    ] = "table",
    out_file: Annotated[Path | None, make_option(OUTPUT, "--out")] = None,
    sort: Annotated[str | None, make_option(OUTPUT, default="in the order given")] = None,
    intervals: Annotated[bool, make_option(OUTPUT)] = False,
) -> int:
    """Compare evaluated runs, in a section for each data set and protocol.

    Runs of one method that differ only in their seed are averaged into one row.

    Args:
        runs: Folders of runs, of which all results are taken, or results.json files.
        dataset: Data set whose results are taken: its name, path, URL or the beginning of its fingerprint.
        protocol: Protocol whose results are taken, such as turntable, turntable-demo or sie.
        format: Format of what is printed.
        out_file: HTML page to write as well.
        sort: Metric to sort by, best first, such as r2_averaged (docs/evaluation.md lists them).
        intervals: Show bootstrap intervals beside the numbers of a table.
    """
    from turntable.console import build_comparison_tables
    from turntable.studies import (
        compare_runs,
        comparison_to_html,
        comparison_to_json,
        comparison_to_markdown,
        sort_comparison,
        write_comparison,
    )

    comparison = compare_runs(runs, dataset, protocol)
    if sort is not None:
        comparison = sort_comparison(comparison, sort)
    for warning in comparison.warnings:
        warn(warning)
    if format == "table":
        for table in build_comparison_tables(comparison, intervals):
            out.print(table)
            out.print()
        for note in comparison.notes:
            say(note)
    elif format == "markdown":
        say(comparison_to_markdown(comparison, intervals))
    else:
        say({"json": comparison_to_json, "html": comparison_to_html}[format](comparison))
    if out_file is not None:
        write_comparison(out_file, comparison)
        err.print(str(out_file), soft_wrap=True, markup=False, highlight=False)
    return 0
