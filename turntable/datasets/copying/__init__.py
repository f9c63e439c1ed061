"""Copies of whole data sets from place to place, and their layout for the Hugging Face hub."""

from turntable.datasets.copying.dataset_copy import CopyCounts, copy_dataset, publish
from turntable.datasets.copying.hub_folder import prepare_hub_folder

__all__ = [
    "CopyCounts",
    "copy_dataset",
    "prepare_hub_folder",
    "publish",
]
