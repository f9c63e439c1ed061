"""The assignment of samples to renderers, for online views."""

import numpy as np

from turntable.datasets.draws import IntArray, RenderBlocks


class RendererScheduler:
    """The assignment of a batch's rows to renderers.

    Renderers get equal numbers of new blocks. An object stays with the renderer that has loaded its mesh, as
    far as the balance allows.

    Args:
        num_workers: Number of renderers.
        blocks: Division of an object's views into blocks. A renderer draws a block at once and keeps it, so
            that more samples of the same block cost nothing.
    """

    def __init__(self, num_workers: int, blocks: RenderBlocks) -> None:
        self._num_workers, self._blocks = num_workers, blocks
        self._latest: dict[int, tuple[int, int]] = {}
        """Renderer of each object, and the first view of the block that it has drawn last."""

    def assign_rows(self, objects: IntArray, views: IntArray) -> list[IntArray]:
        """Return the rows [b] of a batch that each renderer is to draw.

        Args:
            objects: [B] rows of the objects in the split.
            views: [B] numbers of the samples' first views.
        """
        blocks = [
            (row, self._blocks.get_block_start(view))
            for row, view in zip(objects.tolist(), views.tolist(), strict=True)
        ]
        new_blocks = {(row, first) for row, first in blocks if self._latest.get(row, (0, -1))[1] != first}
        share, loads = -(-len(new_blocks) // self._num_workers), [0] * self._num_workers
        rows: list[list[int]] = [[] for _ in loads]
        for index, (row, first) in enumerate(blocks):
            worker, latest = self._latest.get(row, (-1, -1))
            if latest != first:
                # A new block goes to the object's renderer, unless that has its share of this batch already.
                if worker < 0 or loads[worker] >= share:
                    worker = loads.index(min(loads))
                loads[worker] += 1
                self._latest[row] = (worker, first)
            rows[worker].append(index)
        return [np.array(assigned, dtype=np.int64) for assigned in rows]
