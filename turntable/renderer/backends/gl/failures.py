"""What OpenGL's own errors mean to a run: a device out of memory, a lost one, or a driver too old."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from turntable.errors import DeviceError, DeviceLostError, MeshError
from turntable.renderer.meshes import Mesh

if TYPE_CHECKING:
    import moderngl

NO_ERROR, OUT_OF_MEMORY = "GL_NO_ERROR", "GL_OUT_OF_MEMORY"
LARGE_BYTES = 256 * 2**20
"""Of vertices, triangles and textures: with more, a device without memory is the mesh's fault."""


class OutOfMemoryError(Exception):
    """The device has no memory for what was begun; less of it may do."""


@contextmanager
def told(context: "moderngl.Context") -> Generator[None, None, None]:
    """Errors that OpenGL only notes, as exceptions.

    Raises:
        OutOfMemoryError: The device has no memory left.
        DeviceLostError: Anything else that OpenGL noted: after a reset it answers nothing right.
    """
    import moderngl

    _ = context.error  # of others, before: asking forgets it
    try:
        yield
    except moderngl.Error as error:  # something could not be made; the flag may say why
        if context.error in (NO_ERROR, OUT_OF_MEMORY):
            raise OutOfMemoryError(str(error)) from error
        raise DeviceLostError(f"OpenGL could not go on ({error})") from error
    noted = context.error
    if noted == OUT_OF_MEMORY:
        raise OutOfMemoryError(noted)
    if noted != NO_ERROR:
        raise DeviceLostError(f"OpenGL lost its device, or could not go on ({noted})")


def no_memory(mesh: Mesh, image_px: int, error: OutOfMemoryError) -> MeshError | DeviceError:
    """What to tell the user when not even one view of a mesh can be drawn."""
    size = mesh_bytes(mesh)
    if size > LARGE_BYTES:
        return MeshError(
            f"the device has no memory for a mesh of {len(mesh.triangles)} triangles and "
            f"{size / 2**20:.0f} MiB ({error}); decimate it, or leave this object out",
            reason="device out of memory",
        )
    return DeviceError(
        f"the device has no memory for one view of {image_px} px ({error}); use fewer --workers, a smaller "
        "--image-size or a lower --quality, or free the memory that other programs hold"
    )


def mesh_bytes(mesh: Mesh) -> int:
    """About what a mesh takes on the device."""
    textures = {id(item.texture): item.texture.pixels.size for item in mesh.materials if item.texture}
    return mesh.triangles.size * 4 + len(mesh.positions) * 36 + sum(textures.values()) * 4 // 3
