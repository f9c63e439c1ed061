"""pyrender's segmentation pass with a shader of ours: it writes numbers of triangles instead of colours."""

from pathlib import Path
from typing import Any

SHADERS = Path(__file__).parent / "shaders"


def make_renderer(pyrender: Any) -> Any:
    """A pyrender ``Renderer`` whose flag SEG gives triangle numbers; to be made in a current context."""
    from pyrender.renderer import Renderer
    from pyrender.shader_program import ShaderProgramCache

    class SurfacePrograms(ShaderProgramCache):
        """Whatever segmentation asks for, our pair of shaders."""

        def get_program(self, vertex_shader: str, fragment_shader: str, *more: Any, **named: Any) -> Any:
            if fragment_shader == "segmentation.frag":
                vertex_shader = str(SHADERS / "surface.vert.glsl")
                fragment_shader = str(SHADERS / "surface.frag.glsl")
            return super().get_program(vertex_shader, fragment_shader, *more, **named)

    class SurfaceRenderer(Renderer):
        """Numbers triangles in segmentation, and lets it see through what is clear."""

        def __init__(self) -> None:
            super().__init__(1, 1)
            self._program_cache = SurfacePrograms()
            self.first: dict[Any, int] = {}
            """The number of each primitive's first triangle; those that are missing are not drawn."""

        def _bind_and_draw_primitive(self, primitive: Any, pose: Any, program: Any, flags: int) -> None:
            if flags & pyrender.RenderFlags.SEG:
                if primitive not in self.first:
                    return
                program.set_uniform("first", self.first[primitive])
                material = primitive.material
                if material.baseColorTexture is not None:
                    self._bind_texture(material.baseColorTexture, "cutout", program)
                    program.set_uniform("alpha", float(material.baseColorFactor[3]))
            super()._bind_and_draw_primitive(primitive, pose, program, flags)

    return SurfaceRenderer()
