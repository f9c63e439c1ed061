"""How long to wait between tries of what may pass by itself."""

import random
from collections.abc import Iterator

TRIES = 6
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 15.0


def pauses() -> Iterator[float | None]:
    """Seconds to wait after each failed try, about three times as long each time; None after the last.

    Six to twelve seconds in all: a server that is started again is there by then.
    """
    for failed in range(TRIES - 1):
        yield random.uniform(0.5, 1.0) * min(FIRST_PAUSE_S * 3**failed, LONGEST_PAUSE_S)
    yield None
