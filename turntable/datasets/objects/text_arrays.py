"""Names of objects in arrays of text, as numpy and the tools around it write them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import strip_word


def join_rows(table: NDArray[Any]) -> list[str]:
    """Return the rows of an array of text, each as one text, without blanks and byte-order marks.

    Args:
        table: Array [N], or [N, C] whose words are joined by slashes, of text or of bytes in UTF-8.
    """
    rows = (np.char.decode(table, "utf-8", "replace") if table.dtype.kind == "S" else table).tolist()
    return ["/".join(map(strip_word, row if isinstance(row, list) else [row])) for row in rows]
