"""Features of methods that embed other fields of a view than its picture."""

from pathlib import Path

import numpy as np
import pytest
import torch

from turntable.datasets import open_dataset
from turntable.errors import InvalidInputError
from turntable.evaluation.features import extract_features
from turntable.loaders.fields import SampledViews
from turntable.models import Embedding, Embeds

SETS = Path(__file__).parents[1] / "fixtures" / "sets"


class FarthestPoint(torch.nn.Module, Embeds):
    """The highest point of the posed cloud, and the view's mean brightness."""

    embeds_from = ("points", "view")

    def __init__(self):
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def embed(self, points, images):
        return Embedding.from_parts(
            points[..., :3].amax(dim=1), equivariant=images.float().mean(dim=(1, 2, 3))[:, None]
        )


def test_a_method_embeds_the_fields_that_it_names():
    parts = extract_features(FarthestPoint(), SETS / "points", "train", batch_size=3)
    with open_dataset(SETS / "points").open_split("train") as split:
        labels = np.asarray(split.labels)
        poses = SampledViews(split.manifest.schema, labels).labels.pose
        for row, view in ((0, 0), (split.num_objects - 1, 1)):
            places = split.read_points(row)[:, :3] @ poses[row, view, :3, :3].T + poses[row, view, :3, 3]
            assert np.allclose(parts["representation"][row, view], places.max(axis=0), atol=1e-6)
    assert parts["equivariant"].shape == (*labels.shape[:2], 1)


def test_data_without_such_a_field_are_refused():
    with pytest.raises(InvalidInputError, match="render it with --points 2048"):
        extract_features(FarthestPoint(), SETS / "pairs", "train")
