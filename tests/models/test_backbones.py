import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models.backbones import BACKBONES, BasicBlock, ResNet18, build_backbone


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


def test_zero_initialised_blocks_are_the_identity():
    block = ResNet18(zero_init_residual=True).layer1[0].eval()
    x = torch.rand(1, 64, 5, 5)
    assert torch.equal(block(x), x)
    other = ResNet18(zero_init_residual=False).layer1[0].eval()
    assert not torch.allclose(other(x), x)


def test_a_block_projects_only_where_the_shape_changes():
    assert count(BasicBlock(64, 64, 1).downsample) == 0
    assert count(BasicBlock(64, 128, 2).downsample) == 64 * 128 + 2 * 128


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("size", [32, 64, 100])
def test_every_backbone_gives_its_width_at_any_size(name, size):
    network = build_backbone(name)
    assert network(torch.rand(2, 3, size, size)).shape == (2, network.dim)


@pytest.mark.parametrize("name", BACKBONES)
def test_in_eval_mode_images_do_not_see_each_other(name):
    torch.manual_seed(0)
    network = build_backbone(name).eval()
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
    with pytest.raises(InvalidInputError, match="'resnet50'; choose one of: resnet18, small"):
        build_backbone("resnet50")
