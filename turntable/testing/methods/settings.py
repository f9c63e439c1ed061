"""Tests of a method's configuration: a frozen dataclass that can be written as JSON and pickled."""

import json
import pickle
from typing import Any

from turntable.datasets import Dataset
from turntable.models import MethodConfig, MethodEntry
from turntable.testing.methods.base import MethodTests
from turntable.training import TrainConfig, make_demo_config, make_paper_config


class SettingTests(MethodTests):
    """Tests of the configuration."""

    def test_the_configuration_is_a_frozen_value(self, entry: MethodEntry) -> None:
        """The configuration is a frozen dataclass, and the paper's and the demo's values are valid."""
        assert issubclass(entry.config, MethodConfig), "the configuration is a subclass of MethodConfig"
        params: Any = vars(entry.config).get("__dataclass_params__")
        assert params is not None, "the configuration is a dataclass itself"
        assert params.frozen, "the configuration is @dataclass(frozen=True)"
        paper, demo = entry.make_config(), entry.make_config().demo()
        assert type(demo) is type(paper), "demo() returns a configuration of the same class"
        for config, which in ((paper, "the paper's"), (demo, "the demo's")):
            assert config.find_value_faults() == [], f"{which} values are within their bounds"

    def test_the_configuration_survives_plain_values(
        self, name: str, entry: MethodEntry, dataset: Dataset
    ) -> None:
        """The configuration is the same after it was written as JSON, as a run does with its settings."""
        for make in (make_paper_config, make_demo_config):
            settings = make(name, dataset.path_or_url)
            assert isinstance(settings.method_config, entry.config), (
                "the settings of a training run have the method's configuration"
            )
            again = TrainConfig.from_dict(json.loads(json.dumps(settings.to_dict())))
            rule = "a configuration made from its own plain values is equal: numbers, texts, tuples"
            assert again.method_config == settings.method_config, rule
            assert again == settings, (
                "paper_training and demo_training have plain values for fields of TrainConfig"
            )

    def test_the_configuration_survives_pickle(self, entry: MethodEntry) -> None:
        """The configuration can be sent to another process."""
        config = entry.make_config().demo()
        assert pickle.loads(pickle.dumps(config)) == config, "a configuration can be sent to another process"
