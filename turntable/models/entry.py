"""The registry entry of a method: what the command line, the docs and training need to know about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from turntable.errors import InvalidInputError
from turntable.models.abilities import ABILITIES
from turntable.models.backbones import Backbone, build_backbone
from turntable.models.image_methods import ImageMethod
from turntable.models.method import DataInfo, Method, MethodConfig

_EXAMPLE_DATA = DataInfo(num_categories=2, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), image_size_px=64)


@dataclass(frozen=True, slots=True)
class MethodEntry:
    """A method class, its configuration class, and a description for people.

    The class of an image method is called with (configuration, backbone, data), that of any other method with
    (configuration, data).
    """

    config: type[MethodConfig]
    method: type[Method]
    description: str = ""
    """Description of what the method learns from, in a few words."""
    reference: str = ""
    """Paper of the method, such as "Chen et al. 2020"."""
    variant: Mapping[str, Any] = field(default_factory=dict)
    """Configuration values, by field name, in which this variant differs from the defaults of ``config``."""

    @property
    def has_backbone(self) -> bool:
        """True if this is an image method, which needs a backbone."""
        return issubclass(self.method, ImageMethod)

    @property
    def abilities(self) -> tuple[str, ...]:
        """Names of the abilities that the method class implements, such as ``Predicts``."""
        return tuple(ability.__name__ for ability in ABILITIES if issubclass(self.method, ability))

    @property
    def reads(self) -> tuple[str, ...]:
        """Fields of a batch that the loss reads with the paper's configuration."""
        with torch.device("meta"):  # the network is built for its `reads` alone, without memory for weights
            backbone = build_backbone("small") if self.has_backbone else None
            return self.build(self.make_config(), backbone, _EXAMPLE_DATA).reads

    def make_config(self, values: Mapping[str, Any] | None = None) -> MethodConfig:
        """Make the paper's configuration of this variant.

        Args:
            values: Values to change, by field name.
        """
        return self.config(**{**self.variant, **(values or {})})

    def build(self, config: MethodConfig, backbone: Backbone | None, data: DataInfo) -> Method:
        """Build the method with fresh weights.

        Raises:
            InvalidInputError: A backbone is missing, or is given to a method that takes none; or the
                configuration does not fit the backbone or the data.
        """
        if self.has_backbone and backbone is None:
            raise InvalidInputError(f"{self.method.__name__} needs a backbone; give build_backbone(NAME)")
        if not self.has_backbone and backbone is not None:
            raise InvalidInputError(f"{self.method.__name__} takes no backbone; give None")
        method_class: Any = self.method
        return method_class(config, backbone, data) if self.has_backbone else method_class(config, data)
