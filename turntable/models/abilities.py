"""Abilities: what a method can do beside its loss. Evaluation looks for them and asks for nothing else."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Embedding:
    """The vectors that a method makes of single views; a part that the method does not have has width 0."""

    representation: Tensor
    """[B, D], all of it: what the papers' probes read."""
    invariant: Tensor
    """[B, Di]: the part trained to stay as the object turns."""
    equivariant: Tensor
    """[B, De]: the part trained to turn with the object."""
    source: Tensor
    """[B, E]: what ``Predicts.predict`` starts from."""
    target: Tensor
    """[B, E]: what it should arrive at, of the other view; often the same as ``source``."""

    @classmethod
    def of(
        cls,
        representation: Tensor,
        *,
        invariant: Tensor | None = None,
        equivariant: Tensor | None = None,
        source: Tensor | None = None,
        target: Tensor | None = None,
    ) -> Self:
        """With what the method has; ``target`` is ``source`` unless it is given."""
        none = representation[:, :0]
        source = none if source is None else source
        return cls(
            representation,
            none if invariant is None else invariant,
            none if equivariant is None else equivariant,
            source,
            source if target is None else target,
        )


class Embeds(ABC):
    """A method that embeds single views: what probes are trained on."""

    embeds_from: tuple[str, ...]
    """The fields of single views that ``embed`` is given, in its order: ``("view",)`` for pictures."""

    @abstractmethod
    def embed(self, *fields: Tensor) -> Embedding:
        """Embed B views; in ``eval()`` mode each by itself.

        Args:
            *fields: [B, ...] each, as a batch of single views has them.
        """


class Predicts(ABC):
    """A method that says how a view would embed after an action: what retrieval metrics ask for."""

    action: tuple[str, ...]
    """The labels of a step that tell the action (``actions.action_of``)."""

    @abstractmethod
    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Predict the other view's ``Embedding.target``.

        Args:
            source: [B, E] of the first views (``Embedding.source``).
            action: [B, K] to the second.

        Returns:
            [B, E].
        """


class Aggregates(ABC):
    """A method that embeds several views of an object as one, as seq-JEPA does."""

    action: tuple[str, ...]
    """The labels of a step that tell the action (``actions.action_of``)."""

    @abstractmethod
    def aggregate(self, representation: Tensor, action: Tensor) -> Tensor:
        """Embed M views together.

        Args:
            representation: [B, M, D] of each view (``Embedding.representation``).
            action: [B, M - 1, K] from each view to the next.

        Returns:
            [B, A].
        """


class Classifies(ABC):
    """A method that names the category of a view by a head of its own."""

    @abstractmethod
    def classify(self, representation: Tensor) -> Tensor:
        """Tell categories apart.

        Args:
            representation: [B, D] of each view (``Embedding.representation``).

        Returns:
            Logits [B, number of categories].
        """


ABILITIES: tuple[type, ...] = (Embeds, Predicts, Aggregates, Classifies)
"""All that evaluation may ask for."""
