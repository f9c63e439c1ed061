"""Retries: pauses between tries, and errors that say whether another try may help."""

import random
from collections.abc import Iterator
from typing import NamedTuple

MAX_TRIES = 6
"""Number of tries of one operation."""
FIRST_PAUSE_S, MAX_PAUSE_S = 0.1, 15.0
"""Bounds of the pauses, in seconds."""


def iter_pauses() -> Iterator[float | None]:
    """Yield the seconds to wait after each failed try, and None after the last one.

    Each pause is about three times as long as the one before. Together they last 6 to 12 seconds, which is
    enough for a server to restart. Their random part keeps many clients from returning at the same moment.
    """
    for num_failed in range(MAX_TRIES - 1):
        yield random.uniform(0.5, 1.0) * min(FIRST_PAUSE_S * 3**num_failed, MAX_PAUSE_S)
    yield None


CHECK_URL_REMEDY = "check that the URL is right, or ask the administrator of the server"
"""Advice for a response that will not be better the next time."""


class ResponseProblem(NamedTuple):
    """A fault of a response."""

    message: str
    """Text for the user. It contains no URL."""
    is_transient: bool = True
    """True if the same request may succeed a moment later."""


class ResponseError(Exception):
    """A response that cannot be used.

    Code that catches it keeps its ``problem``, not the error: the error's traceback refers to frames, and
    with them to open connections.
    """

    def __init__(self, message: str, is_transient: bool = True) -> None:
        super().__init__(message)
        self.problem = ResponseProblem(message, is_transient)
