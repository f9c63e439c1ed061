"""The methods that learn from images, one file a method."""

from turntable.models.views.augself import AugSelf, AugSelfConfig
from turntable.models.views.byol import BYOL, BYOLConfig
from turntable.models.views.capsie import CapsIE, CapsIEConfig
from turntable.models.views.conditional_byol import ConditionalBYOL, ConditionalBYOLConfig
from turntable.models.views.equicaps import EquiCaps, EquiCapsConfig
from turntable.models.views.equimod import (
    EquiModSimCLR,
    EquiModSimCLRConfig,
    EquiModVICReg,
    EquiModVICRegConfig,
)
from turntable.models.views.image_method import ImageMethod
from turntable.models.views.only_equivariance import (
    OnlyEquivarianceSimCLR,
    OnlyEquivarianceSimCLRConfig,
    OnlyEquivarianceVICReg,
    OnlyEquivarianceVICRegConfig,
)
from turntable.models.views.sen import SEN, SENConfig
from turntable.models.views.seq_jepa import SeqJEPA, SeqJEPAConfig
from turntable.models.views.sie import SIE, SIEConfig
from turntable.models.views.simclr import SimCLR, SimCLRConfig
from turntable.models.views.supervised import Supervised, SupervisedConfig
from turntable.models.views.vicreg import VICReg, VICRegConfig
from turntable.models.views.vicreg_traj import VICRegTraj, VICRegTrajConfig

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
