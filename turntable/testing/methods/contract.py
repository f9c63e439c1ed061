"""The contract of a method: it names the fields that it reads, computes a loss of them, and may do more."""

from turntable.testing.methods.abilities import AbilityTests
from turntable.testing.methods.losses import LossTests
from turntable.testing.methods.runs import RunTests
from turntable.testing.methods.settings import SettingTests


class MethodContract(SettingTests, LossTests, AbilityTests, RunTests):
    """The contract. A test class inherits it and gives a fixture ``entry``; the attributes are its settings.

    .. code-block:: python

        class TestMyMethod(MethodContract):
            steady = {"dropout": 0.0}

            @pytest.fixture
            def entry(self):
                return MethodEntry(MyConfig, MyMethod)
    """
