"""Methods of users' own in tests: what a process knows of them, forgotten."""

import sys

from turntable.models import user_methods

MINE = """
from dataclasses import dataclass

from turntable.models import ImageMethod, MethodConfig, MethodEntry


@dataclass(frozen=True, slots=True)
class MineConfig(MethodConfig):
    scale: float = 1.0


class Mine(ImageMethod):
    def __init__(self, config, backbone, data):
        super().__init__(backbone, data)
        self.config = config

    def loss(self, batch):
        one, two = self.represent_pair(batch)
        return {"loss": self.config.scale * (one - two).square().mean()}


mine = MethodEntry(MineConfig, Mine)
"""
"""The code of a method that fulfils its contract."""


def forget_own_methods(*modules: str) -> None:
    """Be as a new process: no method is registered, and no file of one has been run.

    Args:
        modules: Beginnings of the names of further modules to forget.
    """
    user_methods._registered.clear()
    for name in list(sys.modules):
        if name.startswith(("turntable_own_", *modules)):
            del sys.modules[name]
