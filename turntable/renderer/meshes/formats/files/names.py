"""Names in mesh files, whose encoding nobody states."""

from urllib.parse import unquote_to_bytes


def decode_name(name: bytes) -> str:
    """Decode a file's or material's name: UTF-8 where it is valid, Latin-1 otherwise, as Windows wrote it."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")


def decode_percents(text: str) -> str:
    """Decode the percent signs of a URI, whose bytes are UTF-8 or Latin-1."""
    return decode_name(unquote_to_bytes(text.encode("utf-8", "surrogatepass"))) if "%" in text else text
