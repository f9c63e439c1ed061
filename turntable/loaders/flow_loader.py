"""The loader of objects that move over a torus: exact two-dimensional flows of stored pictures."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.stores.cache import CacheChoice
from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_type
from turntable.loaders.batch_config import BatchConfig, check_config
from turntable.loaders.draws import FlowMotion
from turntable.loaders.engines import BatchRequest, EngineName, RawBatch
from turntable.loaders.fields import FRAMES, IMAGES, NamedArrays
from turntable.loaders.flow_frames import compose_frames
from turntable.loaders.loader import Loader, Window
from turntable.loaders.sampling import IntArray, Samples, Sequences, Singles, draw_partner_distance

_MASK = "mask"


class Flow2d(Loader):
    """Frames of one or two objects that move over a torus, each by a whole number of pixels a frame.

    The pictures of a data set with masks are cut out and put on a plain background. Every frame is the one
    before, shifted circularly by the label ``velocity_px``, so the flow is exact (Flow Equivariant Recurrent
    Neural Networks, arXiv:2507.14793). With the sampler ``Sequences(k)`` the picture of frame t is that of
    view t: the motion is then added to that of the sequence, like a camera that pans.

    Order, states, ranks and workers are those of :class:`~turntable.loaders.Loader`. The motion is a pure
    function of the seed, the epoch and the sample's position. The second object of a sample is the first one
    of another, so that every object comes as often as first as it does as second.

    A batch has:

    - ``frames``, uint8 [B, T, 3, S, S] in channels-last memory, as an array [B, T, S, S, 3],
    - ``velocity_px``, int64 [B, objects, 2] in pixels a frame, right and down,
    - ``position_px``, int64 [B, objects, 2], the left top corner of each picture in frame 0, right and down,
    - ``category``, ``object_index`` and ``view_index``, int64 [B, objects], and the fields named in
      ``config.fields``, [B, objects, ...]; those of views and steps have their axis after that of objects if
      the sampler takes several views.

    Args:
        path_or_url: Path or URL of the data set.
        config: Settings of the batches. ``sampler`` may take one view (by default ``Singles()``) or be
            ``Sequences``. ``image_size`` is the side of the pictures. ``fields`` by default are none.
        motion: Motion of the objects.
        engine: "ring" or "dataloader", as for ``Loader``.
        where: Condition that the labels of a view must meet; None: all views.
        window_shards: Number of shards that samples are drawn from at a time.
        cache: Cache for the shards of a URL.
        token: Token for the URL's server.

    Raises:
        IntegrityError: There is no finished data set.
        InvalidInputError: An argument is wrong, the data have no masks, or an epoch has less than one batch.
        StoreError: The folder or URL cannot be reached.
    """

    def __init__(
        self,
        path_or_url: str | Path,
        config: BatchConfig = BatchConfig(),
        motion: FlowMotion = FlowMotion(),
        *,
        engine: EngineName = "ring",
        where: str | None = None,
        window_shards: Window = "auto",
        cache: CacheChoice = None,
        token: str | None = None,
    ) -> None:
        check_config(config)
        check_type("motion", motion, FlowMotion, "give a FlowMotion, such as FlowMotion(num_frames=20)")
        sampler = Singles() if config.sampler is None else config.sampler
        _check_settings(replace(config, sampler=sampler), motion)
        self._asked = tuple(config.fields or ())
        stored = (_MASK,) if motion.cut_out else ()
        super().__init__(
            path_or_url,
            replace(config, sampler=sampler, fields=(*self._asked, *stored)),
            engine=engine,
            where=where,
            window_shards=window_shards,
            cache=cache,
            token=token,
        )
        if not self._spec.has_pictures:
            raise InvalidInputError(
                f"{self.dataset.path_or_url} has no pictures that could move; render with --outputs rgb,mask"
            )
        picture_px = self._spec.image_size
        self._motion, self._canvas_px = motion, motion.canvas_px or picture_px
        if self._canvas_px < picture_px:
            raise InvalidInputError(
                f"canvas_px {self._canvas_px}: the pictures have {picture_px} px; give a larger canvas, or"
                " BatchConfig(image_size=...)"
            )
        if motion.objects > 1 and self.num_samples < motion.objects:
            raise InvalidInputError("two objects of a sample need an epoch of two samples; give more visits")
        draws = replace(self._spec.draws, motion=motion, canvas_px=self._canvas_px)
        self._spec = replace(self._spec, draws=draws)
        self._leading_axes, self._rows_per_sample = self._spec.leading_axes, motion.objects

    def state_dict(self) -> dict[str, Any]:
        """Return the position of the consumer, as plain values. It is refused by a loader of other motion."""
        state = super().state_dict()
        text = f"{state['order']}\0{self._motion!r}"
        return state | {"order": hashlib.sha256(text.encode()).hexdigest()[:16]}

    def _make_request(self, samples: Samples, epoch: int, positions: IntArray) -> BatchRequest:
        """Make the request of all first objects and then of all second ones.

        The positions of second objects count on from the end of the epoch, so that they move in other ways.
        """
        first = positions % len(samples)
        if self._motion.objects == 1:
            return BatchRequest(samples[first], epoch, first)
        distance = draw_partner_distance(self._count_reachable(), self._order.seed, epoch)
        rows = np.concatenate([first, (first + distance) % len(samples)])
        return BatchRequest(samples[rows], epoch, np.concatenate([first, first + len(samples)]))

    def _count_reachable(self) -> int:
        """Return the largest distance of two objects of a sample: half a window, as far as there are any."""
        order, others = self._order, self.num_samples - 1
        if order.window_shards is None:
            return others
        share = order.window_shards / len(np.unique(order.selection.shards))
        return max(1, min(others, int(self.num_samples * share / 2)))

    def _complete_batch(self, raw: RawBatch, num_rows: int) -> dict[str, Any]:
        self._record_corrupt_views(raw.corrupt)
        # Frames are new memory, which is not locked even if the pictures' memory is.
        return self._to_output(self._name_arrays(raw, num_rows))

    def _name_arrays(self, raw: RawBatch, num_rows: int) -> NamedArrays:
        arrays = {name: self._split_objects(name, array, num_rows) for name, array in raw.arrays.items()}
        frames = self._compose_frames(arrays)
        hidden = {IMAGES, _MASK} - set(self._asked)
        named = {name: self._order_axes(name, array) for name, array in arrays.items() if name not in hidden}
        return {FRAMES: frames} | named

    def _split_objects(self, name: str, array: NDArray[Any], num_rows: int) -> NDArray[Any]:
        """Return an array of an engine as [O, B, ...], or as [O, B, k, ...] if it belongs to views."""
        if self._leading_axes(name):
            array = array.swapaxes(0, 1)
        num_objects = self._motion.objects
        return array[: num_rows * num_objects].reshape(num_objects, num_rows, *array.shape[1:])

    def _compose_frames(self, arrays: NamedArrays) -> NDArray[np.uint8]:
        times = np.arange(self._motion.num_frames)
        position, velocity = arrays["position_px"], arrays["velocity_px"]
        return compose_frames(
            arrays[IMAGES],
            arrays[_MASK][:, :, :, 0] if self._motion.cut_out else None,
            position[:, :, None] + times[:, None] * velocity[:, :, None],
            self._canvas_px,
            self._motion.background,
            disc=self._motion.disc,
        )

    def _order_axes(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array [O, B, ...] as users get it, [B, O, ...], in memory of its own."""
        if self._leading_axes(name) == (1,) and self.view_sampler.naming == "single":
            array = array[:, :, 0]
        return np.ascontiguousarray(array.swapaxes(0, 1))


def _check_settings(config: BatchConfig, motion: FlowMotion) -> None:
    """Check that samples are single views or sequences, and that nothing else changes the pictures.

    Raises:
        InvalidInputError: They are not.
    """
    sampler = config.sampler
    assert sampler is not None
    if isinstance(sampler, Sequences):
        if sampler.views != motion.num_frames:
            raise InvalidInputError(
                f"Sequences({sampler.views}) has {sampler.views} views for {motion.num_frames} frames; give"
                f" FlowMotion(num_frames={sampler.views}), since frame t shows view t"
            )
    elif sampler.views != 1:
        raise InvalidInputError(
            f"sampler {sampler!r}: Flow2d moves one view, with Singles() or Views(), or the views of a"
            " sequence, with Sequences(k)"
        )
    if config.augmentation is not None or config.crops:
        raise InvalidInputError(
            "Flow2d composes frames of pictures as they are stored: leave augmentation and crops out, and"
            " change the frames afterwards"
        )
