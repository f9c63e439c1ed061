"""SEN: an embedding, transformed by the action, is contrasted with all views of the batch.

Park, Biza, Zhao, van de Meent and Walters, "Learning Symmetric Embeddings for Equivariant World Models"
(ICML 2022, arXiv:2204.11371), in the contrastive form of seq-JEPA's comparison (arXiv:2505.03176).

    loss = NTXent(P([x|e(z)]), y; 0.5),    x = projector(h1), y = projector(h2)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from torch import Tensor

from turntable.models import losses
from turntable.models.actions import ROTATION, get_action_dim
from turntable.models.backbones import Backbone
from turntable.models.image_methods.predictor_method import UnsplitPredictorMethod
from turntable.models.layers import ActionEmbeddingPredictor, build_projector_with_norm, gather_all_ranks
from turntable.models.method import Batch, DataInfo, MethodConfig, check_num_rows


@dataclass(frozen=True, slots=True)
class SENConfig(MethodConfig):
    """Settings of the projector and the action's embedding, and the temperature of the softmax."""

    paper_training: ClassVar[Mapping[str, Any]] = {
        "epochs": 1000,
        "batch_size": 512,
        "learning_rate": 4e-4,
        "image_size": 128,
    }

    action: tuple[str, ...] = ROTATION
    temperature: float = 0.5
    projector_widths: tuple[int, ...] = (2048, 2048, 2048)
    action_width: int = 128

    def demo(self) -> Self:
        """Return settings with narrower heads."""
        return replace(self, projector_widths=(512, 512, 512), action_width=32)


class SEN(UnsplitPredictorMethod):
    """A projector, and a linear predictor that takes the action."""

    def __init__(self, config: SENConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config.action, backbone, data)
        self.config = config
        self.projector = build_projector_with_norm(backbone.dim, config.projector_widths)
        width = config.projector_widths[-1]
        self.predictor = ActionEmbeddingPredictor(width, get_action_dim(config.action), config.action_width)

    def project(self, representation: Tensor) -> Tensor:
        """Compute the embeddings [B, E]."""
        return self.projector(representation)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of two views, uint8 [B, 3, H, W], and the labels of ``config.action``.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        _, y, predicted = self.predict_pair(*self.represent_pair(batch), batch)
        loss = losses.nt_xent_loss(
            gather_all_ranks(predicted), gather_all_ranks(y), temperature=self.config.temperature
        )
        return {"loss": loss}
