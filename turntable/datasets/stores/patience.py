"""Problems that may pass by themselves, and how long to wait between tries."""

import random
from collections.abc import Iterator
from typing import NamedTuple

TRIES = 6
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 15.0


def pauses() -> Iterator[float | None]:
    """Seconds to wait after each failed try, about three times as long each time; None after the last.

    Six to twelve seconds in all: a server that is started again is there by then.
    """
    for failed in range(TRIES - 1):
        yield random.uniform(0.5, 1.0) * min(FIRST_PAUSE_S * 3**failed, LONGEST_PAUSE_S)
    yield None


ASK = "look whether the URL is right, or ask whoever keeps the server"
"""A remedy for an answer that will not be better the next time."""


class Problem(NamedTuple):
    """A fault of an answer."""

    words: str
    """They hold no address."""
    may_pass: bool = True
    """True where the same request may do better a moment later."""


class AnswerError(Exception):
    """An answer that is of no use.

    Whoever catches it keeps its problem, not the error: with its frames it would keep connections open.
    """

    def __init__(self, words: str, may_pass: bool = True) -> None:
        super().__init__(words)
        self.problem = Problem(words, may_pass)
