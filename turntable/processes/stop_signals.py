"""Signals that ask a run to stop soon: it finishes the work in progress and starts no more.

Batch systems send SIGTERM before they kill a job. Users can make them send SIGUSR1 some time earlier
(``sbatch --signal=B:USR1@120``). The same signal a second time ends the run at once.
"""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from turntable.errors import StoppedError

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


@contextmanager
def catch_stop_signals(
    notify: Callable[[str], None], unfinished: str, *, catch_interrupts: bool = False
) -> Generator[Callable[[], bool], None, None]:
    """Catch stop signals within a block. The block must run in the main thread.

    Args:
        notify: Function that is called once, with a message for the user, when the first signal comes.
        unfinished: Work that is finished before the run ends, for that message: "the shards in progress".
        catch_interrupts: True if Ctrl-C asks the run to stop too; otherwise Ctrl-C ends it at once.

    Yields:
        A function that returns True once a signal has come.

    Raises:
        KeyboardInterrupt: At once, if the same signal comes a second time. Also in place of the block's
            StoppedError, if the first signal was Ctrl-C.
    """
    received: list[int] = []

    def handle_signal(number: int, _: FrameType | None) -> None:
        if number in received:
            raise KeyboardInterrupt
        if not received:
            name = signal.Signals(number).name
            notify(f"{name}: ending after {unfinished}; send it again to end at once")
        received.append(number)

    numbers = (*STOP_SIGNALS, signal.SIGINT) if catch_interrupts else STOP_SIGNALS
    previous_handlers = {number: signal.signal(number, handle_signal) for number in numbers}
    try:
        yield lambda: bool(received)
    except StoppedError as error:
        if received[:1] == [signal.SIGINT]:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
