"""The categories of the zoo by their names."""

from collections.abc import Callable

import numpy as np

from turntable.renderer.meshes.zoo.build import Assembly
from turntable.renderer.meshes.zoo.categories import (
    bathroom,
    cycles,
    electronics,
    flying,
    furniture,
    hauling,
    kitchen,
    living,
    music,
    road,
    sailing,
    seating,
    tools,
)

CATEGORIES: dict[str, Callable[[np.random.Generator], Assembly]] = {
    "airplane": flying.airplane,
    "bathtub": bathroom.bathtub,
    "bed": seating.bed,
    "bicycle": cycles.bicycle,
    "bookshelf": furniture.bookshelf,
    "bus": road.bus,
    "camera": electronics.camera,
    "car": road.car,
    "chair": seating.chair,
    "desk_lamp": furniture.desk_lamp,
    "dog": living.dog,
    "faucet": bathroom.faucet,
    "frying_pan": kitchen.frying_pan,
    "guitar": music.guitar,
    "hair_dryer": electronics.hair_dryer,
    "hammer": tools.hammer,
    "helicopter": flying.helicopter,
    "laptop": electronics.laptop,
    "mug": kitchen.mug,
    "piano": music.piano,
    "power_drill": tools.power_drill,
    "sailboat": sailing.sailboat,
    "shoe": living.shoe,
    "sofa": seating.sofa,
    "table": furniture.table,
    "teapot": kitchen.teapot,
    "toaster": kitchen.toaster,
    "toilet": bathroom.toilet,
    "tractor": hauling.tractor,
    "truck": hauling.truck,
    "watering_can": bathroom.watering_can,
}
"""The maker of every category, in alphabetical order."""
