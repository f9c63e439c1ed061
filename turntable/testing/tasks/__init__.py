"""The contract tests of evaluation tasks."""

from turntable.testing.tasks.contract import TaskContract

__all__ = ["TaskContract"]
