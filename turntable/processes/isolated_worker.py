"""A worker process that handles one request at a time, and is killed if a request takes too long.

It is for work on untrusted data that may crash, hang or use too much memory. The calling process survives all
of that.
"""

import math
from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any, Literal

from turntable.errors import TurntableError
from turntable.processes.worker_main import TaskFailure, TaskFunction, TaskResult
from turntable.processes.worker_process import Message, WorkerExit, WorkerProcess

FailureStage = Literal["starting", "late", "died"]
START_TIMEOUT_S = 120.0
"""Time limit in seconds for the start of a process. Imports from a cold disk are slow."""


class WorkerFailedError(TurntableError):
    """The error of a request whose process died or took too long. The next request starts another process.

    Args:
        message: Message that says what happened.
        stage: Stage of the failure: "starting" (the process did not start), "late" (the request took too
            long) or "died" (the process died during the request).
        exit_code: Exit code of a process that died, as ``subprocess`` has it.
    """

    def __init__(self, message: str, stage: FailureStage = "died", exit_code: int | None = None) -> None:
        super().__init__(message)
        self.stage, self.exit_code = stage, exit_code


class IsolatedWorker:
    """A worker process that handles requests. It starts with the first request.

    Only one thread at a time may use it.

    Args:
        factory: Function that makes the handler, in the worker process: "package.module:function". It gets
            ``arguments`` and returns a callable that takes a request and returns a response, both picklable.
        arguments: Picklable arguments of that function by name.
        memory_bytes: Limit of the process's address space; None: no limit. A process that holds more than
            half of it after a request is replaced.
        max_requests: Number of requests after which a process is replaced.
        reported_errors: Errors of a request that are raised here, and after which the process goes on. Any
            other error ends the process.
    """

    def __init__(
        self,
        factory: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        memory_bytes: int | None = None,
        max_requests: float = math.inf,
        reported_errors: type[Exception] = TurntableError,
    ) -> None:
        self._setup = factory, dict(arguments or {})
        self._memory_bytes, self._max_requests = memory_bytes, max_requests
        self._reported_errors = reported_errors
        self._process: WorkerProcess | None = None

    def call(self, request: Any, timeout_s: float) -> Any:
        """Send a request and return the response.

        Args:
            request: Picklable value for the handler.
            timeout_s: Time limit in seconds; a process that takes longer is killed.

        Raises:
            WorkerFailedError: The request took longer, or the process died.
            Exception: An error of the request, if it is one of ``reported_errors``.
        """
        try:
            process = self._get_process()
            process.send(request)
            message = _receive_message(
                process, timeout_s, f"it took more than {timeout_s:g} s", ("late", "died")
            )
        except BaseException:
            # The response may still come, and the next call would take it for its own.
            self.close()
            raise
        if process.is_spent(self._max_requests, self._memory_bytes or math.inf):
            self.close()
        if isinstance(message, TaskFailure):
            raise message.error
        assert isinstance(message, TaskResult)
        return message.value

    def interrupt(self) -> None:
        """Kill the process, from another thread than the one in ``call``, which then raises."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the process at once. The next request starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.end()
            self._process = None

    def _get_process(self) -> WorkerProcess:
        """Return the process of this worker, and start it first if necessary. A fork starts its own."""
        if self._process is not None and self._process.is_own:
            return self._process
        self._process = process = WorkerProcess(
            make_call_function,
            self._setup,
            memory_bytes=self._memory_bytes,
            reported_errors=self._reported_errors,
        )
        late_message = f"its process did not start within {START_TIMEOUT_S:g} s"
        message = _receive_message(process, START_TIMEOUT_S, late_message, ("starting", "starting"))
        if isinstance(message, TaskFailure):
            raise message.error
        return process


def _receive_message(
    process: WorkerProcess, timeout_s: float, late_message: str, stages: tuple[FailureStage, FailureStage]
) -> Message:
    """Wait for the next message of a process.

    Args:
        process: Process that is to send a message.
        timeout_s: Time limit in seconds.
        late_message: Message of the error, if the process takes longer.
        stages: Stages of the error, if the process takes longer and if it dies.

    Raises:
        WorkerFailedError: The process took longer, or died.
    """
    message = process.receive(timeout_s)
    if message is None:
        raise WorkerFailedError(late_message, stages[0])
    if isinstance(message, WorkerExit):
        raise WorkerFailedError(f"its process {message.description}", stages[1], message.exit_code)
    return message


def make_call_function(factory: str, arguments: Mapping[str, Any]) -> TaskFunction:
    """Make the task function of a process that handles requests.

    Args:
        factory: Function that makes the handler: "package.module:function".
        arguments: Arguments of that function by name.
    """
    handle: Callable[[Any], Any] = resolve_name(factory)(**arguments)

    def handle_request(request: Any, _: Callable[[Any], None]) -> Any:
        return handle(request)

    return handle_request
