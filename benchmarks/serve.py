"""The data service beside nginx with the same files, and what only it does: views by key, gallery, queries.

    scripts/bench serve
    scripts/bench serve --objects 200 --seconds 2 --minutes 0.5   # a quick look
    scripts/bench serve --beside CHECKOUT    # and the service of another checkout, in the same turns

Five questions, in one run on one machine:

1. Shards to one reader and to 64, against nginx with the same files (sendfile, a worker a core), in turns.
2. A view by its key at 500 requests a second, asked for at fixed times, whether earlier answers came or not.
3. How soon Chromium paints the gallery of a set of 50,000 views.
4. How long a query over all labels takes.
5. Whether memory grows under all of this at once.
"""

import argparse
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from loader_data import make_dataset
from loader_http import served

from turntable.datasets import open_dataset

PIECE_BYTES = 1 << 20
READERS = (1, 64)
RATE = 500
"""Views a second."""
CONNECTIONS = 16
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes auto;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  default_type application/octet-stream;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@contextmanager
def nginx(folder: Path, root: Path) -> Iterator[int]:
    """Serve a folder with nginx and yield its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, root=root))
    with subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-p", folder]) as server:
        _until_open(port)
        try:
            yield port
        finally:
            server.terminate()


def _until_open(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def throughput(port: int, paths: Sequence[str], readers: int, seconds: float) -> float:
    """Measure bytes per second for a number of readers, each reading file by file on its own connection."""
    stop, counts = threading.Event(), [0] * readers

    def read(number: int) -> None:
        buffer, at = bytearray(PIECE_BYTES), number
        with socket.create_connection(("127.0.0.1", port)) as sock:
            while not stop.is_set():
                path = paths[at % len(paths)]
                at += 1
                sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                left, head = None, b""
                while left is None or left > 0:
                    got = sock.recv_into(buffer)
                    if not got:
                        raise ConnectionError(f"{path}: the answer ended too early")
                    counts[number] += got
                    if left is None:
                        head += bytes(buffer[:got])
                        if b"\r\n\r\n" in head:
                            left = _length(head) - (len(head) - head.index(b"\r\n\r\n") - 4)
                    else:
                        left -= got
                    if stop.is_set():
                        return

    threads = [threading.Thread(target=read, args=(number,)) for number in range(readers)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    before, began = sum(counts), time.perf_counter()
    time.sleep(seconds)
    rate = (sum(counts) - before) / (time.perf_counter() - began)
    stop.set()
    for thread in threads:
        thread.join()
    return rate


def _length(head: bytes) -> int:
    status = head.split(b" ", 2)[1]
    if status != b"200":
        raise ConnectionError(f"the server answered {status.decode()}")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    raise ConnectionError("no length")


def latencies(port: int, addresses: Sequence[str], seconds: float) -> tuple[np.ndarray[Any, Any], int]:
    """Measure seconds from the scheduled time of each request to its response, and the number of failures."""
    count, failed = int(RATE * seconds), 0
    found = np.zeros(count)
    start, lock, following = time.perf_counter() + 0.5, threading.Lock(), iter(range(count))

    def work() -> None:
        nonlocal failed
        connection = HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                number = next(following, None)
            if number is None:
                return
            due = start + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("GET", addresses[number % len(addresses)])
            answer = connection.getresponse()
            answer.read()
            failed += answer.status != 200
            found[number] = time.perf_counter() - due

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found, failed


def first_paint(url: str, wanted: str) -> dict[str, float]:
    """Measure seconds to Chromium's first contentful paint and to an element of the page, cache empty."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_context().new_page()
        page.goto("about:blank")
        began = time.perf_counter()
        page.goto(url)
        page.wait_for_selector(wanted)
        there = time.perf_counter() - began
        paint = page.evaluate(
            "() => performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)[0]"
        )
        browser.close()
    return {"first_paint_s": round(paint / 1000, 3), "content_s": round(there, 3)}


def timed(call: Callable[[], Any]) -> float:
    """Measure the seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def asked(port: int, method: str, path: str, body: str | None = None) -> bytes:
    """Return the body of a response, whose status must be 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.status != 200:
        raise ConnectionError(f"{path}: {answer.status} {data[:200]!r}")
    return data


def memory_mb(port: int) -> float:
    """Return the memory of the process that listens on a port, in MB."""
    hexadecimal = f"0100007F:{port:04X}"
    inode = next(
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()
        if hexadecimal in line.split()[1]
    )
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(link.readlink().name == f"socket:[{inode}]" for link in (process / "fd").iterdir()):
                status = (process / "status").read_text()
                return int(status.split("VmRSS:")[1].split()[0]) / 1024
        except OSError:
            continue
    raise RuntimeError("nobody listens")


