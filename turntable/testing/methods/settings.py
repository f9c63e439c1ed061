"""The configuration of a method: a frozen value that survives files and processes."""

import json
import pickle
from typing import Any

from turntable.datasets import Dataset
from turntable.models import MethodConfig, MethodEntry
from turntable.testing.methods.trial import MethodTests
from turntable.training import TrainConfig, demo_config, paper_config


class SettingTests(MethodTests):
    """The configuration."""

    def test_the_configuration_is_a_frozen_value(self, entry: MethodEntry) -> None:
        """A dataclass of MethodConfig whose values are within bounds, the paper's and the demo's."""
        assert issubclass(entry.config, MethodConfig), "the configuration is a subclass of MethodConfig"
        params: Any = vars(entry.config).get("__dataclass_params__")
        assert params is not None, "the configuration is a dataclass itself"
        assert params.frozen, "the configuration is @dataclass(frozen=True)"
        paper, demo = entry.make_config(), entry.make_config().demo()
        assert type(demo) is type(paper), "demo() gives a configuration of the same kind"
        for config, which in ((paper, "the paper's"), (demo, "the demo's")):
            assert config.faults() == [], f"{which} values are within their bounds"

    def test_the_configuration_survives_plain_values(
        self, name: str, entry: MethodEntry, dataset: Dataset
    ) -> None:
        """A run keeps it as JSON among its settings, and makes it anew."""
        for make in (paper_config, demo_config):
            settings = make(name, dataset.place)
            assert isinstance(settings.method_config, entry.config), (
                "a training has the method's configuration"
            )
            again = TrainConfig.from_dict(json.loads(json.dumps(settings.to_dict())))
            wanted = "a configuration made of its own plain values is the same: numbers, texts, tuples"
            assert again.method_config == settings.method_config, wanted
            assert again == settings, (
                "paper_training and demo_training give plain values to fields of TrainConfig"
            )

    def test_the_configuration_survives_pickle(self, entry: MethodEntry) -> None:
        """Other processes get it so."""
        config = entry.make_config().demo()
        assert pickle.loads(pickle.dumps(config)) == config, "a configuration can be sent to another process"
