"""What methods have in common whose representation is of one piece, and one embedding of it is predicted."""

from abc import abstractmethod

from torch import Tensor

from turntable.models.abilities import Embedding, Predicts
from turntable.models.backbones import Backbone
from turntable.models.layers import Predictor
from turntable.models.method import DataInfo
from turntable.models.views.image_method import ImageMethod


class PredictingMethod(ImageMethod, Predicts):
    """A method that moves an embedding of the representation by the action.

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

    @abstractmethod
    def project(self, representation: Tensor) -> Tensor:
        """The embeddings [B, E] that the predictor moves."""

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]."""
        representation = self.represent(images)
        return Embedding.of(representation, source=self.project(representation))

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """The embeddings [B, E] of the other views, by those of the first and actions [B, K]."""
        return self.predictor(source, action)
