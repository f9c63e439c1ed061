"""The contract tests of methods."""

from turntable.extras import explain_import_errors

with explain_import_errors("torch"):
    import torch as _torch

from turntable.testing.methods.contract import MethodContract

del _torch

__all__ = ["MethodContract"]
