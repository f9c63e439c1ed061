"""A moving average of a method's weights, which is steadier than the weights of any one step."""

import torch
from torch import Tensor, nn


class Average:
    """The exponential moving average of parameters and buffers; what is counted in whole numbers is copied.

    It starts as the method is when it is made.

    Args:
        method: What is followed.
        decay: How much of itself the average keeps at each step, in (0, 1).
    """

    def __init__(self, method: nn.Module, decay: float) -> None:
        self._decay = decay
        self._tensors = {name: tensor.clone() for name, tensor in method.state_dict().items()}

    @torch.no_grad()
    def follow(self, method: nn.Module) -> None:
        """Move towards what the method is now."""
        for name, tensor in method.state_dict().items():
            mine = self._tensors[name]
            if mine.is_floating_point():
                mine.lerp_(tensor, 1 - self._decay)
            else:
                mine.copy_(tensor)

    def state_dict(self) -> dict[str, Tensor]:
        """The average, by the names of the method's own ``state_dict``."""
        return self._tensors

    def load_state_dict(self, tensors: dict[str, Tensor]) -> None:
        """Be what another average was."""
        for name, tensor in tensors.items():
            self._tensors[name].copy_(tensor)
