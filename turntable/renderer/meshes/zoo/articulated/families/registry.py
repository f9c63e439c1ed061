"""The families of articulated objects by name."""

from collections.abc import Callable

import numpy as np

from turntable.renderer.meshes.zoo.articulated.articulation import Articulation
from turntable.renderer.meshes.zoo.articulated.families import (
    chest_and_door,
    desk_items,
    excavator,
    furniture,
    hand_tools,
    pocket_knife,
    robot_arm,
)

FAMILIES: dict[str, Callable[[np.random.Generator], Articulation]] = {
    "cabinet": furniture.build_cabinet,
    "chest": chest_and_door.build_chest,
    "desk_lamp": desk_items.build_desk_lamp,
    "door": chest_and_door.build_door,
    "excavator": excavator.build_excavator,
    "folding_chair": furniture.build_folding_chair,
    "laptop": desk_items.build_laptop,
    "pliers": hand_tools.build_pliers,
    "pocket_knife": pocket_knife.build_pocket_knife,
    "robot_arm": robot_arm.build_robot_arm,
    "scissors": hand_tools.build_scissors,
    "stapler": desk_items.build_stapler,
}
"""Function that builds an object of a family, by name in alphabetical order."""
