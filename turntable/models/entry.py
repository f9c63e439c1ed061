"""The entry of a method: all that the command line, the docs and training must know of it to offer it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from turntable.errors import InvalidInputError
from turntable.models.abilities import ABILITIES
from turntable.models.backbones import Backbone, build_backbone
from turntable.models.method import DataInfo, Method, MethodConfig
from turntable.models.views import ImageMethod

_SHOWN_FOR = DataInfo(num_categories=2, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), image_size_px=64)


@dataclass(frozen=True, slots=True)
class MethodEntry:
    """A method and the configuration that it takes.

    An image method is built of (configuration, backbone, data); any other of (configuration, data).
    """

    config: type[MethodConfig]
    method: type[Method]
    learns_from: str = ""
    """Its teacher in a few words, for people who choose."""
    reference: str = ""
    """The paper, such as "Chen et al. 2020"."""
    variant: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the configuration in which this name's method differs from the paper's main one."""

    @property
    def has_backbone(self) -> bool:
        """Whether the method is one of images, over a backbone that is chosen by name."""
        return issubclass(self.method, ImageMethod)

    @property
    def abilities(self) -> tuple[str, ...]:
        """The names of what it can do beside its loss, such as ``Predicts``."""
        return tuple(ability.__name__ for ability in ABILITIES if issubclass(self.method, ability))

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields of a batch that its loss reads, with the paper's configuration."""
        with torch.device("meta"):
            backbone = build_backbone("small") if self.has_backbone else None
            return self.build(self.make_config(), backbone, _SHOWN_FOR).reads

    def make_config(self, values: Mapping[str, Any] | None = None) -> MethodConfig:
        """Make the paper's configuration of this variant, with some values changed."""
        return self.config(**{**self.variant, **(values or {})})

    def build(self, config: MethodConfig, backbone: Backbone | None, data: DataInfo) -> Method:
        """Build the method with fresh weights.

        Raises:
            InvalidInputError: A backbone is missing, or given where there is none; or what does not fit.
        """
        if self.has_backbone and backbone is None:
            raise InvalidInputError(f"{self.method.__name__} needs a backbone; give build_backbone(NAME)")
        if not self.has_backbone and backbone is not None:
            raise InvalidInputError(f"{self.method.__name__} has no backbone; give None")
        made: Any = self.method
        return made(config, backbone, data) if self.has_backbone else made(config, data)
