"""Methods of users' own in tests: what a process knows of them, forgotten."""

import sys

from turntable.models import own_methods


def forget_own_methods(*modules: str) -> None:
    """Be as a new process: no method is registered, and no file of one has been run.

    Args:
        modules: Beginnings of the names of further modules to forget.
    """
    own_methods._known.clear()
    for name in list(sys.modules):
        if name.startswith(("turntable_own_", *modules)):
            del sys.modules[name]
