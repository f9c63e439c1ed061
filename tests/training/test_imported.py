"""A published checkpoint as a run."""

import pytest
import torch

from turntable import cli
from turntable.datasets import open_dataset
from turntable.errors import IntegrityError, InvalidInputError
from turntable.models import build_backbone, build_method, make_method_config
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import TrainConfig, hold_output_folder, import_checkpoint, load_method
from turntable.training.runs import TrainingData


@pytest.fixture
def place(tmp_path):
    make_synthetic_dataset(tmp_path / "set")
    return tmp_path / "set"


def checkpoint(place, path, change=lambda weights: None):
    """Of a small seq-JEPA, under the names of its code."""
    config = make_method_config("seq-jepa", {"num_layers": 1, "feedforward_width": 16, "predictor_width": 8})
    data = TrainingData.from_dataset(open_dataset(place)).to_data_info(64)
    weights = build_method("seq-jepa", config, build_backbone("resnet18", 64), data).state_dict()
    names = {
        "backbone.": "encoder.",
        "target.module.": "target_encoder.",
        "action_embedding.": "action_proj.",
        "aggregate_token": "agg_token",
        "transformer.norm.": "transformer_encoder.norm.",
        "transformer.": "transformer_encoder.transformer_encoder.",
    }
    theirs = {}
    for name, tensor in weights.items():
        first = next((prefix for prefix in names if name.startswith(prefix)), None)
        if not name.startswith("normalize"):
            theirs[name if first is None else names[first] + name.removeprefix(first)] = tensor
    change(theirs)
    torch.save({"model": theirs}, path)
    return weights


@pytest.mark.slow
def test_it_is_a_finished_run_with_the_weights_of_the_file(place, tmp_path, capsys):
    weights = checkpoint(place, tmp_path / "published.pth")
    with pytest.raises(SystemExit) as ended:
        cli.main(
            ["import-checkpoint", str(tmp_path / "published.pth"), str(place), "--out", str(tmp_path / "run")]
        )
    assert ended.value.code == 0
    assert "a run of seq-jepa; next: turntable evaluate" in capsys.readouterr().out
    from turntable.training import open_run

    run = open_run(tmp_path / "run")
    assert isinstance(run.config, TrainConfig)
    assert run.config.backbone == "resnet18"
    loaded = load_method(run).state_dict()
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)
    with pytest.raises(InvalidInputError, match="holds a finished run"):
        import_checkpoint(tmp_path / "published.pth", place, tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w.pop("encoder.conv1.weight"), "backbone.conv1.weight is missing"),
        (lambda w: w.update({"other.weight": torch.zeros(1)}), "other.weight is superfluous"),
        (
            lambda w: w.update({"encoder.conv1.weight": torch.zeros(64, 3, 3, 3)}),
            r"backbone.conv1.weight is \[64, 3, 3, 3\], not \[64, 3, 7, 7\]",
        ),
    ],
)
def test_a_weight_that_does_not_fit_is_an_error_and_leaves_nothing(place, tmp_path, change, words):
    checkpoint(place, tmp_path / "published.pth", change)
    with pytest.raises(IntegrityError, match=words):
        import_checkpoint(tmp_path / "published.pth", place, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_it_is_not_imported_into_a_run_in_training_nor_into_a_data_set(place, tmp_path):
    file = tmp_path / "seq.pth"
    checkpoint(place, file)
    with (
        hold_output_folder(tmp_path / "run", pytest.fail),
        pytest.raises(InvalidInputError, match=r"another run is writing there \(this process"),
    ):
        import_checkpoint(file, place, tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []
    with pytest.raises(InvalidInputError, match="set is a data set"):
        import_checkpoint(file, place, place)
