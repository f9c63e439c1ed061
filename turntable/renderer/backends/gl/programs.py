"""Shader programs, built from the files in ``shaders`` when they are first used, and their inputs."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from turntable.errors import DeviceError

if TYPE_CHECKING:
    import moderngl

    Program = moderngl.Program | moderngl.ComputeShader

DRAWING_VERSION = "#version 330 core\n"
COMPUTE_VERSION = "#version 430 core\n"
COMPUTE_VERSION_CODE = 430
"""moderngl's number of the first OpenGL version with compute shaders, 4.3."""

Defines = tuple[tuple[str, object], ...]
"""Names and values that are defined for a shader."""


class ShaderPrograms:
    """The programs of one context, by their sources and defines."""

    def __init__(self, context: "moderngl.Context", *, compute: bool) -> None:
        self.compute = compute
        """True if compute shaders fill rectangles of texels; otherwise they are drawn."""
        self._context = context
        self._built: dict[tuple[object, ...], Any] = {}

    def get_mesh_program(self, fragment: str, *defines: str) -> "moderngl.Program":
        """Return the program that draws a mesh (``mesh.vert``) with a fragment shader."""
        flags = tuple((name, "") for name in defines)
        return self._get("mesh", fragment, flags)

    def get_rectangle_program(self, name: str, texel_format: str, defines: Defines = ()) -> "Program":
        """Return the program that fills a rectangle of a target.

        Args:
            name: Name of the shader's file, whose function ``shade`` computes one texel.
            texel_format: Format of the target as compute shaders name it.
            defines: Names and values to define.
        """
        return self._get(name, texel_format if self.compute else "", defines)

    def _get(self, first: str, second: str, defines: Defines) -> Any:
        key = (first, second, defines)
        if key not in self._built:
            header = "".join(f"#define {name} {value}\n" for name, value in defines)
            try:
                self._built[key] = (
                    self._build_mesh(second, header)
                    if first == "mesh"
                    else self._build_pass(first, second, header)
                )
            except Exception as error:  # moderngl.Error, but moderngl is imported only where it is needed
                raise DeviceError(
                    f"the driver cannot build shader {first!r}; update it, or give --backend embree: {error}"
                ) from error
        return self._built[key]

    def _build_mesh(self, fragment: str, header: str) -> "moderngl.Program":
        header = DRAWING_VERSION + header
        return self._context.program(
            vertex_shader=header + _read_shader("mesh.vert"),
            fragment_shader=header + _read_shader(f"{fragment}.frag"),
        )

    def _build_pass(self, name: str, texel_format: str, header: str) -> "Program":
        if self.compute:
            header = f"{COMPUTE_VERSION}{header}#define TARGET_FORMAT {texel_format}\n"
            return self._context.compute_shader(header + _read_shader(name) + _read_shader("pass.comp"))
        header = DRAWING_VERSION + header
        return self._context.program(
            vertex_shader=DRAWING_VERSION + _read_shader("pass.vert"),
            fragment_shader=header + _read_shader(name) + _read_shader("pass.frag"),
        )


def bind_inputs(program: "Program", inputs: Mapping[str, Any]) -> None:
    """Set uniforms and textures by name; inputs that the compiler removed as unused are skipped."""
    unit = 0
    for name, value in inputs.items():
        if name not in program:
            continue
        if hasattr(value, "use"):
            value.use(unit)
            program[name] = unit
            unit += 1
        else:
            program[name] = value


@cache
def _read_shader(name: str) -> str:
    source = (files("turntable.renderer.backends.gl") / "shaders" / f"{name}.glsl").read_text("utf-8")
    # GLSL has no #include: replace such lines by the files they name.
    return re.sub(r"^#include (\w+)$", lambda match: _read_shader(match[1]), source, flags=re.MULTILINE)
