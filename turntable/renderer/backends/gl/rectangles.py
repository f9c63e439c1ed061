"""Passes that fill rectangles of a target, view by view: in compute shaders, or drawn if there are none."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.gl.programs import Defines, ShaderPrograms, bind_inputs

if TYPE_CHECKING:
    import moderngl

    from turntable.renderer.backends.gl.targets import ViewTargets

GROUP_PX = 8
"""Width of a work group in ``shaders/pass.comp.glsl``."""
FORMATS = {"f2": "rgba16f", "f1": "rgba8"}
"""Formats of targets with four channels as compute shaders name them, by moderngl's names."""

ShaderInputs = dict[str, Any]
"""Uniform values and textures by their names in the shaders."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """The part of a target that belongs to one view."""

    view: int
    first: tuple[int, int]
    """First texel, x and y."""
    last: tuple[int, int]
    """Last texel plus one, x and y."""
    inputs: ShaderInputs = field(default_factory=dict[str, Any])
    """Inputs of this view alone."""

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to fill."""
        return self.first[0] >= self.last[0] or self.first[1] >= self.last[1]


class ViewBlocks:
    """The numbers of all views on the device, one block per view."""

    def __init__(self, context: "moderngl.Context", blocks: NDArray[np.float32]) -> None:
        self._buffer = context.buffer(blocks.tobytes())
        self._size = blocks[0].nbytes

    def use(self, view: int) -> None:
        """Bind a view's block for the programs that run next."""
        self._buffer.bind_to_uniform_block(0, offset=view * self._size, size=self._size)

    def release(self) -> None:
        """Free the memory on the device."""
        self._buffer.release()


class RectanglePasses:
    """A runner of the programs of :meth:`ShaderPrograms.get_rectangle_program`."""

    def __init__(self, context: "moderngl.Context", programs: ShaderPrograms) -> None:
        self._context, self._programs = context, programs
        self._arrays: dict[Any, moderngl.VertexArray] = {}

    def run(
        self,
        name: str,
        targets: "ViewTargets",
        target: "moderngl.Texture",
        rectangles: Iterable[Rectangle],
        blocks: ViewBlocks,
        inputs: ShaderInputs,
        defines: Defines = (),
        *,
        behind: bool = False,
    ) -> None:
        """Fill rectangles of a target.

        Args:
            name: Name of the shader's file.
            targets: Targets that ``target`` belongs to.
            target: Texture with four channels.
            rectangles: Parts to fill; empty ones are skipped.
            blocks: Blocks of the views.
            inputs: Inputs that all rectangles share.
            defines: Names and values to define for the shader.
            behind: True to add to what is there, as much as its alpha lets through.
        """
        flags = (*defines, ("BEHIND", "")) if behind else defines
        program = self._programs.get_rectangle_program(name, FORMATS[target.dtype], flags)
        if "View" in program:
            program["View"].binding = 0  # pyright: ignore[reportAttributeAccessIssue]
        bind_inputs(program, inputs)
        draw = self._compute if self._programs.compute else self._draw
        self._begin(targets, target, behind)
        for item in rectangles:
            if not item.is_empty:
                blocks.use(item.view)
                bind_inputs(program, {**item.inputs, "rectangle": (*item.first, *item.last)})
                draw(program, item)
        self._end(behind)

    def _begin(self, targets: "ViewTargets", target: "moderngl.Texture", behind: bool) -> None:
        context = self._context
        if self._programs.compute:
            # Compute shaders are not ordered with drawing: wait until what they read has been written, and
            # below until what they write can be read.
            context.memory_barrier()
            target.bind_to_image(0, read=behind, write=True)
            return
        targets.get_framebuffer(target).use()
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
        # The four corners come from gl_VertexID, so the vertex array has no buffers.
        if program not in self._arrays:
            self._arrays[program] = self._context.vertex_array(program, [])
        bind_inputs(program, {"target_px": self._context.fbo.size})
        self._arrays[program].render(self._context.TRIANGLE_STRIP, vertices=4)
