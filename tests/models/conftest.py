import pytest
import torch

from turntable.models import DataInfo, build_backbone


@pytest.fixture
def build():
    """Makes a method over the small backbone, for images of 32 pixels, with the same weights each time."""

    def _build(method, config):
        torch.manual_seed(0)
        data = DataInfo(num_categories=3, mean=(0.5, 0.4, 0.3), std=(0.1, 0.2, 0.3), image_size_px=32)
        return method(config, build_backbone("small"), data)

    return _build


@pytest.fixture
def pairs():
    """A batch of six pairs of views, with what lies between them."""
    generator = torch.Generator().manual_seed(0)
    quaternion = torch.nn.functional.normalize(torch.randn(6, 4, generator=generator), dim=1)
    return {
        "view_1": torch.randint(256, (6, 3, 32, 32), generator=generator, dtype=torch.uint8),
        "view_2": torch.randint(256, (6, 3, 32, 32), generator=generator, dtype=torch.uint8),
        "relative_quaternion": quaternion,
        "relative_rotation_6d": torch.randn(6, 6, generator=generator),
        "floor_hue_difference": torch.rand(6, generator=generator) - 0.5,
        "light_hue_difference": torch.rand(6, generator=generator) - 0.5,
    }
