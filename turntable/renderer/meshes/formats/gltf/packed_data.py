"""Errors of compressed data in glTF files, whatever library unpacks it."""

from turntable.errors import MeshError
from turntable.installation import format_install_command


def make_library_error(location: str, compression: str) -> MeshError:
    """Return the error of data whose library is not installed.

    Args:
        location: File and buffer view.
        compression: Name of the compression and of its extension.
    """
    return MeshError(
        f"{location} is compressed with {compression}; install what unpacks it "
        f"({format_install_command('compressed')}) or export without compression",
        reason="unsupported",
    )


def make_broken_error(location: str, error: Exception) -> MeshError:
    """Return the error of data that its library cannot unpack.

    Args:
        location: File and buffer view.
        error: Error of the library.
    """
    return MeshError(
        f"{location}: its compressed data is broken ({str(error)[:80]}); get it again from its source",
        reason="unreadable",
    )
