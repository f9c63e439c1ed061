"""Runs that are killed again and again, each in a fork of one process that has all modules and pictures.

A hundred interpreters and OpenGL devices take minutes to open, and no kill of theirs tells of a run's files.
So one forked run draws, and the runs that are killed find its pictures ready: whatever they write to disk,
read again and give names to is done in earnest.

python -m tests.support.killed_runs FOLDER KILLS SEED
"""

import io
import os
import pickle
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

from tests.support import quick_run
from tests.support.quick_run import OBJECTS, InProcess, load_here, quick
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.runs import LoadedObject, shard_rendering
from turntable.renderer.views import PosedViews, RenderedViews

TOUCHING = set("open write truncate flush close fsync replace rename link unlink mkdir flock".split())  # noqa: SIM905
"""Calls into the system or its files, between any two of which a kill may leave something else."""
Where = tuple[tuple[str, int], ...]
"""A place of the code: a call and its line, and the files and lines that lead to it."""


def forked(work: Callable[[], object]) -> int:
    """The id of a forked process that does something and ends well, or says why not."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(f"the run failed: {error!r}", file=sys.stderr)  # noqa: T201
            os._exit(1)
    return pid


def killed(pid: int) -> bool:
    """Wait for a process, and tell if a kill ended it rather than its own end."""
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the run failed by itself"
    return os.WIFSIGNALED(status)


def each_touch(then: Callable[[Where], object]) -> None:
    """From now on, do something before each operation on files in this process, told where it stands."""

    def heard(frame: FrameType, event: str, called: Any) -> None:
        in_memory = isinstance(called.__self__, io.BytesIO) if event == "c_call" else True
        if not in_memory and called.__name__ in TOUCHING:
            then(where(called.__name__, frame))

    threading.setprofile(heard)
    sys.setprofile(heard)


def where(name: str, frame: FrameType) -> Where:
    """The place of a call by its name, without the lines of others' code but that of the call itself."""
    lines, caller = [(name, frame.f_lineno)], frame
    while caller is not None:
        if caller.f_globals.get("__name__", "").startswith("turntable."):
            lines.append((caller.f_code.co_filename, caller.f_lineno))
        caller = caller.f_back
    return tuple(lines)


def kill_at(place: Where) -> None:
    """Have this process killed before it touches a file at a place."""
    each_touch(lambda here: here != place or signal.raise_signal(signal.SIGKILL))


def places_of(folder: Path) -> list[Where]:
    """Make the data set once, and return every place that touches files in the making."""
    kept = folder.with_name("places")

    def work() -> None:
        found: dict[Where, None] = {}
        each_touch(lambda here: found.setdefault(here))
        quick(folder)
        sys.setprofile(None)
        kept.write_bytes(pickle.dumps(list(found)))

    assert not killed(forked(work))
    places = pickle.loads(kept.read_bytes())
    kept.unlink()
    return places


@dataclass(frozen=True, slots=True)
class Drawn:
    """A backend's name, and what it drew."""

    device: Any
    views: Mapping[str, RenderedViews]


class Ready:
    """A choice that draws nothing: its pictures are there. The engine that has it opens no device."""

    warnings = ()

    def __init__(self, drawn: Drawn) -> None:
        self.device = drawn.device

    def open(self, worker: int = 0) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def draw(folder: Path) -> Drawn:
    """Make the data set in a fork, whose device goes with it, and keep what was drawn."""
    kept = folder.with_name("drawn")

    def work() -> None:
        views: dict[str, RenderedViews] = {}
        device: list[Any] = []
        begin, names = shard_rendering.begin_posed_views, note_names()

        def noted(backend: Any, recipe: Any, mesh: Any, posed: PosedViews) -> Callable[[], RenderedViews]:
            device[:] = [backend.device]
            pending = begin(backend, recipe, mesh, posed)
            return lambda: views.setdefault(names[posed], pending())

        shard_rendering.begin_posed_views = noted
        quick(folder)
        kept.write_bytes(pickle.dumps(Drawn(device[0], views)))

    assert not killed(forked(work))
    drawn = pickle.loads(kept.read_bytes())
    kept.unlink()
    return drawn


def note_names() -> Mapping[PosedViews, str]:
    """From now on, have every object's posed views in this table, with the object's id."""
    pose, names = shard_rendering.pose_views, {}

    def noted(recipe: Any, object_id: str, *more: Any) -> PosedViews:
        posed = pose(recipe, object_id, *more)
        names[posed] = object_id
        return posed

    shard_rendering.pose_views = noted
    return names


def use(drawn: Drawn) -> None:
    """Have the runs of this process, and of its forks, find their meshes and pictures ready."""
    source, ready = ZooSource(OBJECTS), Ready(drawn)
    names = list(drawn.views)
    meshes: dict[str, LoadedObject | Exception] = dict(zip(names, load_here(source)(names), strict=True))
    quick_run.load_here = lambda _: lambda names: (meshes[name] for name in names)
    InProcess.make_opener = lambda *_: ready
    posed_names = note_names()
    shard_rendering.begin_posed_views = lambda *given: lambda: drawn.views[posed_names[given[-1]]]


def killed_at(folder: Path, place: Where) -> bool:
    """Begin the run and have it killed at a place; tell if it came there, rather than to its end."""

    def work() -> None:
        kill_at(place)
        quick(folder)

    return killed(forked(work))


def killed_after(folder: Path, seconds: float) -> bool:
    """Begin the run and kill it after a time; tell if it was killed before its end."""
    pid = forked(lambda: quick(folder))
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return killed(pid)


def finished_s(folder: Path) -> float:
    """Let a run end, and return how long it took."""
    began = time.monotonic()
    assert not killed(forked(lambda: quick(folder)))
    return time.monotonic() - began


def dealt(places: list[Where], moments: random.Random) -> list[Where]:
    """Places in ten rows, each in the order of a run: a set is killed at many of them before it ends."""
    rows = sorted((moments.randrange(10), at, place) for at, place in enumerate(places))
    return [place for _, _, place in rows]


def kill(folder: Path, waiting: list[Where | float]) -> int:
    """Kill runs, resuming each, at every place and after every time; the number of sets that takes.

    A run that came to its end may have had nothing left to do at a place: the next set has all to do. Or the
    machine had more work when runs were timed: the next time is shorter.
    """
    number = 0
    while waiting:
        target, moment = folder / f"set-{number}", waiting[0]
        ended = killed_after(target, moment) if isinstance(moment, float) else killed_at(target, moment)
        if ended:
            waiting.pop(0)
        elif isinstance(moment, float):
            waiting[0] = moment / 2
        number += (target / "manifest.json").exists()
    return number + 1


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill runs at every place that touches files, and as often as is said at any moment; finish all sets."""
    moments = random.Random(seed)
    use(draw(folder / "drawn-here"))
    quick(folder / "whole")  # in this process, so that no fork has anything left to import
    waiting: list[Where | float] = [*dealt(places_of(folder / "placed"), moments)]
    places, length = len(waiting), finished_s(folder / "timed")
    for _ in range(kills):
        waiting.insert(moments.randrange(len(waiting)), moments.uniform(0, length))
    sets = kill(folder, waiting)
    for index in range(sets):
        finished_s(folder / f"set-{index}")
    print(f"killed runs of {sets} sets at {places} places and {kills} moments")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
