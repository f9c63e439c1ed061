"""A process that answers one question at a time, and is killed when an answer takes too long.

For work that may crash, swell or hang, whatever a stranger makes of it: the process that asks outlives it.
"""

import math
from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any, Literal

from turntable.errors import TurntableError
from turntable.processes.serving import Failure, TaskResult, Work
from turntable.processes.supervised import Ended, Message, WorkerProcess

When = Literal["starting", "late", "died"]
START_S = 120.0
"""Seconds that a process may take until it can answer: a cold disk is slow."""


class WorkerFailedError(TurntableError):
    """The process died or took too long; the next question starts another one.

    Args:
        message: What happened, in words.
        when: It happened: as the process started; or of a question, which it was "late" with or "died" of.
        exit_code: Of a process that died, as ``subprocess`` has it.
    """

    def __init__(self, message: str, when: When = "died", exit_code: int | None = None) -> None:
        super().__init__(message)
        self.when, self.exit_code = when, exit_code


class Worker:
    """Asks a process of its own, which starts with the first question. For one thread at a time.

    Args:
        opener: Makes what answers, in the process: "package.module:function". The function gets ``arguments``
            and returns a callable that takes a question and returns its answer, both picklable.
        arguments: Picklable, by name.
        memory_bytes: Address space that the process may take; None: no limit. A process that holds more than
            half of it after an answer is replaced.
        most_questions: A process is replaced after so many.
        answered: Errors of a question that are raised here, and after which the process goes on. Any other
            ends it.
    """

    def __init__(
        self,
        opener: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        memory_bytes: int | None = None,
        most_questions: float = math.inf,
        answered: type[Exception] = TurntableError,
    ) -> None:
        self._setup = opener, dict(arguments or {})
        self._memory_bytes, self._most_questions, self._answered = memory_bytes, most_questions, answered
        self._process: WorkerProcess | None = None

    def ask(self, question: Any, seconds: float) -> Any:
        """Return the answer to a question.

        Args:
            question: Picklable.
            seconds: The answer may take; a process that takes longer is killed.

        Raises:
            WorkerFailedError: It took longer, or the process died.
            Exception: What the process raises of the question, if it is one of those that are answered.
        """
        try:
            process = self._started()
            process.send(question)
            message = _heard(process, seconds, f"it took more than {seconds:g} s", ("late", "died"))
        except BaseException:
            self.close()  # an answer that nobody waited for must not be taken for the next one's
            raise
        if process.is_spent(self._most_questions, self._memory_bytes or math.inf):
            self.close()
        if isinstance(message, Failure):
            raise message.error
        assert isinstance(message, TaskResult)
        return message.value

    def interrupt(self) -> None:
        """Kill the process while another thread asks it: the answer will not come."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the process at once; the next question starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.end()
            self._process = None

    def _started(self) -> WorkerProcess:
        if self._process is not None and self._process.is_ours:
            return self._process
        self._process = process = WorkerProcess(
            open_answerer, self._setup, memory_bytes=self._memory_bytes, answered=self._answered
        )
        late = f"its process did not start in {START_S:g} s"
        message = _heard(process, START_S, late, ("starting", "starting"))
        if isinstance(message, Failure):
            raise message.error
        return process


def _heard(process: WorkerProcess, seconds: float, late: str, when: tuple[When, When]) -> Message:
    """Return what a process says.

    Args:
        process: That is to say something.
        seconds: It may take.
        late: What a process did that takes longer, in words.
        when: That it happened, if it takes longer, and if it dies.
    """
    message = process.receive(seconds)
    if message is None:
        raise WorkerFailedError(late, when[0])
    if isinstance(message, Ended):
        raise WorkerFailedError(f"its process {message.how}", when[1], message.exit_code)
    return message


def open_answerer(opener: str, arguments: Mapping[str, Any]) -> Work:
    """Return the work of a process that answers; it reports nothing before the answer is there."""
    answer: Callable[[Any], Any] = resolve_name(opener)(**arguments)

    def work(question: Any, _: Callable[[Any], None]) -> Any:
        return answer(question)

    return work
