"""The life of a process that fills slots for another."""

import importlib
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, NamedTuple, Protocol, cast

from numpy.typing import NDArray

from turntable.processes.endings import portable
from turntable.processes.slots import Layout, SharedSlots

LOOK_S = 0.5
"""How often a child looks whether its parent is still there."""


class Filler(Protocol):
    """Fills parts of slots."""

    def fill(self, arrays: Mapping[str, NDArray[Any]], part: Any) -> Any:
        """Fill a part of a slot's arrays; what it returns, small and picklable, goes to the parent."""
        ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What a child is told first."""

    opener: str
    """Makes the filler: "package.module:function". A name, so that the parent need not import it."""
    arguments: Mapping[str, Any]
    layout: Layout
    slots: int
    descriptor: int
    parent: int
    """Its process id."""


class FillTask(NamedTuple):  # not a dataclass: a tuple is pickled in a fraction of the time
    """A task of the child: fill one part of a slot."""

    serial: int
    """Of the job that it belongs to."""
    slot: int
    part: Any


class Done(NamedTuple):
    """A part is filled."""

    serial: int
    report: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """A part could not be filled, or the filler not be made; the child leaves."""

    error: Exception


def open_by_name(opener: str, arguments: Mapping[str, Any]) -> Any:
    """Return what "package.module:function" makes of some arguments."""
    module, _, function = opener.partition(":")
    return getattr(importlib.import_module(module), function)(**arguments)


def main(descriptor: int) -> None:
    """Fill slots until the parent closes the pipe, or is gone.

    Args:
        descriptor: of this end of the pipe.
    """
    # Ctrl-C and what batch systems send to a whole job are the parent's to answer.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    pipe: Connection[Any, Any] = Connection(descriptor)
    with suppress(EOFError, ConnectionError):
        try:
            _serve(pipe, cast("Setup", pipe.recv()))
        except (EOFError, ConnectionError):
            raise
        except Exception as error:
            pipe.send(Failed(portable(error)))


def _serve(pipe: "Connection[Any, Any]", setup: Setup) -> None:
    Thread(target=leave_with, args=(setup.parent,), daemon=True).start()
    slots = SharedSlots(setup.layout, setup.slots, setup.descriptor)
    arrays = [slots.arrays(slot)[1] for slot in range(setup.slots)]
    filler = cast("Filler", open_by_name(setup.opener, setup.arguments))
    while True:
        task = cast("FillTask", pipe.recv())
        pipe.send(Done(task.serial, filler.fill(arrays[task.slot], task.part)))


def leave_with(parent: int) -> None:
    """Leave even from the midst of a task when nobody is there any more who wants it."""
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(1)
