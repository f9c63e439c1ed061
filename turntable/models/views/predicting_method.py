"""What methods of images have in common that predict how one view would embed by another and the action."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from torch import Tensor

from turntable.models.abilities import Embedding, Predicts
from turntable.models.actions import action_of
from turntable.models.backbones import Backbone
from turntable.models.layers import PredictingConfig, Predictor
from turntable.models.method import Batch, DataInfo
from turntable.models.views.image_method import ImageMethod


@dataclass(frozen=True, slots=True)
class ProjectingConfig(PredictingConfig):
    """The predictor, and the widths of what projects to its embeddings."""

    projector_widths: tuple[int, int, int] = (2048, 2048, 2048)
    """Of each projector."""

    def demo(self) -> Self:
        """Narrower projectors, and predictions that start no longer than what they predict."""
        return replace(self, projector_widths=(256, 256, 256), hypernetwork_init="fan_in")


class PredictedEmbeddings(NamedTuple):
    """Of a batch of pairs, each [B, E]: x of the first views, y of the second."""

    x: Tensor
    y: Tensor
    predicted: Tensor
    """``y`` as it is predicted from ``x`` and the action."""


class PredictingMethod(ImageMethod, Predicts):
    """A method with a predictor from embeddings of the first views to those of the second.

    Args:
        action: the labels of a step that tell it.
        backbone: of the representation.
        data: that it will see.
    """

    predictor: Predictor
    """Of embeddings [B, E] and actions [B, K]; a module."""

    def __init__(self, action: tuple[str, ...], backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.action = action
        self.reads = ("view_1", "view_2", *action)

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Predict the other views' embeddings [B, E] by those of the first and actions [B, K]."""
        return self.predictor(source, action)


class WholePredictingMethod(PredictingMethod):
    """One whose representation is of one piece, and moves by an embedding of it."""

    @abstractmethod
    def project(self, representation: Tensor) -> Tensor:
        """Return the embeddings [B, E] that the predictor moves."""

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]."""
        representation = self.represent(images)
        return Embedding.of(representation, source=self.project(representation))

    def predict_pair(self, h1: Tensor, h2: Tensor, batch: Batch) -> PredictedEmbeddings:
        """Embed both views by their representations [B, D], and predict the second by the batch's action."""
        x, y = self.project(h1), self.project(h2)
        return PredictedEmbeddings(x, y, self.predictor(x, action_of(batch, self.action)))
