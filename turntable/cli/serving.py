"""Commands that serve, show, and examine the machine."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from turntable.cli.base import LinksUnder, app, err, out, say, warn
from turntable.errors import InvalidInputError


@app.command
def serve(
    *folders: Path,
    host: str = "127.0.0.1",
    port: int = 8765,
    access: Path | None = None,
    public: tuple[str, ...] = (),
    rate: float | None = None,
    requests_at_once: int = 1000,
    requests_at_once_each: int = 200,
    render: bool = False,
    meshes: tuple[str, ...] = (),
    backend: str = "auto",
    device: str = "auto",
    render_queue: int = 16,
    query_seconds: float = 5.0,
    links_under: LinksUnder = (),
    trusted_proxy: tuple[str, ...] = (),
    allow_host: tuple[str, ...] = (),
    access_log: bool = True,
) -> int:
    """Serve data sets over HTTP: a gallery, a catalogue, shards with Range, queries, views and labels.

    Args:
        folders: Data sets, or folders of some.
        host: The address to listen on; by default only this machine can connect.
        port: Its port.
        access: A file of tokens (turntable token create); without one, who can connect may read.
        public: With tokens: data sets that anyone may read; "*" for all.
        rate: Requests a second that one token or address may make in the long run; no bound by default.
        requests_at_once: That are answered at the same time.
        requests_at_once_each: Of one token or address.
        render: Draw views on request (POST /render), in a process of its own.
        meshes: With --render, NAME=DIR: the folder of a data set's meshes; the zoo needs none.
        backend: With --render: moderngl, embree, or auto.
        device: With --render: as of turntable render.
        render_queue: Views that may wait to be drawn.
        query_seconds: That a condition over labels may take; it is ended then.
        links_under: A folder that links of data sets may lead to, beside their own and the hub's cache.
        trusted_proxy: Address or network of a proxy whose X-Forwarded-For is believed: 127.0.0.1.
        allow_host: A name under which readers reach the service, beside localhost and its address: the name
            of a proxy in front of it, or of this machine; "*" for any.
        access_log: A line of JSON for each request on the standard output.
    """
    from turntable.service import LOOPBACK, RenderSettings, ServiceSettings
    from turntable.service import serve as serve_folders

    if not folders:
        raise InvalidInputError("serve what? Give the folder of a data set, or one that holds some")
    if meshes and not render:
        raise InvalidInputError("--meshes are drawn from with --render only")
    renders = RenderSettings(_folders_by_name(meshes), backend, device, render_queue) if render else None
    settings = ServiceSettings(
        access,
        public,
        rate,
        requests_at_once,
        requests_at_once_each,
        renders,
        query_seconds,
        links_under,
        trusted_proxy,
        allow_host,
    )
    if access is None and host not in LOOPBACK:
        warn(f"Anyone who can reach {host}:{port} may read all of it; --access FILE asks for tokens")
    if host not in LOOPBACK and not allow_host:
        warn("It answers under its addresses alone; readers that use a name need --allow-host NAME")
    serve_folders(folders, host, port, settings, access_log=access_log)
    return 0


def _folders_by_name(given: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in given:
        name, sign, folder = text.partition("=")
        if not sign or not name or not Path(folder).is_dir():
            raise InvalidInputError(
                f"--meshes {text}: give NAME=DIR, a data set and the folder of its meshes"
            )
        found[name] = Path(folder)
    return found


@app.command
def publish(
    dataset: Path, place: str | None = None, *, hub: Path | None = None, links_under: LinksUnder = ()
) -> int:
    """Upload a finished data set, verified file by file; or lay it out for the Hugging Face hub.

    The same command goes on where an interrupted one stopped. The manifest goes last: whoever sees it sees
    all of the data set.

    Args:
        dataset: The folder of the data set.
        place: s3://bucket/folder, gs://bucket/folder, or another folder.
        hub: A folder that gets the hub's layout; upload it with hf upload.
        links_under: A folder that links of the data set may lead to, beside its own and the hub's cache.
    """
    from turntable.console import CountBar
    from turntable.datasets import open_store, prepare_hub
    from turntable.datasets import publish as send_files

    if (place is None) == (hub is None):
        raise InvalidInputError("publish where? Give s3://BUCKET/FOLDER, or --hub FOLDER")
    if hub is not None:
        prepare_hub(dataset, hub, links_under=links_under)
        say(f"{hub} is ready: hf upload --repo-type dataset USER/NAME {hub}")
        return 0
    assert place is not None
    with CountBar(err, "bytes") as bar:
        done = send_files(dataset, open_store(place), bar, links_under=links_under)
    say(f"{place}: {done.sent} files sent ({done.bytes / 1e6:.1f} MB), {done.there} were there")
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
    from turntable.console import ConsoleWatcher, results_tables
    from turntable.demo import DemoConfig, run_demo
    from turntable.processes import default_workers, stop_when_asked

    config = DemoConfig(out_dir, objects, views, default_workers())
    if epochs is not None:
        config = config.with_epochs(epochs)
    with stop_when_asked(warn, "what is in hand", interrupts=True) as stop:
        report = run_demo(config, ConsoleWatcher(err), stop)
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
