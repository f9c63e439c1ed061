"""pyrender's renderer with shaders of ours where its own leave out what we need.

Its segmentation pass writes triangle numbers in place of colors. Surfaces with vertex colors or with a cutoff
have a changed shader: pyrender's own would color gloss and emission too, and knows no cutoff.
"""

from functools import partial
from pathlib import Path
from typing import Any

from turntable.errors import DeviceError
from turntable.renderer.backends.pyrender.mesh_parts import SOLID_ALPHA
from turntable.renderer.meshes import ALPHA_ROUNDING

SHADERS = Path(__file__).parent / "shaders"
VERTEX_SHADER, FRAGMENT_SHADER = (str(SHADERS / f"surface.{stage}.glsl") for stage in ("vert", "frag"))
CUT = "TURNTABLE_CUT"
"""Name defined for the shaders of surfaces with a cutoff, so that they are programs of their own."""
SHARP_ALPHA = """base_color.a = material.base_color_factor.a
        * textureLod(material.base_color_texture, uv_0, 0.0).a;
    """
"""Lines of our own that read the alpha of single texels: a mean says nothing about a cutoff."""
TINT = """vec4 tint = clamp(color_multiplier * vec4(1.0, 1.0, 1.0, 1.00001), 0.0, 1.0);
    """
"""Lines of our own that clip the vertex colors."""
DECODE = """tint.rgb = mix(
        tint.rgb / 12.92, pow((tint.rgb + 0.055) / 1.055, vec3(2.4)), step(vec3(0.04045), tint.rgb));
    """
"""Lines of our own that make vertex colors linear that are sRGB values."""
MULTIPLY = """base_color *= tint;
    """
"""Lines of our own that multiply the albedo by the vertex colors."""
ENCODED = "TURNTABLE_ENCODED"
"""Name defined for the shaders of surfaces whose vertex colors are sRGB values."""
CUT_OUT = """if (base_color.a < cutoff) discard;
    base_color.a = 1.0;
    """
"""Lines of our own that leave out what is below the cutoff."""


def make_renderer(pyrender: Any) -> Any:
    """Make a pyrender ``Renderer`` whose flag SEG draws triangle numbers; call it in a current context."""
    from pyrender.renderer import Renderer
    from pyrender.shader_program import ShaderProgramCache

    class SurfacePrograms(ShaderProgramCache):
        """A cache of shader programs that replaces or changes some of pyrender's."""

        def __init__(self) -> None:
            super().__init__()
            self.extra_defines: dict[str, int] = {}
            """Names to define for the next program."""

        def get_program(
            self, vertex_shader: str, fragment_shader: str, geometry_shader: Any = None, defines: Any = None
        ) -> Any:
            name, defines = fragment_shader, {**(defines or {}), **self.extra_defines}
            if name == "segmentation.frag" or (name == "mesh_depth.frag" and CUT in defines):
                vertex_shader, fragment_shader = VERTEX_SHADER, FRAGMENT_SHADER
            program = super().get_program(vertex_shader, fragment_shader, geometry_shader, defines)
            if name == "mesh.frag" and defines.keys() & {CUT, "COLOR_0_LOC"}:
                program._load = partial(_load_changed, type(program)._load, program)
            return program

    class SurfaceRenderer(Renderer):
        """A renderer whose segmentation pass numbers triangles, and leaves out what rays pass."""

        def __init__(self) -> None:
            super().__init__(1, 1)
            self._program_cache = SurfacePrograms()
            self.first: dict[Any, int] = {}
            """Number of each primitive's first triangle; a primitive that is missing is not drawn."""
            self.cutoffs: dict[Any, float] = {}
            """Cutoff of each primitive that is cut."""
            self.has_encoded_colors = False
            """True if the vertex colors are sRGB values."""
            self.nodes: tuple[Any, ...] = ()
            """Nodes in the order in which they are drawn."""

        def _sorted_mesh_nodes(self, scene: Any) -> Any:  # noqa: ARG002
            # pyrender would sort by the distance of poses and by what it takes for transparent.
            return self.nodes

        def _get_primitive_program(self, primitive: Any, *more: Any, **named: Any) -> Any:
            is_textured = primitive.material.baseColorTexture is not None
            extra = {CUT: 1, **({"HAS_BASE_COLOR_TEX": 1} if is_textured else {})}
            encoded = {ENCODED: 1} if self.has_encoded_colors else {}
            self._program_cache.extra_defines = {**encoded, **(extra if primitive in self.cutoffs else {})}
            return super()._get_primitive_program(primitive, *more, **named)

        def _bind_and_draw_primitive(self, primitive: Any, pose: Any, program: Any, flags: int) -> None:
            cutoff = self.cutoffs.get(primitive)
            if flags & pyrender.RenderFlags.SEG:
                if primitive not in self.first:
                    return
                program.set_uniform("first", self.first[primitive])
                self._bind_alpha(primitive, program, SOLID_ALPHA if cutoff is None else _lower(cutoff))
            elif cutoff is not None and flags & pyrender.RenderFlags.DEPTH_ONLY:
                self._bind_alpha(primitive, program, _lower(cutoff))
            elif cutoff is not None:
                program.set_uniform("cutoff", _lower(cutoff))
            super()._bind_and_draw_primitive(primitive, pose, program, flags)

        def _bind_alpha(self, primitive: Any, program: Any, threshold: float) -> None:
            """Bind what our shader needs to leave out a primitive where its alpha is below a threshold."""
            material = primitive.material
            if material.baseColorTexture is not None:
                self._bind_texture(material.baseColorTexture, "cutout", program)
            program.set_uniform("alpha", float(material.baseColorFactor[3]))
            program.set_uniform("threshold", threshold)

    return SurfaceRenderer()


def _lower(cutoff: float) -> float:
    """Return a cutoff that forgives the rounding of interpolation."""
    return float(cutoff) / (1 + ALPHA_ROUNDING)


def _load_changed(load: Any, program: Any, path: str) -> str:
    """Return the text of a shader of pyrender for surfaces with vertex colors, a cutoff, or both."""
    text: str = load(program, path)
    if not path.endswith("mesh.frag"):
        return text
    is_cut = CUT in program.defines
    lines = {
        SHARP_ALPHA: is_cut and "HAS_BASE_COLOR_TEX" in program.defines,
        TINT: "COLOR_0_LOC" in program.defines,
        DECODE: "COLOR_0_LOC" in program.defines and ENCODED in program.defines,
        MULTIPLY: "COLOR_0_LOC" in program.defines,
        CUT_OUT: is_cut,
    }
    ours = "".join(line for line, used in lines.items() if used)
    text = _replace_once(text, "color *= color_multiplier;", "")
    text = _replace_once(text, "vec3 dialectric_spec =", f"{ours}vec3 dialectric_spec =")
    return _replace_once(text, "void main()", "uniform float cutoff;\nvoid main()")


def _replace_once(text: str, old: str, new: str) -> str:
    """Replace the only occurrence of a part of a shader.

    Raises:
        DeviceError: There is not exactly one.
    """
    if text.count(old) != 1:
        raise DeviceError(
            f"this pyrender has another shader ({old!r} occurs {text.count(old)} times): "
            "install scikit-robot-pyrender 0.1, or choose another backend"
        )
    return text.replace(old, new)
