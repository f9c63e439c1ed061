"""Commands that train and evaluate."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from turntable.cli.app import MethodName, app, err, out, say


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
    learning_rate: float | None = None,
    seed: int | None = None,
    workers: int | None = None,
    amp: Literal["off", "bf16"] | None = None,
) -> int:
    """Train a method on the train split; the same command resumes a run that was interrupted.

    Args:
        dataset: The folder of the data set, or its URL (https://, s3://, gs://).
        method: What to train.
        out_dir: The folder of the run.
        preset: Settings to begin from: the papers' (GPUs, days), or the demo's (two CPU cores, minutes).
        backbone: resnet18 or small.
        epochs: An epoch draws the preset's number of pairs of every object.
        batch_size: Pairs.
        learning_rate: At its highest.
        seed: Of weights, order and pairs.
        workers: Processes that load batches.
        amp: Mixed precision.
    """
    from turntable.console import TrainBar
    from turntable.training import demo_config, paper_config
    from turntable.training import train as train_method

    given = {
        "backbone": backbone,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "num_workers": workers,
        "amp": amp,
    }
    make = {"demo": demo_config, "paper": paper_config}[preset]
    config = make(method, dataset, **{name: value for name, value in given.items() if value is not None})
    with TrainBar(err, method) as bar:
        train_method(config, out_dir, bar)
    say(f"{out_dir}: trained {method}; next: turntable evaluate {out_dir} {dataset}")
    return 0


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
