"""Commands that train and evaluate."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from turntable.cli.app import EXIT_STOPPED, MethodName, app, err, out, say, warn
from turntable.errors import StoppedError


@app.command
def train(
    dataset: str,
    *,
    method: MethodName,
    out_dir: Annotated[Path, Parameter("--out")],
    preset: Literal["demo", "paper"] = "paper",
    backbone: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    accumulate: int | None = None,
    learning_rate: float | None = None,
    schedule: Literal["constant", "cosine"] | None = None,
    image_size: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    device: str | None = None,
    amp: Literal["off", "bf16", "fp16"] | None = None,
    wandb: bool | None = None,
    settings: Annotated[tuple[str, ...], Parameter("--set")] = (),
) -> int:
    """Train a method on the train split; the same command resumes a run that was interrupted.

    Started by torchrun, all processes train together. SIGTERM, SIGUSR1 and Ctrl-C end the run after the step
    in hand with a checkpoint, the first two with exit status 75.

    Args:
        dataset: The folder of the data set, or its URL (https://, s3://, gs://).
        method: What to train.
        out_dir: The folder of the run.
        preset: Settings to begin from: the papers' (GPUs, days), or the demo's (two CPU cores, minutes).
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
        wandb: Whether Weights & Biases gets the records too (offline unless WANDB_MODE says otherwise).
        settings: Another setting of the method or of the run, NAME=VALUE; again for more.
    """
    from turntable.console import TrainBar
    from turntable.training import demo_config, overrides, paper_config
    from turntable.training import train as train_method
    from turntable.training.distributed import is_first_rank
    from turntable.training.stopping import stop_when_asked

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
        "wandb": wandb,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    make = {"demo": demo_config, "paper": paper_config}[preset]
    config = make(method, dataset, **{**overrides(method, settings), **changes})
    speaks = is_first_rank()
    try:
        with TrainBar(err, method) as bar, stop_when_asked(warn if speaks else _say_nothing) as stop:
            train_method(config, out_dir, bar, warn=warn, stop=stop)
    except StoppedError:
        if speaks:
            raise
        return EXIT_STOPPED  # all ranks stop together; one says so
    if speaks:
        say(f"{out_dir}: trained {method}; next: turntable evaluate {out_dir} {dataset}")
    return 0


def _say_nothing(text: str) -> None:
    del text


@app.command
def evaluate(run: Path, dataset: str, *, preset: Literal["demo", "paper"] = "paper") -> int:
    """Score a finished run on frozen features: class, rotation between views, and the constant predictor.

    Args:
        run: The folder of the run; gets results.json.
        dataset: The folder of the data set, or its URL.
        preset: How long the heads are trained: as in the papers, or shortly.
    """
    from turntable.console import results_table
    from turntable.evaluation import ProtocolConfig
    from turntable.evaluation import evaluate as evaluate_run

    config = ProtocolConfig.demo() if preset == "demo" else ProtocolConfig()
    with err.status("evaluating") as status:
        results = evaluate_run(run, dataset, config=config, progress=status.update)
    out.print(results_table([results]))
    say(f"{run / 'results.json'}")
    return 0
