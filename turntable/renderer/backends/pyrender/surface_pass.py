"""pyrender's segmentation pass with our own shader, which writes triangle numbers in place of colors."""

from pathlib import Path
from typing import Any

SHADERS = Path(__file__).parent / "shaders"


def make_renderer(pyrender: Any) -> Any:
    """Make a pyrender ``Renderer`` whose flag SEG draws triangle numbers; call it in a current context."""
    from pyrender.renderer import Renderer
    from pyrender.shader_program import ShaderProgramCache

    class SurfacePrograms(ShaderProgramCache):
        """A cache of shader programs that replaces those of the segmentation pass by ours."""

        def get_program(self, vertex_shader: str, fragment_shader: str, *more: Any, **named: Any) -> Any:
            if fragment_shader == "segmentation.frag":
                vertex_shader = str(SHADERS / "surface.vert.glsl")
                fragment_shader = str(SHADERS / "surface.frag.glsl")
            return super().get_program(vertex_shader, fragment_shader, *more, **named)

    class SurfaceRenderer(Renderer):
        """A renderer whose segmentation pass numbers triangles, and leaves out transparent texels."""

        def __init__(self) -> None:
            super().__init__(1, 1)
            self._program_cache = SurfacePrograms()
            self.first: dict[Any, int] = {}
            """Number of each primitive's first triangle; a primitive that is missing is not drawn."""

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
