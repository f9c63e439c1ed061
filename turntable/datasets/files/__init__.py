"""Files: written whole or not at all, and read without believing what they claim."""

from turntable.datasets.files import limits
from turntable.datasets.files.digests import canonical_json, file_sha256, is_digest, sha256_of
from turntable.datasets.files.folder_files import FolderFiles
from turntable.datasets.files.json_fields import FieldError, Fields, parse_json
from turntable.datasets.files.limits import MOST_MANIFEST_BYTES, MOST_SAMPLES, MOST_SIZE_PX, most_member_bytes
from turntable.datasets.files.names import (
    checked_name,
    extra_member,
    image_member,
    labels_member,
    meta_member,
    object_key,
    points_member,
)
from turntable.datasets.files.npy import (
    MOST_LIST_BYTES,
    array_in,
    npy_bytes,
    parse_npy,
    parse_points,
    read_npy,
)
from turntable.datasets.files.pixels import decode_jpeg, encode_jpeg
from turntable.datasets.files.storage import (
    TEMPORARY_SUFFIX,
    append_line,
    atomic_file,
    clear_disk_errors,
    decoded,
    flush_to_disk,
    open_plain,
    put_in_place,
    read_lines,
    remove_all_temporaries,
    remove_temporaries,
    temporary_path,
    write_bytes,
    write_text,
)

__all__ = [
    "MOST_LIST_BYTES",
    "MOST_MANIFEST_BYTES",
    "MOST_SAMPLES",
    "MOST_SIZE_PX",
    "TEMPORARY_SUFFIX",
    "FieldError",
    "Fields",
    "FolderFiles",
    "append_line",
    "array_in",
    "atomic_file",
    "canonical_json",
    "checked_name",
    "clear_disk_errors",
    "decode_jpeg",
    "decoded",
    "encode_jpeg",
    "extra_member",
    "file_sha256",
    "flush_to_disk",
    "image_member",
    "is_digest",
    "labels_member",
    "limits",
    "meta_member",
    "most_member_bytes",
    "npy_bytes",
    "object_key",
    "open_plain",
    "parse_json",
    "parse_npy",
    "parse_points",
    "points_member",
    "put_in_place",
    "read_lines",
    "read_npy",
    "remove_all_temporaries",
    "remove_temporaries",
    "sha256_of",
    "temporary_path",
    "write_bytes",
    "write_text",
]
