import pytest

from turntable.errors import InvalidInputError
from turntable.models.image_methods import SIEConfig, VICRegConfig
from turntable.training import TrainConfig, make_demo_config, make_paper_config
from turntable.training.steps.optimizers import compute_learning_rate

NEW_NAMES = ("preset", "target_steps", "start_from")
"""Settings that runs of earlier versions do not have."""


def test_the_recipe_of_the_paper_is_the_default():
    config = make_paper_config("sie", "data")
    assert (config.epochs, config.batch_size, config.learning_rate, config.weight_decay) == (
        2000,
        1024,
        1e-3,
        1e-6,
    )
    assert (config.backbone, config.schedule, config.pairs_per_object) == ("resnet18", "constant", 1)
    assert config.method_config == SIEConfig()


def test_the_preset_is_recorded_and_settings_without_it_open():
    demo, paper = make_demo_config("sie", "data"), make_paper_config("sie", "data")
    assert (demo.preset, paper.preset) == ("demo", "paper")
    assert TrainConfig(method="sie", method_config=SIEConfig(), dataset="data").preset is None
    old = {name: value for name, value in demo.to_dict().items() if name not in NEW_NAMES}
    assert TrainConfig.from_dict(old).preset is None
    with pytest.raises(InvalidInputError, match="preset is 'best'; choose one of: demo, paper"):
        TrainConfig.from_dict({**old, "preset": "best"})


def test_every_fault_is_named_at_once():
    with pytest.raises(InvalidInputError) as caught:
        make_paper_config("sie", "data", epochs=0, batch_size=1, amp="fp8", method_config=VICRegConfig())
    message = str(caught.value)
    assert "epochs is 0; it must be at least 1" in message
    assert "batch_size is 1; it must be at least 2" in message
    assert "amp is 'fp8'; choose one of: off, bf16, fp16" in message
    assert "sie takes a SIEConfig" in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accumulate": 0}, "accumulate is 0; it must be at least 1"),
        ({"average_decay": 1.0}, "average_decay is 1.0; it must be at least 0 and below 1"),
        ({"momentum": -0.1}, "momentum is -0.1; it must be"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0; it must be above 0, or None"),
        ({"image_size": 0}, "image_size is 0; it must be at least 1"),
        ({"optimizer": "lars"}, "optimizer is 'lars'; choose one of: adam, adamw, sgd"),
        ({"warmup_start": -1}, "warmup_start is -1"),
    ],
)
def test_values_that_cannot_be_right(changes, words):
    with pytest.raises(InvalidInputError, match=words):
        make_demo_config("sie", "data", **changes)


@pytest.mark.parametrize(
    ("make", "kind"), [(make_paper_config, "paper_training"), (make_demo_config, "demo_training")]
)
def test_a_method_changes_the_recipe_and_the_caller_changes_both(monkeypatch, make, kind):
    monkeypatch.setattr(VICRegConfig, kind, {"optimizer": "adamw", "weight_decay": 1e-3})
    config = make("vicreg", "data", weight_decay=1e-2)
    assert (config.optimizer, config.weight_decay) == ("adamw", 1e-2)


def test_a_rate_that_is_no_number_is_refused():
    with pytest.raises(InvalidInputError, match="learning_rate is nan"):
        make_demo_config("sie", "data", learning_rate=float("nan"))


def test_unknown_and_missing_settings_are_named():
    values = make_demo_config("vicreg", "data").to_dict()
    with pytest.raises(InvalidInputError, match="unknown lr, missing method_config"):
        TrainConfig.from_dict({**{k: v for k, v in values.items() if k != "method_config"}, "lr": 1})
    with pytest.raises(InvalidInputError, match="dataset is None and online None; give either a data set"):
        TrainConfig.from_dict({k: v for k, v in values.items() if k != "dataset"})


def rates(config, steps_per_epoch):
    return [
        compute_learning_rate(config, step, steps_per_epoch)
        for step in range(config.epochs * steps_per_epoch)
    ]


def test_a_constant_rate_is_constant_after_the_warmup():
    config = make_demo_config(
        "sie", "data", schedule="constant", warmup_epochs=0.5, learning_rate=1.0, epochs=2
    )
    assert rates(config, 8) == [0.25, 0.5, 0.75, 1.0] + [1.0] * 12


def test_a_warmup_may_begin_above_nothing():
    changes = {"warmup_epochs": 1, "learning_rate": 1.0, "warmup_start": 0.2}
    config = make_demo_config("sie", "data", schedule="constant", epochs=2, **changes)
    assert rates(config, 4) == pytest.approx([0.4, 0.6, 0.8, 1.0] + [1.0] * 4)


def test_a_cosine_falls_from_its_peak_to_almost_nothing():
    config = make_demo_config("sie", "data", schedule="cosine", warmup_epochs=0, learning_rate=2.0, epochs=10)
    curve = rates(config, 10)
    assert curve[0] == 2.0
    assert curve[50] == pytest.approx(1.0)
    assert curve == sorted(curve, reverse=True)
    assert 0 < curve[-1] < 1e-3


def test_a_warmup_longer_than_the_run_never_ends():
    config = make_demo_config("sie", "data", schedule="cosine", warmup_epochs=4, learning_rate=1.0, epochs=2)
    assert rates(config, 2) == [1 / 8, 2 / 8, 3 / 8, 4 / 8]
