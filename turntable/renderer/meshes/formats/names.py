"""Names in mesh files, whose encoding nobody states."""


def decode_name(name: bytes) -> str:
    """Decode a file's or material's name: UTF-8 where it is valid, Latin-1 otherwise, as Windows wrote it."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")