def steady_memory(
    port: int, name: str, shards: Sequence[str], views: Sequence[str], minutes: float
) -> list[float]:
    """Measure the memory in MB at eight moments under a mixed load."""
    stop = threading.Event()

    def repeat(call: Callable[[int], Any]) -> None:
        number = 0
        while not stop.is_set():
            call(number)
            number += 1

    calls: list[Callable[[int], Any]] = [
        lambda number: asked(port, "GET", shards[number % len(shards)]),
        lambda number: asked(port, "GET", views[number % len(views)]),
        lambda number: asked(port, "GET", f"/datasets/{name}/views?limit=50&offset={number % 1000}"),
        lambda number: asked(
            port,
            "POST",
            "/query",
            json.dumps({"dataset": name, "where": f"floor_hue < 0.{number % 900 + 100}"}),
        ),
    ]
    threads = [threading.Thread(target=repeat, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    found = []
    for _ in range(8):
        time.sleep(minutes * 60 / 8)
        found.append(round(memory_mb(port), 1))
    stop.set()
    for thread in threads:
        thread.join()
    return found


def main() -> None:
    """Answer the five questions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--objects", type=int, default=1000, help="of 50 views")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument(
        "--minutes", type=float, default=4.0, help="of the load under which memory is watched"
    )
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT", help="of another version, to compare with")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        report(arguments, Path(scratch))


def report(arguments: argparse.Namespace, scratch: Path) -> None:
    """Make the data set, run both servers, and print a line of JSON for each answer."""
    folder = scratch / "set"
    make_dataset(folder, arguments.objects)
    dataset = open_dataset(folder)
    scratch.chmod(0o755)
    files = [f"{shard.split}/{shard.name}.tar" for shard in dataset.manifest.shards]
    with dataset.open_split("train") as train:
        keys = train.keys
    views = [f"/datasets/set/objects/{keys[at * 7 % len(keys)]}/views/{at % 50}.jpg" for at in range(5000)]
    with services(folder, scratch, arguments.beside) as ours, nginx(scratch, folder) as theirs:
        places = {name: (port, [f"/datasets/set/{file}" for file in files]) for name, port in ours.items()}
        places["nginx"] = (theirs, [f"/{file}" for file in files])
        for readers in READERS:
            told(**compared(places, readers, arguments))
        for port in ours.values():
            asked(port, "GET", views[0])  # opens the shards
        for name in [*ours, *reversed(ours)]:
            told(service=name, **timely(ours[name], views, arguments))
        for page, wanted in (("", ".card"), ("#/d/set", "main h1"), ("#/d/set", ".views li")):
            found = first_paint(f"http://127.0.0.1:{ours['turntable']}/gallery/{page}", wanted)
            told(page=page or "cards", until=wanted, **found)
        for name, port in ours.items():
            told(service=name, query_s=queried(port), views=dataset.manifest.totals.images)
        for name, port in ours.items():
            memory = steady_memory(port, "set", places[name][1], views, arguments.minutes)
            told(service=name, memory_mb=memory, minutes=arguments.minutes)


@contextmanager
def services(folder: Path, scratch: Path, beside: Path | None) -> Iterator[dict[str, int]]:
    """Start turntable's service, and another checkout's if given; yield their ports."""
    checkouts = {"turntable": None} if beside is None else {"turntable": None, "beside": beside.resolve()}
    with ExitStack() as running:
        urls = {
            name: running.enter_context(served(folder, scratch / f"{name}.log", checkout))
            for name, checkout in checkouts.items()
        }
        yield {name: int(url.split(":")[2].split("/")[0]) for name, url in urls.items()}


def told(**found: object) -> None:
    """Print what was found, a line of JSON."""
    print(json.dumps(found), flush=True)


def timely(port: int, views: Sequence[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """Yield the milliseconds of views requested at fixed times."""
    seconds, failed = latencies(port, views, arguments.seconds * 3)
    shares = {f"p{q}_ms": round(float(np.percentile(seconds, q)) * 1000, 2) for q in (50, 90, 99)}
    return {"views_per_s": RATE, **shares, "failed": failed}


def queried(port: int) -> float:
    """Yield the seconds of a query over all labels, the median of five that are not cached."""
    found = []
    for number in range(5):
        where = f"floor_hue between 0.2 and 0.4{number} and rotation_x_rad > 0"
        body = json.dumps({"dataset": "set", "where": where})
        found.append(timed(lambda body=body: asked(port, "POST", "/query", body)))
    return round(median(found), 3)


def compared(
    places: dict[str, tuple[int, list[str]]], readers: int, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Yield MB per second of all services in turns, and turntable's ratio to each of the others."""
    rounds = list[dict[str, float]]()
    for turn in range(arguments.rounds):
        order = list(places)[:: 1 if turn % 2 == 0 else -1]
        rounds.append({name: throughput(*places[name], readers, arguments.seconds) for name in order})
    rates = {name: round(median(found[name] for found in rounds) / 1e6) for name in places}
    ratios = {
        name: round(median(found["turntable"] / found[name] for found in rounds), 3)
        for name in places
        if name != "turntable"
    }
    return {"readers": readers, "mb_per_s": rates, "ratio_to": ratios}


if __name__ == "__main__":
    main()
