"""What every task must do."""

from turntable.testing.tasks.contract import TaskContract

__all__ = ["TaskContract"]
