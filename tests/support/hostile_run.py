"""Runs one command over hostile data sets, in a process whose memory is bounded: a line of JSON for each.

python -m tests.support.hostile_run COMMAND FOLDER SCRATCH CASE...
"""

import io
import json
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turntable.loaders import BatchConfig

MEMORY_BYTES = 4 << 30
SECONDS = 30


class HangsError(Exception):
    """A command did not end in time."""


def _everything() -> "BatchConfig":
    from turntable.loaders import BatchConfig, Views

    fields = ("rotation", "factors", "mask", "depth", "points", "object_points")
    return BatchConfig(sampler=Views(), batch_size=2, fields=fields, last_batch="short", output="numpy")


def load(folder: Path, _: Path) -> str:
    from turntable.loaders import Loader

    loader = Loader(folder, _everything())
    return f"{sum(len(batch['view']) for batch in loader.iter_batches(0))} views"


def stream(folder: Path, scratch: Path) -> str:
    from tests.support.http_server import FaultyServer, running
    from turntable.loaders import Loader

    with running(FaultyServer(folder.parent)) as server:
        counts = []
        for cache in (scratch / "cache", False):
            loader = Loader(f"{server.url}/{folder.name}", _everything(), cache=cache)
            counts.append(sum(len(batch["view"]) for batch in loader.iter_batches(0)))
    return f"{counts} views"


def verify(folder: Path, _: Path) -> str:
    from turntable.datasets import verify_dataset as verify_dataset
    from turntable.errors import IntegrityError

    report = verify_dataset(folder, deep=True, num_threads=1)
    if report.problems:
        raise IntegrityError("\n".join(report.problems))
    return f"{report.num_images} images"


def inspect(folder: Path, _: Path) -> str:
    return _commanded("inspect", str(folder))


def serve(folder: Path, _: Path) -> str:
    from starlette.testclient import TestClient

    from turntable.errors import TurntableError
    from turntable.service import build_catalog, create_app

    with TestClient(create_app(build_catalog([folder])), "http://localhost") as client:
        refused, name = [], folder.name
        asked = ["about", "factors", "objects?limit=9", "pair", "manifest.json"]
        asked += (
            ["views?limit=9"] if name.startswith(("good", "table", "labels")) else []
        )  # it starts a process
        beside = ("README.md", "contact-sheet.jpg", "warnings.jsonl", "labels.parquet", "croissant.json")
        asked += [f"files/{file}" for file in beside]
        listed = client.get("/datasets")
        assert listed.status_code == 200
        for row in client.get(f"/datasets/{name}/objects").json().get("objects", ()):
            key = row["key"]
            asked += [f"objects/{key}", f"objects/{key}/views/0.jpg", f"objects/{key}/views/0.json"]
        for path in asked:
            answer = client.get(f"/datasets/{name}/{path}")
            assert b"TOP-SECRET" not in answer.content
            if answer.status_code >= 400:
                assert str(folder.parent) not in answer.text
                refused.append(f"{path}: {answer.json()['error']}")
    if refused:
        raise TurntableError("\n".join(refused))
    return f"{len(asked)} answers"


def publish(folder: Path, scratch: Path) -> str:
    from turntable.datasets import prepare_hub_folder
    from turntable.datasets import publish as publish_dataset
    from turntable.datasets.stores import LocalStore

    prepare_hub_folder(folder, scratch / "hub")
    return f"{publish_dataset(folder, LocalStore(scratch / 'store')).num_sent} files"


def convert(folder: Path, scratch: Path) -> str:
    from turntable.datasets import export_folder

    return f"{export_folder(folder, scratch / 'out', num_threads=1).num_images} images"


def query(folder: Path, _: Path) -> str:
    from turntable.datasets import open_dataset

    views = _worker().select_matching_views(open_dataset(folder), ("train",), "floor_hue < 2")
    return f"{len(views['train'])} views"


def _worker():
    global _WORKER
    if _WORKER is None:
        from turntable.datasets.query import ConditionWorker

        _WORKER = ConditionWorker(SECONDS)
    return _WORKER


_WORKER = None


def _commanded(*words: str) -> str:
    """What a command says, whose words must be fit for a terminal."""
    from turntable.cli import main
    from turntable.errors import TurntableError

    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main(words)
        except SystemExit as end:
            status = end.code
    text = said.getvalue()
    assert all(sign.isprintable() or sign == "\n" for sign in text), ascii(text)
    if status:
        raise TurntableError(text)
    return text.splitlines()[0]


def outcome(run: Callable[[Path, Path], str], folder: Path, scratch: Path) -> tuple[str, str]:
    from turntable.errors import TurntableError

    try:
        return "ok", run(folder, scratch)
    except TurntableError as error:
        return "refused", str(error)
    except HangsError:
        return "hangs", ""
    except BaseException as error:  # a traceback, whatever it is
        import traceback

        return (
            "fails",
            f"{type(error).__name__}: {error}\n{''.join(traceback.format_tb(error.__traceback__)[-4:])}",
        )


def main(command: str, folder: Path, scratch: Path, names: list[str]) -> None:
    def ring(*_: object) -> None:
        raise HangsError

    signal.signal(signal.SIGALRM, ring)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    run = globals()[command]
    for name in names:
        own = scratch / name
        own.mkdir(parents=True)
        began = time.monotonic()
        signal.alarm(SECONDS)
        state, text = outcome(run, folder / name, own)
        signal.alarm(0)
        line = {"case": name, "state": state, "text": text, "seconds": round(time.monotonic() - began, 2)}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    if _WORKER is not None:
        with closing(_WORKER):
            pass


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
