import pytest
import torch
from torch import nn

from turntable.errors import InvalidInputError
from turntable.models import BACKBONES, build_backbone
from turntable.models.backbones import ResNet18, ResNet50, SIEResNet18, SmallNet, ViTTiny
from turntable.models.backbones.resnet import BasicBlock
from turntable.models.backbones.sie_resnet import SIEBlock


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_resnet18_has_the_published_number_of_parameters():
    assert count(ResNet18()) == 11_689_512 - (512 * 1000 + 1000)  # torchvision's, less its classifier


def test_resnet18_has_torchvisions_names_and_shapes():
    state = ResNet18().state_dict()
    assert state["conv1.weight"].shape == (64, 3, 7, 7)
    assert state["layer2.0.downsample.0.weight"].shape == (128, 64, 1, 1)
    assert state["layer4.1.bn2.running_var"].shape == (512,)
    assert "layer1.0.downsample.0.weight" not in state
    assert len(state) == 120  # 62 parameters; 20 batch norms have 3 buffers each, less fc's two parameters


def test_resnet18_halves_the_map_five_times():
    network = ResNet18()
    shapes = []
    for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
        stage.register_forward_hook(lambda module, inputs, output: shapes.append(tuple(output.shape[1:])))
    assert network(torch.zeros(2, 3, 64, 96)).shape == (2, 512)
    assert shapes == [(64, 16, 24), (128, 8, 12), (256, 4, 6), (512, 2, 3)]


def test_resnet50_has_the_published_number_of_parameters():
    with torch.device("meta"):
        assert count(ResNet50()) == 25_557_032 - (2048 * 1000 + 1000)


def test_sies_resnet18_has_the_published_number_of_parameters():
    with torch.device("meta"):
        assert count(SIEResNet18()) == 11_180_736


def test_vit_tiny_has_deits_number_of_parameters():
    with torch.device("meta"):
        network = ViTTiny(224)
    class_token_and_its_position, classifier = 2 * 192, 192 * 1000 + 1000
    assert count(network) == 5_717_416 - class_token_and_its_position - classifier


@pytest.mark.parametrize("block", [BasicBlock(8, 8, 1), SIEBlock(8, 8, 1, always_project=False)])
def test_zero_initialised_blocks_are_the_identity(block):
    nn.init.zeros_(block.last_norm.weight)
    x = torch.rand(1, 8, 5, 5)
    assert torch.equal(block.eval()(x), x)


@pytest.mark.parametrize("network", [ResNet18(), SIEResNet18()])
def test_residual_networks_begin_with_blocks_that_say_nothing(network):
    scales = [block.last_norm.weight for block in network.modules() if hasattr(block, "last_norm")]
    assert len(scales) == 8
    assert all((scale == 0).all() for scale in scales)


def test_sies_stem_pads_one_pixel_more_below_and_on_the_right():
    torch.manual_seed(0)
    network, image = SIEResNet18(), torch.rand(1, 3, 64, 64)
    padded = nn.functional.pad(image, (2, 3, 2, 3))
    stem = nn.functional.conv2d(padded, network.conv1.weight, stride=2)
    seen = []
    network.bn1.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    assert network.compute_maps(image).shape == (1, 512, 2, 2)
    assert torch.equal(seen[0], stem)


def test_a_shift_by_the_stride_moves_the_maps():
    torch.manual_seed(0)
    stages = SmallNet().eval().stages
    image = torch.zeros(1, 3, 64, 64)
    image[:, :, 20:30, 20:30] = torch.rand(1, 3, 10, 10)
    moved = stages(image.roll(16, dims=3))
    inner = stages(image)[:, :, :, 1:2]
    torch.testing.assert_close(moved[:, :, :, 2:3], inner, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("resnet18", (512, 8, 8)),
        ("sie-resnet18", (512, 8, 8)),
        ("resnet50", (2048, 8, 8)),
        ("small", (32, 4, 4)),
        ("vit-tiny", (192, 16, 16)),
    ],
)
def test_maps_have_the_shape_that_is_told(name, shape):
    network = build_backbone(name, 256)
    assert network.compute_map_shape(256) == shape
    assert network.training


@pytest.mark.parametrize("name", BACKBONES)
def test_the_representation_is_pooled_from_the_maps(name):
    network = build_backbone(name, 64).eval()
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(network(images), network.pool(network.compute_maps(images)))


@pytest.mark.parametrize(("name", "size"), [("resnet18", 16), ("sie-resnet18", 31), ("vit-tiny", 97)])
def test_images_that_do_not_fit_are_refused_before_anything_is_made_of_them(name, size):
    with pytest.raises(InvalidInputError, match=rf"images of {size} px.*--image-size"):
        build_backbone(name, size)


def test_a_transformer_is_for_one_size():
    with pytest.raises(InvalidInputError, match="for images of 64 px, not 96 px"):
        build_backbone("vit-tiny", 64).check_size(96)


def test_a_block_projects_only_where_the_shape_changes():
    assert count(BasicBlock(64, 64, 1).downsample) == 0
    assert count(BasicBlock(64, 128, 2).downsample) == 64 * 128 + 2 * 128


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("size", [32, 64, 100])
def test_every_backbone_gives_its_width_at_any_size(name, size):
    size = 96 if name == "sie-resnet18" and size == 100 else size
    network = build_backbone(name, size)
    assert network(torch.rand(2, 3, size, size)).shape == (2, network.dim)


@pytest.mark.parametrize("name", BACKBONES)
def test_in_eval_mode_images_do_not_see_each_other(name):
    torch.manual_seed(0)
    network = build_backbone(name, 64).eval()
    images = torch.rand(3, 3, 64, 64)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone, rtol=1e-4, atol=1e-5)


def test_small_is_small():
    assert 100_000 < count(build_backbone("small")) < 1_000_000


def test_small_keeps_where_things_are():
    torch.manual_seed(0)
    network = build_backbone("small").eval()
    image = torch.zeros(1, 3, 64, 64)
    image[:, :, :16, :16] = 1
    assert not torch.allclose(network(image), network(image.flip(3)), atol=1e-3)


def test_an_unknown_backbone_is_named_with_the_known_ones():
    with pytest.raises(InvalidInputError, match="'resnet34'; choose one of: resnet18, resnet50"):
        build_backbone("resnet34")
