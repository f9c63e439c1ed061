"""Commands that serve, show, and examine the machine."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from turntable.cli.app import app, err, out, say, warn
from turntable.errors import InvalidInputError


@app.command
def serve(*folders: Path, host: str = "127.0.0.1", port: int = 8765) -> int:
    """Serve data sets over HTTP: a catalogue, shards with Range, single views and labels.

    Args:
        folders: Data sets, or folders of some.
        host: The address to listen on; by default only this machine can connect.
        port: Its port.
    """
    from turntable.service import serve as serve_folders

    if not folders:
        raise InvalidInputError("serve what? Give the folder of a data set, or one that holds some")
    serve_folders(folders, host, port)
    return 0


@app.command
def demo(
    *,
    out_dir: Annotated[Path, Parameter("--out")] = Path("runs/demo"),
    objects: int = 960,
    views: int = 20,
    epochs: int | None = None,
) -> int:
    """Render a zoo, verify it, train and evaluate three methods, and leave report.html.

    SIGTERM, SIGUSR1 and Ctrl-C end it after what is in hand, with exit status 75 (130 for Ctrl-C).

    Args:
        out_dir: Gets everything; the same command goes on where an interrupted one stopped.
        objects: How many objects.
        views: Of each.
        epochs: Of each training.
    """
    from turntable.console import ConsoleStage, default_workers, results_tables
    from turntable.demo import DemoConfig, run_demo
    from turntable.processes.stopping import stop_when_asked

    config = DemoConfig(out_dir, objects, views, default_workers())
    if epochs is not None:
        config = config.with_epochs(epochs)
    with stop_when_asked(warn, "what is in hand", interrupts=True) as stop:
        report = run_demo(config, ConsoleStage(err), stop)
    for table in results_tables(report.results):
        out.print(table)
        out.print()
    say(f"Look at {report.page}")
    return 0


@app.command
def doctor() -> int:
    """List the devices that can render, with their drivers, and say what is missing and how to mend it."""
    from turntable.doctor import examine

    findings = examine()
    for finding in findings:
        away = "red" if finding.needed else "yellow"
        style = {"ok": "green", "warning": "bold yellow", "missing": away}[finding.state]
        say(f"{finding.state:8s}", style=style, end="")
        say(f"{finding.what}: {finding.detail}")
    return int(any(finding.state == "missing" and finding.needed for finding in findings))
