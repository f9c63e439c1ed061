"""How a process ended, and what it raised, as its parent can tell."""

import pickle
import signal
import traceback

_CRASH = " (a crash in native code, as a rule the graphics driver's)"
_HINTS = {
    "SIGKILL": " (as a rule by the kernel's out-of-memory killer: use fewer workers)",
    "SIGSEGV": _CRASH,
    "SIGBUS": _CRASH,
    "SIGABRT": _CRASH,
}


def ending_name(exit_code: int | None) -> str:
    """Return a process's ending in two words: "SIGKILL", "exit code 3"; None: it could not be ended."""
    if exit_code is None:
        return "cannot be killed"
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


def how_ended(exit_code: int | None) -> str:
    """Return words for an exit code: "ended by SIGKILL"; None where even the kernel could not end it."""
    if exit_code is None:
        return "hangs and cannot be killed"
    name = ending_name(exit_code)
    return f"ended with {name}" if exit_code >= 0 else f"ended by {name}{_HINTS.get(name, '')}"


def portable(error: Exception) -> Exception:
    """Return an error as another process can read it; where it happened is in a note."""
    where = "".join(traceback.format_exception(error))
    error.add_note(f"In a worker process:\n{where}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(where)
    return error
