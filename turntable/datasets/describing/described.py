"""The files beside the shards that say what is in them."""

from turntable.datasets.describing.card import CARD_NAME
from turntable.datasets.describing.croissant import CROISSANT_NAME
from turntable.datasets.describing.sheet import SHEET_NAME
from turntable.datasets.manifest import MANIFEST_NAME
from turntable.datasets.objects import QUARANTINE_NAME, WARNINGS_NAME
from turntable.datasets.shards import TABLE_NAME

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
