"""What every method must do."""

from turntable.testing.methods.contract import MethodContract

__all__ = ["MethodContract"]
