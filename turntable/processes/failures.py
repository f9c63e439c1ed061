"""Descriptions of how a process ended, and errors that can be sent to the parent process."""

import pickle
import signal
import traceback

_CRASH_HINT = " (a crash in native code, usually in the graphics driver)"
_HINTS = {
    "SIGKILL": " (usually by the kernel's out-of-memory killer: use fewer workers)",
    "SIGSEGV": _CRASH_HINT,
    "SIGBUS": _CRASH_HINT,
    "SIGABRT": _CRASH_HINT,
}


def format_exit_code(exit_code: int | None) -> str:
    """Return an exit code as text: "SIGKILL", "exit code 3".

    Args:
        exit_code: Exit code as ``subprocess`` has it, negative for a signal; None: the process could not be
            ended.
    """
    if exit_code is None:
        return "cannot be killed"
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


def describe_exit(exit_code: int | None) -> str:
    """Return an exit code as a phrase: "ended by SIGKILL", with a hint on the cause of some signals.

    Args:
        exit_code: Exit code as ``subprocess`` has it, negative for a signal; None: not even the kernel could
            end the process.
    """
    if exit_code is None:
        return "hangs and cannot be killed"
    name = format_exit_code(exit_code)
    return f"ended with {name}" if exit_code >= 0 else f"ended by {name}{_HINTS.get(name, '')}"


def make_picklable(error: Exception) -> Exception:
    """Return an error that another process can unpickle, with its traceback in a note.

    An error that cannot be pickled becomes a RuntimeError whose text is the traceback.
    """
    text = "".join(traceback.format_exception(error))
    error.add_note(f"In a worker process:\n{text}")
    try:
        # Some errors can be pickled but not unpickled: their arguments are not those of their constructor.
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(text)
    return error
