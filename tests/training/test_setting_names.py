"""Messages name the option of the command line and the field for Python, and both exist."""

import inspect

import pytest

from turntable.cli import training
from turntable.models import get_field_types
from turntable.training import TrainConfig, parse_overrides
from turntable.training.runs import format_setting
from turntable.training.runs.setting_names import _OPTIONS


@pytest.mark.parametrize(("field", "option"), _OPTIONS.items())
def test_every_option_that_is_named_exists(field, option):
    assert field in get_field_types(TrainConfig)
    parameters = inspect.signature(training.train).parameters
    own_names = {"--set": "settings", "--augment": "augment"}
    assert own_names.get(option, option.removeprefix("--").replace("-", "_")) in parameters


def test_every_other_setting_can_be_set():
    others = (
        set(get_field_types(TrainConfig)) - set(_OPTIONS) - {"method", "method_config", "dataset", "wandb"}
    )
    assert "pairs_per_object" in others
    for name in others - {"target_steps"}:
        with pytest.raises(Exception, match="give"):
            parse_overrides("sie", [f"{name}=\x00"])


def test_the_forms():
    assert format_setting("batch_size", 48) == "--batch-size 48 (batch_size=48)"
    assert format_setting("pairs_per_object", 4) == "--set pairs_per_object=4"
    assert format_setting("num_workers") == "--workers (num_workers)"
    assert format_setting("center_crop") == "--set center_crop"
    assert "\x1b" not in format_setting("start_from", "\x1b[2J")
