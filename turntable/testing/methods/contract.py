"""The contract of a method: it computes a loss from the fields that it declares, and may embed views."""

from turntable.testing.methods.abilities import AbilityTests
from turntable.testing.methods.losses import LossTests
from turntable.testing.methods.runs import RunTests
from turntable.testing.methods.settings import SettingTests


class MethodContract(SettingTests, LossTests, AbilityTests, RunTests):
    """The contract tests of a method. A test class inherits them and provides a fixture ``entry``.

    The class attributes are settings of the tests.

    .. code-block:: python

        class TestMyMethod(MethodContract):
            deterministic_settings = {"dropout": 0.0}

            @pytest.fixture
            def entry(self):
                return MethodEntry(MyConfig, MyMethod)
    """
