"""Signals that ask work to end soon: it finishes what it has in hand, and begins no more.

SIGTERM is what batch systems send before they kill, SIGUSR1 what users ask them to send some time before
(``sbatch --signal=B:USR1@120``). The same signal again ends the work at once.
"""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from turntable.errors import StoppedError

BATCH_SYSTEMS = (signal.SIGTERM, signal.SIGUSR1)


@contextmanager
def stop_when_asked(
    say: Callable[[str], None], in_hand: str, *, interrupts: bool = False
) -> Generator[Callable[[], bool], None, None]:
    """For the time of a block (in the main thread), a function that tells whether a signal has come.

    Args:
        say: Told, once, that the work is about to end.
        in_hand: What is finished before that, such as "the shards in hand".
        interrupts: Whether Ctrl-C asks too; otherwise it ends the work at once.

    Raises:
        KeyboardInterrupt: At once where a signal comes again; in place of the block's StoppedError where it
            was Ctrl-C that asked.
    """
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        if number in asked:
            raise KeyboardInterrupt
        if not asked:
            name = signal.Signals(number).name
            say(f"{name}: ending after {in_hand}; send it again to end at once")
        asked.append(number)

    numbers = (*BATCH_SYSTEMS, signal.SIGINT) if interrupts else BATCH_SYSTEMS
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield lambda: bool(asked)
    except StoppedError as error:
        if asked[:1] == [signal.SIGINT]:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
