"""The files beside the shards that say what is in them."""

from turntable.datasets.card import CARD_NAME
from turntable.datasets.contact_sheet import SHEET_NAME
from turntable.datasets.croissant import CROISSANT_NAME
from turntable.datasets.manifest import MANIFEST_NAME
from turntable.datasets.quarantine import QUARANTINE_NAME, WARNINGS_NAME
from turntable.datasets.table import TABLE_NAME

DESCRIBED = (
    TABLE_NAME,
    QUARANTINE_NAME,
    WARNINGS_NAME,
    CARD_NAME,
    SHEET_NAME,
    CROISSANT_NAME,
    MANIFEST_NAME,
)
"""The files that ``finish_dataset`` writes, in its order."""
