"""Abilities: what a method can do beside learning, each a mix-in that evaluation looks for."""

from abc import ABC, abstractmethod

from torch import Tensor


class Classifies(ABC):
    """A method with a head of its own that names the category of a view."""

    @abstractmethod
    def classify(self, representation: Tensor) -> Tensor:
        """Name categories.

        Args:
            representation: [B, D] of each view (``Embedding.representation``).

        Returns:
            Logits [B, num_categories].
        """
