import dataclasses
from typing import ClassVar

import numpy as np
import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import METHODS, DataInfo, Normalize, build_backbone, build_method, make_method_config
from turntable.models.image_methods import SIE, CapsIE, EquiCaps, SeqJEPA, SupervisedConfig, VICRegConfig
from turntable.models.preprocessing import center_crop
from turntable.testing.methods import MethodContract

DATA = DataInfo(num_categories=3, mean=(0.5, 0.4, 0.3), std=(0.1, 0.2, 0.3), image_size_px=32)


def make_batch(size=6):
    """Pairs, with what the supervised methods read of them."""
    generator = torch.Generator().manual_seed(0)
    quaternion = torch.randn(size, 4, generator=generator)
    return {
        "view_1": torch.randint(256, (size, 3, 32, 32), generator=generator, dtype=torch.uint8),
        "view_2": torch.randint(256, (size, 3, 32, 32), generator=generator, dtype=torch.uint8),
        "relative_quaternion": torch.nn.functional.normalize(quaternion, dim=1),
        "category": torch.arange(size) % 3,
        "floor_hue_difference": torch.rand(size, generator=generator) - 0.5,
        "light_hue_difference": torch.rand(size, generator=generator) - 0.5,
        "translation_difference_object": torch.rand(size, 3, generator=generator) - 0.5,
    }


def make(name, **changes):
    torch.manual_seed(0)
    config = dataclasses.replace(METHODS[name].make_config().demo(), **changes)
    backbone = build_backbone("small") if METHODS[name].has_backbone else None
    return build_method(name, config, backbone, DATA)


DRAWING = ("pointnet", "seq-jepa", "seq-jepa-no-action")
"""Those whose loss draws by chance."""


class TestMethods(MethodContract):
    @pytest.fixture(params=[name for name in METHODS if name not in DRAWING])
    def entry(self, request):
        return METHODS[request.param]


class TestSeqJEPA(MethodContract):
    deterministic_settings: ClassVar = {"dropout": 0.0}

    @pytest.fixture(params=["seq-jepa", "seq-jepa-no-action"])
    def entry(self, request):
        return METHODS[request.param]


class TestPointNet(MethodContract):
    deterministic_settings: ClassVar = {"dropout": 0.0, "jitter": 0.0}

    @pytest.fixture
    def entry(self):
        return METHODS["pointnet"]


IMAGE_METHODS = [name for name, entry in METHODS.items() if entry.has_backbone]


@pytest.mark.parametrize("name", IMAGE_METHODS)
def test_embeddings_have_their_widths(name):
    method = make(name).eval()
    embedding = method.embed(make_batch(2)["view_1"])
    assert embedding.representation.shape == (2, 512)
    widths = {
        SIE: (256, 256),
        SeqJEPA: (640 if "relative_quaternion" in method.reads else 512, 512),
        EquiCaps: (16, 16 * (16 if name.endswith("4x4") else 9)),
        CapsIE: (16, 256),
    }.get(type(method), (0, 0))
    assert (embedding.invariant.shape[1], embedding.equivariant.shape[1]) == widths


def test_normalize_is_that_of_the_data_set():
    images = torch.randint(256, (4, 3, 5, 5), dtype=torch.uint8)
    expected = (images.numpy() / 255 - np.reshape(DATA.mean, (1, 3, 1, 1))) / np.reshape(
        DATA.std, (1, 3, 1, 1)
    )
    normalize = Normalize(DATA.mean, DATA.std)
    assert np.allclose(normalize(images).numpy(), expected, atol=1e-5)
    assert set(normalize.state_dict()) == {"mean", "std"}  # a checkpoint knows its data's colours


def test_the_papers_numbers_are_the_defaults():
    vicreg = METHODS["vicreg"].config()
    assert (vicreg.invariance_weight, vicreg.variance_weight, vicreg.covariance_weight) == (10, 10, 1)
    assert vicreg.projector_widths == (2048, 2048, 2048)


def test_supervised_with_double_cover_does_not_see_the_sign():
    batch = make_batch()
    flipped = {**batch, "relative_quaternion": -batch["relative_quaternion"]}
    blind, strict = make("supervised", double_cover=True), make("supervised")
    assert blind.loss(batch)["rotation"].item() == pytest.approx(blind.loss(flipped)["rotation"].item())
    assert strict.loss(batch)["rotation"].item() != pytest.approx(strict.loss(flipped)["rotation"].item())


@pytest.mark.parametrize(
    ("name", "terms", "fields"),
    [
        ("supervised", {"category", "rotation"}, {"category", "relative_quaternion"}),
        ("supervised-category", {"category"}, {"category"}),
        ("supervised-rotation", {"rotation"}, {"relative_quaternion"}),
        ("supervised-color", {"color"}, {"floor_hue_difference", "light_hue_difference"}),
        ("supervised-translation", {"translation"}, {"translation_difference_object"}),
    ],
)
def test_supervised_reads_the_labels_of_its_tasks_and_has_no_other_heads(name, terms, fields):
    method = make(name)
    assert set(method.loss(make_batch())) == {"loss", *terms}
    assert set(method.reads) == {"view_1", "view_2", *fields}
    heads = {"colour" if term == "color" else term for term in terms - {"category"}}  # as on disk
    assert {*method.heads} == heads
    assert bool([*method.classifier.parameters()]) == ("category" in terms)


def test_supervised_without_a_task_is_refused():
    with pytest.raises(InvalidInputError, match="one of them above 0"):
        make("supervised", category_weight=0.0, rotation_weight=0.0)


def test_wrong_names_are_refused_with_the_right_ones():
    with pytest.raises(InvalidInputError, match=r"unknown method 'sei'; choose one of: supervised, .*, sie"):
        make_method_config("sei", {})
    with pytest.raises(InvalidInputError, match="vicreg has no equi_factor; it has invariance_weight"):
        make_method_config("vicreg", {"equi_factor": 1})
    with pytest.raises(InvalidInputError, match="sie takes SIEConfig, not SupervisedConfig"):
        build_method("sie", SupervisedConfig(), build_backbone("small"), DATA)


def test_center_crop_sees_the_middle_alone():
    data = DataInfo(num_categories=3, mean=DATA.mean, std=DATA.std, image_size_px=64, center_crop=0.5)
    method = build_method("vicreg", VICRegConfig().demo(), build_backbone("small"), data).eval()
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    changed = images.clone()
    changed[..., :16, :] = 0
    changed[..., :, 48:] = 255
    expected = method.embed(images).representation
    torch.testing.assert_close(method.embed(changed).representation, expected)
    changed[..., 32, 32] ^= 255
    assert not torch.allclose(method.embed(changed).representation, expected)


def test_center_crop_of_odd_sizes():
    images = torch.arange(25).reshape(1, 5, 5)
    assert center_crop(images, 0.6).tolist() == [[[6, 7, 8], [11, 12, 13], [16, 17, 18]]]
    assert center_crop(images, 1.0).shape == images.shape
