"""The categories of the zoo by name."""

from collections.abc import Callable

import numpy as np

from turntable.renderer.meshes.zoo.assembly import Assembly
from turntable.renderer.meshes.zoo.categories import (
    aircraft,
    bathroom,
    bicycles,
    boats,
    dog_and_shoe,
    electronics,
    furniture,
    instruments,
    kitchen,
    passenger_vehicles,
    seating,
    tools,
    work_vehicles,
)

CATEGORIES: dict[str, Callable[[np.random.Generator], Assembly]] = {
    "airplane": aircraft.build_airplane,
    "bathtub": bathroom.build_bathtub,
    "bed": seating.build_bed,
    "bicycle": bicycles.build_bicycle,
    "bookshelf": furniture.build_bookshelf,
    "bus": passenger_vehicles.build_bus,
    "camera": electronics.build_camera,
    "car": passenger_vehicles.build_car,
    "chair": seating.build_chair,
    "desk_lamp": furniture.build_desk_lamp,
    "dog": dog_and_shoe.build_dog,
    "faucet": bathroom.build_faucet,
    "frying_pan": kitchen.build_frying_pan,
    "guitar": instruments.build_guitar,
    "hair_dryer": electronics.build_hair_dryer,
    "hammer": tools.build_hammer,
    "helicopter": aircraft.build_helicopter,
    "laptop": electronics.build_laptop,
    "mug": kitchen.build_mug,
    "piano": instruments.build_piano,
    "power_drill": tools.build_power_drill,
    "sailboat": boats.build_sailboat,
    "shoe": dog_and_shoe.build_shoe,
    "sofa": seating.build_sofa,
    "table": furniture.build_table,
    "teapot": kitchen.build_teapot,
    "toaster": kitchen.build_toaster,
    "toilet": bathroom.build_toilet,
    "tractor": work_vehicles.build_tractor,
    "truck": work_vehicles.build_truck,
    "watering_can": bathroom.build_watering_can,
}
"""Function that builds an object of a category, by name in alphabetical order."""
