"""Passes over rectangles of a target, view by view: in compute shaders, or drawn where there are none."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.gl.programs import Defines, Programs, bind

if TYPE_CHECKING:
    import moderngl

    from turntable.renderer.backends.gl.targets import ViewTargets

GROUP_PX = 8
"""The side of a work group in ``shaders/pass.comp.glsl``."""
FORMATS = {"f2": "rgba16f", "f1": "rgba8"}
"""Of targets with four channels, by moderngl's name."""

Inputs = dict[str, Any]
"""Uniform values and textures by their name in the shaders."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Part of a target that belongs to one view."""

    view: int
    first: tuple[int, int]
    last: tuple[int, int]
    """One past."""
    inputs: Inputs = field(default_factory=dict[str, Any])
    """What is this view's own."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.first[0] >= self.last[0] or self.first[1] >= self.last[1]


class ViewBlocks:
    """The numbers of each view on the device, one block a view."""

    def __init__(self, context: "moderngl.Context", blocks: NDArray[np.float32]) -> None:
        self._buffer = context.buffer(blocks.tobytes())
        self._size = blocks[0].nbytes

    def use(self, view: int) -> None:
        """Let programs read a view's block."""
        self._buffer.bind_to_uniform_block(0, offset=view * self._size, size=self._size)

    def release(self) -> None:
        """Free its memory on the device."""
        self._buffer.release()


class RectanglePasses:
    """Runs programs of :meth:`Programs.rectangle`."""

    def __init__(self, context: "moderngl.Context", programs: Programs) -> None:
        self._context, self._programs = context, programs
        self._arrays: dict[Any, moderngl.VertexArray] = {}

    def run(
        self,
        name: str,
        targets: "ViewTargets",
        target: "moderngl.Texture",
        rectangles: Iterable[Rectangle],
        blocks: ViewBlocks,
        inputs: Inputs,
        defines: Defines = (),
        *,
        behind: bool = False,
    ) -> None:
        """Fill rectangles of a target.

        Args:
            name: Of the shader's file.
            targets: Those the target belongs to.
            target: Four channels.
            rectangles: The parts to fill; empty ones are passed over.
            blocks: Of the views.
            inputs: What all rectangles share.
            defines: For the shader.
            behind: Whether to add to what is there, as far as its alpha lets through.
        """
        flags = (*defines, ("BEHIND", "")) if behind else defines
        program = self._programs.rectangle(name, FORMATS[target.dtype], flags)
        if "View" in program:
            program["View"].binding = 0  # pyright: ignore[reportAttributeAccessIssue]
        bind(program, inputs)
        draw = self._compute if self._programs.compute else self._draw
        self._begin(targets, target, behind)
        for item in rectangles:
            if not item.empty:
                blocks.use(item.view)
                bind(program, {**item.inputs, "rectangle": (*item.first, *item.last)})
                draw(program, item)
        self._end(behind)

    def _begin(self, targets: "ViewTargets", target: "moderngl.Texture", behind: bool) -> None:
        context = self._context
        if self._programs.compute:
            context.memory_barrier()
            target.bind_to_image(0, read=behind, write=True)
            return
        targets.framebuffer_of(target).use()
        context.disable(context.DEPTH_TEST)
        if behind:
            context.enable(context.BLEND)
            context.blend_func = context.ONE_MINUS_DST_ALPHA, context.ONE

    def _end(self, behind: bool) -> None:
        context = self._context
        if self._programs.compute:
            context.memory_barrier()
            return
        if behind:
            context.disable(context.BLEND)
        context.enable(context.DEPTH_TEST)

    def _compute(self, program: Any, item: Rectangle) -> None:
        across, down = (-(-(b - a) // GROUP_PX) for a, b in zip(item.first, item.last, strict=True))
        program.run(across, down)

    def _draw(self, program: Any, item: Rectangle) -> None:  # noqa: ARG002
        if program not in self._arrays:
            self._arrays[program] = self._context.vertex_array(program, [])
        bind(program, {"target_px": self._context.fbo.size})
        self._arrays[program].render(self._context.TRIANGLE_STRIP, vertices=4)
