"""Request handlers for the tests of isolated workers, whose processes import this module by name."""

import os
import time
from collections.abc import Callable
from typing import Any

from turntable.errors import InvalidInputError


def make_handler(factor: int = 2) -> Callable[[Any], Any]:
    def handle(request: Any) -> Any:
        if isinstance(request, int):
            return request * factor
        match request:
            case "pid":
                return os.getpid()
            case "hang":
                time.sleep(1000)
            case "die":
                os._exit(3)
            case "swell":
                return len(bytearray(8 << 30))
            case "refuse":
                raise InvalidInputError("it cannot be right")
        raise RuntimeError("a fault of ours")

    return handle


def refuse_to_start() -> Callable[[Any], Any]:
    raise InvalidInputError("there is no handler")
