"""The life of a process that answers questions, one at a time."""

import resource
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, cast

from turntable.errors import TurntableError
from turntable.processes.child import leave_with, open_by_name
from turntable.processes.endings import portable

READY = "ready"


@dataclass(frozen=True, slots=True)
class AnswerSetup:
    """The first message to a process."""

    opener: str
    """Makes what answers: "package.module:function"."""
    arguments: Mapping[str, Any]
    memory_bytes: int | None
    """Address space that it may take; None: no bound."""
    parent: int
    """Id of the process that asks."""


def main(descriptor: int) -> None:
    """Answer what comes through the pipe until it is closed, or who asks is gone.

    What cannot be answered for the asker's sake (a TurntableError) is sent back. Any other error ends the
    process, as a crash would.

    Args:
        descriptor: of this end of the pipe.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)  # the parent's to answer
    pipe: Connection[Any, Any] = Connection(descriptor)
    with suppress(EOFError, ConnectionError):
        setup = cast("AnswerSetup", pipe.recv())
        Thread(target=leave_with, args=(setup.parent,), daemon=True).start()
        if setup.memory_bytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (setup.memory_bytes, setup.memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        answer = cast("Callable[[Any], Any]", _or_error(open_by_name, setup.opener, setup.arguments))
        # The time that an answer may take is counted from here.
        pipe.send(answer if isinstance(answer, TurntableError) else READY)
        while not isinstance(answer, TurntableError):
            pipe.send(_or_error(answer, pipe.recv()))


def _or_error(call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except TurntableError as error:
        return portable(error)
