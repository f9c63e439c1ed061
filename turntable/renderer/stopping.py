"""Signals that ask a run to end soon: it finishes the shards in hand, and begins no other.

SIGTERM is what batch systems send before they kill, SIGUSR1 what users ask them to send some time before
(``sbatch --signal=B:USR1@120``). The same signal again ends the run at once, as Ctrl-C does.
"""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

ASKED_BY = (signal.SIGTERM, signal.SIGUSR1)


@contextmanager
def stop_when_asked(say: Callable[[str], None]) -> Generator[Callable[[], bool], None, None]:
    """For the time of a block (in the main thread), a function that tells whether a signal has come.

    Args:
        say: Told, once, that the run is about to end.
    """
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        if number in asked:
            raise KeyboardInterrupt
        if not asked:
            name = signal.Signals(number).name
            say(f"{name}: ending after the shards in hand; send it again to end at once")
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in ASKED_BY}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
