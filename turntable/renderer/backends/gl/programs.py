"""Shader programs from the files beside this one, built when first asked for; how their inputs are bound."""

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

Defines = tuple[tuple[str, object], ...]


class Programs:
    """Programs by their source and what is defined for them."""

    def __init__(self, context: "moderngl.Context", *, compute: bool) -> None:
        self.compute = compute
        """Whether rectangles of texels are computed; if not, they are drawn."""
        self._context = context
        self._built: dict[tuple[object, ...], Any] = {}

    def mesh(self, fragment: str, *defines: str) -> "moderngl.Program":
        """Draws a mesh (``mesh.vert``) with a fragment shader."""
        flags = tuple((name, "") for name in defines)
        return self._get("mesh", fragment, flags)

    def rectangle(self, name: str, texel_format: str, defines: Defines = ()) -> "Program":
        """Fills a rectangle of a target with what ``shade`` of file ``name`` says of each texel."""
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
            except Exception as error:  # moderngl's, which is not imported before it is needed
                raise DeviceError(
                    f"the driver cannot build shader {first!r}; update it, or give --backend embree: {error}"
                ) from error
        return self._built[key]

    def _build_mesh(self, fragment: str, header: str) -> "moderngl.Program":
        header = DRAWING_VERSION + header
        return self._context.program(
            vertex_shader=header + _text("mesh.vert"), fragment_shader=header + _text(f"{fragment}.frag")
        )

    def _build_pass(self, name: str, texel_format: str, header: str) -> "Program":
        if self.compute:
            header = f"{COMPUTE_VERSION}{header}#define TARGET_FORMAT {texel_format}\n"
            return self._context.compute_shader(header + _text(name) + _text("pass.comp"))
        header = DRAWING_VERSION + header
        return self._context.program(
            vertex_shader=DRAWING_VERSION + _text("pass.vert"),
            fragment_shader=header + _text(name) + _text("pass.frag"),
        )


def bind(program: "Program", inputs: Mapping[str, Any]) -> None:
    """Set uniforms and textures by name; what the compiler found unused is passed over."""
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
def _text(name: str) -> str:
    source = (files("turntable.renderer.backends.gl") / "shaders" / f"{name}.glsl").read_text("utf-8")
    return re.sub(r"^#include (\w+)$", lambda found: _text(found[1]), source, flags=re.MULTILINE)
