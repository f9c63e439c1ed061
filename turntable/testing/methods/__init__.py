"""The contract tests of methods."""

from turntable.testing.methods.contract import MethodContract

__all__ = ["MethodContract"]
