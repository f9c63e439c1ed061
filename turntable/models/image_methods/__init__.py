"""Methods that learn from images, one file per method."""

from turntable.models.image_methods.augself import AugSelf, AugSelfConfig
from turntable.models.image_methods.byol import BYOL, BYOLConfig
from turntable.models.image_methods.capsie import CapsIE, CapsIEConfig
from turntable.models.image_methods.conditional_byol import ConditionalBYOL, ConditionalBYOLConfig
from turntable.models.image_methods.equicaps import EquiCaps, EquiCapsConfig
from turntable.models.image_methods.equimod import (
    EquiModSimCLR,
    EquiModSimCLRConfig,
    EquiModVICReg,
    EquiModVICRegConfig,
)
from turntable.models.image_methods.image_method import ImageMethod
from turntable.models.image_methods.only_equivariance import (
    OnlyEquivarianceSimCLR,
    OnlyEquivarianceSimCLRConfig,
    OnlyEquivarianceVICReg,
    OnlyEquivarianceVICRegConfig,
)
from turntable.models.image_methods.sen import SEN, SENConfig
from turntable.models.image_methods.seq_jepa import SeqJEPA, SeqJEPAConfig
from turntable.models.image_methods.sie import SIE, SIEConfig
from turntable.models.image_methods.simclr import SimCLR, SimCLRConfig
from turntable.models.image_methods.supervised import Supervised, SupervisedConfig
from turntable.models.image_methods.vicreg import VICReg, VICRegConfig
from turntable.models.image_methods.vicreg_traj import VICRegTraj, VICRegTrajConfig

__all__ = [
    "BYOL",
    "SEN",
    "SIE",
    "AugSelf",
    "AugSelfConfig",
    "BYOLConfig",
    "CapsIE",
    "CapsIEConfig",
    "ConditionalBYOL",
    "ConditionalBYOLConfig",
    "EquiCaps",
    "EquiCapsConfig",
    "EquiModSimCLR",
    "EquiModSimCLRConfig",
    "EquiModVICReg",
    "EquiModVICRegConfig",
    "ImageMethod",
    "OnlyEquivarianceSimCLR",
    "OnlyEquivarianceSimCLRConfig",
    "OnlyEquivarianceVICReg",
    "OnlyEquivarianceVICRegConfig",
    "SENConfig",
    "SIEConfig",
    "SeqJEPA",
    "SeqJEPAConfig",
    "SimCLR",
    "SimCLRConfig",
    "Supervised",
    "SupervisedConfig",
    "VICReg",
    "VICRegConfig",
    "VICRegTraj",
    "VICRegTrajConfig",
]
