"""What the processes of the worker's tests answer."""

import os
import time
from collections.abc import Callable
from typing import Any

from turntable.errors import InvalidInputError


def open_answerer(factor: int = 2) -> Callable[[Any], Any]:
    def answer(question: Any) -> Any:
        if isinstance(question, int):
            return question * factor
        match question:
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

    return answer


def refuse_to_open() -> Callable[[Any], Any]:
    raise InvalidInputError("there is nothing to answer with")
