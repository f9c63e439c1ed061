"""Commands that serve data sets, run the demo and examine the machine."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from turntable.cli.base import (
    ACCESS,
    BACKEND_DEFAULT,
    DATA,
    DEVICE_DEFAULT,
    EXIT_INTERRUPTED,
    LIMITS,
    MACHINE,
    OPTIMIZATION,
    OUTPUT,
    PICTURES,
    LinksUnderOption,
    app,
    err,
    format_examples,
    make_option,
    out,
    say,
    say_to_log,
    warn,
)
from turntable.errors import InvalidInputError

if TYPE_CHECKING:
    from turntable.service import ServiceUrls

_MAX_LISTED = 5
"""Number of data sets whose URLs are printed."""


@app.command(
    help_epilogue=format_examples(
        "turntable serve my-set",
        "turntable serve my-sets --render",
        "turntable serve my-sets --host 0.0.0.0 --access tokens.json --allow-host data.example.org",
        "turntable serve my-set --root-path /node/c12/8765 --allow-host ondemand.example.org",
    )
)
def serve(
    *folders: str,
    host: Annotated[str, make_option(MACHINE)] = "127.0.0.1",
    port: Annotated[int, make_option(MACHINE)] = 8765,
    access: Annotated[Path | None, make_option(ACCESS)] = None,
    public: Annotated[tuple[str, ...], make_option(ACCESS, default="")] = (),
    rate: Annotated[float | None, make_option(LIMITS, default="no limit")] = None,
    requests_at_once: Annotated[int, make_option(LIMITS)] = 1000,
    requests_at_once_each: Annotated[int, make_option(LIMITS)] = 200,
    render: Annotated[bool, make_option(PICTURES)] = False,
    meshes: Annotated[tuple[str, ...], make_option(PICTURES, default="")] = (),
    backend: Annotated[str, make_option(PICTURES, default=BACKEND_DEFAULT)] = "auto",
    device: Annotated[str, make_option(PICTURES, default=DEVICE_DEFAULT)] = "auto",
    render_queue: Annotated[int, make_option(LIMITS)] = 16,
    query_seconds: Annotated[float, make_option(LIMITS)] = 5.0,
    links_under: LinksUnderOption = (),
    trusted_proxy: Annotated[tuple[str, ...], make_option(ACCESS, default="")] = (),
    allow_host: Annotated[tuple[str, ...], make_option(ACCESS, default="")] = (),
    root_path: Annotated[str, make_option(ACCESS, default="")] = "",
    allow_origin: Annotated[tuple[str, ...], make_option(ACCESS, default="")] = (),
    access_log: Annotated[bool, make_option(OUTPUT)] = True,
) -> int:
    """Serve data sets over HTTP: a gallery, a catalog, shards with Range, queries, views and labels.

    Args:
        folders: Data sets, or folders that hold data sets.
        host: Address to listen on; only this machine can connect to 127.0.0.1.
        port: Port to listen on; 0 for any free one, which is then printed.
        access: File of tokens (turntable token create). Without it, anyone who can connect may read.
        public: Data set that anyone may read without a token; "*" for all. May be repeated.
        rate: Maximum number of requests per second from one token or address, on average.
        requests_at_once: Maximum number of requests answered at the same time.
        requests_at_once_each: Maximum number of requests answered at the same time for one token or address.
        render: Render views on request (POST /render), in a process of its own.
        meshes: Meshes for --render, as NAME=DIR: folder of the meshes of a data set; generated
            objects and molecules need none. May be repeated.
        backend: Renderer for --render: moderngl, embree or auto.
        device: Device for --render: software, egl:N or cuda:N.
        render_queue: Maximum number of views that wait to be rendered.
        query_seconds: Longest time that a condition over labels may take, in seconds.
        links_under: Folder into which links of data sets and meshes may point, besides their own folders and
            the hub's cache.
        trusted_proxy: Address or network of a proxy whose headers X-Forwarded-For and X-Forwarded-Proto are
            trusted, such as 127.0.0.1. May be repeated.
        allow_host: Name under which readers reach the service, besides localhost and its address: the name of
            a proxy in front of it, or of this machine; "*" for any. May be repeated.
        root_path: Path under which a proxy offers the service, such as /user/ada/proxy/8765. Only needed if
            the proxy does not strip it.
        allow_origin: Origin of web pages that may read from the service, such as https://hub.example.org;
            "*" for all, without cookies and tokens, so for public data only. May be repeated.
        access_log: Print one JSON line per request to standard output.
    """
    from turntable.service import LOOPBACK_HOSTS, RenderSettings, ServiceSettings, is_every_address
    from turntable.service import serve as serve_folders

    if not folders:
        raise InvalidInputError(
            "no data set to serve; give the folder of a data set, or a folder that holds data sets"
        )
    if meshes and not render:
        raise InvalidInputError("--meshes is for --render; add --render, or leave --meshes out")
    mesh_folders = _parse_mesh_folders(meshes)
    renders = RenderSettings(mesh_folders, links_under, backend, device, render_queue) if render else None
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
        root_path,
        allow_origin,
    )
    if access is None and host not in LOOPBACK_HOSTS:
        warn(f"Anyone who can reach {host}:{port} may read all data sets; --access FILE requires tokens")
    if host not in LOOPBACK_HOSTS and not allow_host:
        warn("Only requests to the address are answered; give --allow-host NAME for readers that use a name")
    report = partial(_print_urls, is_everywhere=is_every_address(host), access=access)
    try:
        serve_folders(folders, host, port, settings, access_log=access_log, on_start=report)
    except KeyboardInterrupt:  # the usual end of a service, with nothing to resume
        return EXIT_INTERRUPTED
    return 0


def _print_urls(urls: "ServiceUrls", is_everywhere: bool, access: Path | None) -> None:
    """Print where the service is reached, to standard error: standard output has the log in JSON."""
    say_to_log(f"turntable is running on {urls.gallery} (Ctrl-C stops it)")
    say_to_log("Loaders stream from it:")
    for name in urls.datasets[:_MAX_LISTED]:
        say_to_log(f'    Loader("{urls.make_dataset_url(name)}")')
    if len(urls.datasets) > _MAX_LISTED:
        say_to_log(f"    and {len(urls.datasets) - _MAX_LISTED} more: {urls.base}/datasets lists them")
    if is_everywhere:
        say_to_log("On other machines, put this machine's name or address in place of the one above.")
    if access is not None:
        say_to_log(
            f"A token is needed: turntable token create NAME --access {access} makes one; give it to "
            "turntable login URL, or sign in on the page"
        )


def _parse_mesh_folders(texts: tuple[str, ...]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for text in texts:
        name, sign, folder = text.partition("=")
        if not sign or not name or not Path(folder).is_dir():
            raise InvalidInputError(
                f"--meshes {text}: give NAME=DIR, the name of a data set and the folder of its meshes"
            )
        folders[name] = Path(folder)
    return folders


@app.command(
    help_epilogue=format_examples("turntable demo", "turntable demo --objects 240 --views 8 --epochs 1")
)
def demo(
    *,
    out_dir: Annotated[Path, make_option(OUTPUT, "--out")] = Path("runs/demo"),
    objects: Annotated[int, make_option(DATA)] = 960,
    views: Annotated[int, make_option(DATA)] = 20,
    epochs: Annotated[
        int | None, make_option(OPTIMIZATION, default="as each method's demo preset says")
    ] = None,
) -> int:
    """Render a zoo, verify it, train and evaluate three methods, and write report.html.

    After SIGTERM, SIGUSR1 or Ctrl-C it finishes the step it is working on and exits with status 75 (130
    after Ctrl-C).

    Args:
        out_dir: Folder for all results. Run the same command again to resume.
        objects: Number of objects.
        views: Number of views of each object.
        epochs: Number of epochs of each training.
    """
    from turntable.console import ConsoleDemoListener, build_results_tables
    from turntable.demo import DemoConfig, run_demo
    from turntable.processes import catch_stop_signals, count_usable_cores

    config = DemoConfig(out_dir, objects, views, count_usable_cores())
    if epochs is not None:
        config = config.with_epochs(epochs)
    with catch_stop_signals(warn, "the current step", catch_interrupts=True) as stop:
        report = run_demo(config, ConsoleDemoListener(err), stop)
    for table in build_results_tables(report.results):
        out.print(table)
        out.print()
    say(f"The report is {report.page_path}")
    return 0


@app.command(help_epilogue=format_examples("turntable doctor"))
def doctor() -> int:
    """List the devices that can render and their drivers, and say what is missing and how to install it."""
    from turntable.doctor import examine

    findings = examine()
    for finding in findings:
        missing_style = "red" if finding.is_required else "yellow"
        style = {"ok": "green", "warning": "bold yellow", "missing": missing_style}[finding.state]
        say(f"{finding.state:8s}", style=style, end="")
        say(f"{finding.subject}: {finding.detail}")
    return int(any(finding.state == "missing" and finding.is_required for finding in findings))
