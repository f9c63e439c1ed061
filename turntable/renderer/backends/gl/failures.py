"""OpenGL's errors as turntable's: a device out of memory, a lost device, or a driver that is too old."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from turntable.errors import DeviceError, DeviceLostError, MeshError
from turntable.renderer.meshes import Mesh

if TYPE_CHECKING:
    import moderngl

NO_ERROR, OUT_OF_MEMORY = "GL_NO_ERROR", "GL_OUT_OF_MEMORY"
LARGE_MESH_BYTES = 256 * 2**20
"""Size of vertices, triangles and textures from which a lack of memory is the mesh's fault."""


class OutOfMemoryError(Exception):
    """A lack of memory on the device for what was begun; with fewer views it may work."""


@contextmanager
def raise_gl_errors(context: "moderngl.Context") -> Generator[None, None, None]:
    """Raise errors that OpenGL only notes in a flag, at the end of the ``with`` block.

    Raises:
        OutOfMemoryError: The device has no memory left.
        DeviceLostError: OpenGL noted any other error: after a reset, nothing it returns is right.
    """
    import moderngl

    _ = context.error  # reading clears the flag of errors from before
    try:
        yield
    except moderngl.Error as error:  # an object could not be created; the flag may tell why
        if context.error in (NO_ERROR, OUT_OF_MEMORY):
            raise OutOfMemoryError(str(error)) from error
        raise DeviceLostError(f"OpenGL could not go on ({error})") from error
    noted = context.error
    if noted == OUT_OF_MEMORY:
        raise OutOfMemoryError(noted)
    if noted != NO_ERROR:
        raise DeviceLostError(f"OpenGL lost its device, or could not go on ({noted})")


def make_out_of_memory_error(mesh: Mesh, image_px: int, error: OutOfMemoryError) -> MeshError | DeviceError:
    """Return the error for a mesh of which not even one view can be drawn."""
    size = estimate_device_bytes(mesh)
    if size > LARGE_MESH_BYTES:
        return MeshError(
            f"the device has no memory for a mesh of {len(mesh.triangles)} triangles and "
            f"{size / 2**20:.0f} MiB ({error}); decimate it, or leave this object out",
            reason="device out of memory",
        )
    return DeviceError(
        f"the device has no memory for one view of {image_px} px ({error}); use fewer --workers, a smaller "
        "--image-size or a lower --quality, or free the memory that other programs hold"
    )


def estimate_device_bytes(mesh: Mesh) -> int:
    """Estimate the memory that a mesh takes on the device."""
    pairs = ((item.texture, item.emission_texture) for item in mesh.materials)
    textures = {id(texture): texture.pixels.size for pair in pairs for texture in pair if texture}
    # 36 bytes is the size of a VERTEX, and 16 that of a color; mipmaps add a third to a texture.
    vertex = 36 if mesh.colors is None else 52
    return mesh.triangles.size * 4 + len(mesh.positions) * vertex + sum(textures.values()) * 4 // 3
