"""Signals that ask a training to end soon: it ends after the step in hand, with a checkpoint.

SIGTERM is what batch systems send before they kill, SIGUSR1 what users ask them to send some time before
(``sbatch --signal=USR1@120``), SIGINT is Ctrl-C. The same signal again ends the run at once. With several
ranks, one that is asked is enough.
"""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from turntable.errors import StoppedError

ASKED_BY = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


@contextmanager
def stop_when_asked(say: Callable[[str], None]) -> Generator[Callable[[], bool], None, None]:
    """For the time of a block (in the main thread), a function that tells whether a signal has come.

    Args:
        say: Told, once, that the run is about to end.

    Raises:
        KeyboardInterrupt: In place of the block's StoppedError where it was Ctrl-C that asked, and at once
            where a signal comes again.
    """
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        if number in asked:
            raise KeyboardInterrupt
        if not asked:
            name = signal.Signals(number).name
            say(f"{name}: ending after the step in hand; send it again to end at once")
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in ASKED_BY}
    try:
        yield lambda: bool(asked)
    except StoppedError as error:
        if asked[:1] == [signal.SIGINT]:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
