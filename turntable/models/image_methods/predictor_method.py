"""Base classes of image methods with a predictor from one view and the action to the other view."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from torch import Tensor

from turntable.models.abilities import Embedding, Predicts
from turntable.models.actions import action_from_batch
from turntable.models.backbones import Backbone
from turntable.models.image_methods.image_method import ImageMethod
from turntable.models.layers import Predictor, PredictorConfig
from turntable.models.method import Batch, DataInfo


@dataclass(frozen=True, slots=True)
class ProjectorConfig(PredictorConfig):
    """Settings of the predictor and of the projectors before it."""

    projector_widths: tuple[int, int, int] = (2048, 2048, 2048)
    """Widths of the layers of each projector."""

    def demo(self) -> Self:
        """Return settings with narrower projectors and predictions that start no longer than targets."""
        return replace(self, projector_widths=(256, 256, 256), hypernetwork_init="fan_in")


class PredictedEmbeddings(NamedTuple):
    """The embeddings of a batch of pairs, each [B, E]."""

    x: Tensor
    """Embeddings of the first views."""
    y: Tensor
    """Embeddings of the second views."""
    predicted: Tensor
    """Predictions of ``y`` from ``x`` and the action."""


class PredictorMethod(ImageMethod, Predicts):
    """A method with a predictor from embeddings of the first views to those of the second.

    Args:
        action: Relative labels that make up the action.
        backbone: Network from images to representations.
        data: Facts about the data set.
    """

    predictor: Predictor
    """Module that predicts embeddings [B, E] from embeddings [B, E] and actions [B, K]."""

    def __init__(self, action: tuple[str, ...], backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.action = action
        self.reads = ("view_1", "view_2", *action)

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Predict the embeddings [B, E] of second views from those of first views and actions [B, K]."""
        return self.predictor(source, action)


class UnsplitPredictorMethod(PredictorMethod):
    """A predictor method whose representation is not split into an invariant and an equivariant part."""

    @abstractmethod
    def project(self, representation: Tensor) -> Tensor:
        """Compute the embeddings [B, E] that the predictor transforms."""

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]."""
        representation = self.represent(images)
        return Embedding.from_parts(representation, source=self.project(representation))

    def predict_pair(self, h1: Tensor, h2: Tensor, batch: Batch) -> PredictedEmbeddings:
        """Project the representations [B, D] of both views, and predict the second view's embeddings."""
        x, y = self.project(h1), self.project(h2)
        return PredictedEmbeddings(x, y, self.predictor(x, action_from_batch(batch, self.action)))
