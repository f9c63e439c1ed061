"""Descriptions of a data set: card, Croissant, contact sheet, statistics, plots; and its publication."""

from turntable.datasets.describing.card import CARD_NAME, Provenance, card_text
from turntable.datasets.describing.croissant import CROISSANT_NAME, dataset_croissant, stated_digests
from turntable.datasets.describing.described import DESCRIBED
from turntable.datasets.describing.label_table import label_rows
from turntable.datasets.describing.publishing import prepare_hub, publish
from turntable.datasets.describing.recipe_plot import plot_recipe
from turntable.datasets.describing.sheet import SHEET_NAME, contact_sheet
from turntable.datasets.describing.statistics import pixel_statistics

__all__ = [
    "CARD_NAME",
    "CROISSANT_NAME",
    "DESCRIBED",
    "SHEET_NAME",
    "Provenance",
    "card_text",
    "contact_sheet",
    "dataset_croissant",
    "label_rows",
    "pixel_statistics",
    "plot_recipe",
    "prepare_hub",
    "publish",
    "stated_digests",
]
