"""A process that answers one question at a time, and is killed when an answer takes too long.

For work that may crash, swell or hang, whatever a stranger makes of it: the process that asks outlives it.
"""

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from turntable.errors import TurntableError
from turntable.processes.answering import AnswerSetup
from turntable.processes.endings import how_ended
from turntable.processes.starting import Channel, start_process

START_S = 120.0
"""Seconds that a process may take until it can answer: a cold disk is slow."""
_GRACE_S = 2.0


class WorkerFailedError(TurntableError):
    """The process died or took too long; the next question starts another one."""


class Worker:
    """Asks a process of its own, which starts with the first question. For one thread at a time.

    Args:
        opener: Makes what answers, in the process: "package.module:function". The function gets ``arguments``
            and returns a callable that takes a question and returns its answer, both picklable.
        arguments: Picklable, by name.
        memory_bytes: Address space that the process may take; None: no bound.
    """

    def __init__(
        self, opener: str, arguments: Mapping[str, Any] | None = None, memory_bytes: int | None = None
    ) -> None:
        self._opener, self._arguments, self._memory_bytes = opener, dict(arguments or {}), memory_bytes
        self._running: tuple[subprocess.Popen[bytes], Channel] | None = None

    def ask(self, question: Any, seconds: float) -> Any:
        """Return the answer to a question.

        Args:
            question: Picklable.
            seconds: The answer may take; a process that takes longer is killed.

        Raises:
            WorkerFailedError: It took longer, or the process died.
            TurntableError: What the process raises of the question.
        """
        try:
            _, pipe = self._running or self._start()
            pipe.send(question)
            answer = _received(pipe, seconds, f"it took more than {seconds:g} s")
        except (EOFError, OSError):
            raise WorkerFailedError(f"its process {self._end()}") from None
        except BaseException:
            self.close()  # an answer that nobody waited for must not be taken for the next one's
            raise
        if isinstance(answer, TurntableError):
            raise answer
        return answer

    def close(self) -> None:
        """End the process; the next question starts another."""
        if self._running is not None:
            process, pipe = self._running
            self._running = None
            pipe.close()
            process.kill()
            process.wait()

    def _start(self) -> "tuple[subprocess.Popen[bytes], Channel]":
        self._running = process, pipe = start_process("turntable.processes.answering")
        pipe.send(AnswerSetup(self._opener, self._arguments, self._memory_bytes, os.getpid()))
        told = _received(pipe, START_S, f"its process did not start in {START_S:g} s")
        if isinstance(told, TurntableError):
            raise told
        return process, pipe

    def _end(self) -> str:
        """End a process that closed its pipe; words for how it ended."""
        if self._running is None:
            return "could not be started"
        process, _ = self._running
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
        self.close()
        return how_ended(process.returncode)


def _received(pipe: Channel, seconds: float, late: str) -> Any:
    if not pipe.poll(seconds):
        raise WorkerFailedError(late)
    return pipe.recv()
