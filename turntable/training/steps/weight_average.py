"""A moving average of a method's weights, which fluctuates less than the weights of a single step."""

import torch
from torch import Tensor, nn


class WeightAverage:
    """An exponential moving average of parameters and buffers, which starts at the method's current ones.

    Integer buffers, which count batches, are copied.

    Args:
        method: Method to average.
        decay: Weight of the average itself at each step, in (0, 1).
    """

    def __init__(self, method: nn.Module, decay: float) -> None:
        self._decay = decay
        self._tensors = {name: tensor.clone() for name, tensor in method.state_dict().items()}

    @torch.no_grad()
    def update(self, method: nn.Module) -> None:
        """Set the average to ``decay`` times itself plus ``1 - decay`` times the method's weights."""
        for name, tensor in method.state_dict().items():
            average = self._tensors[name]
            if average.is_floating_point():
                average.lerp_(tensor, 1 - self._decay)
            else:
                average.copy_(tensor)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the average, by the names of the method's ``state_dict``."""
        return self._tensors

    def load_state_dict(self, tensors: dict[str, Tensor]) -> None:
        """Load the average from the state of another one."""
        for name, tensor in tensors.items():
            self._tensors[name].copy_(tensor)
