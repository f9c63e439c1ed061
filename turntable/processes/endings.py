"""How a process ended, and what it raised, as its parent can tell."""

import pickle
import signal
import traceback

_CRASH = " (a crash in native code, as a rule the graphics driver's)"
_HINTS = {
    signal.SIGKILL: " (as a rule by the kernel's out-of-memory killer: use fewer workers)",
    signal.SIGSEGV: _CRASH,
    signal.SIGBUS: _CRASH,
    signal.SIGABRT: _CRASH,
}


def how_ended(exit_code: int | None) -> str:
    """Words for an exit code: "ended by SIGKILL"; None where even the kernel could not end it."""
    if exit_code is None:
        return "hangs and cannot be killed"
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        number = signal.Signals(-exit_code)
    except ValueError:
        return f"ended by signal {-exit_code}"
    return f"ended by {number.name}{_HINTS.get(number, '')}"


def portable(error: Exception) -> Exception:
    """The error as another process can read it; where it happened is in a note."""
    where = "".join(traceback.format_exception(error))
    error.add_note(f"In a worker process:\n{where}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(where)
    return error
