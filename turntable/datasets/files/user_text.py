"""Text files that users hand in, as spreadsheets and editors write them: byte-order marks, CRLF, UTF-16."""

import codecs
from pathlib import Path

from turntable.errors import InvalidInputError

BYTE_ORDER_MARK = "\ufeff"
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode_user_text(data: bytes, display_name: str) -> str:
    """Return the text of a file from its bytes, without a byte-order mark and with LF as line ends.

    UTF-16 is read too, if it begins with its mark, as PowerShell and Excel write it.

    Args:
        data: Bytes of the file.
        display_name: Name of the file in the message.

    Raises:
        InvalidInputError: The bytes are no text in UTF-8.
    """
    try:
        text = data.decode("utf-16" if data.startswith(_UTF_16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"{display_name}: not a text file in UTF-8 ({error.reason} at byte {error.start:,}); save it as "
            "UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_user_text(path: Path, max_bytes: int) -> str:
    """Read a text file that a user named.

    Args:
        path: Path of the file.
        max_bytes: Largest size of the file that is accepted.

    Raises:
        InvalidInputError: The file cannot be read, is larger, or is no text in UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if len(data) > max_bytes:
        raise InvalidInputError(f"{path}: larger than {max_bytes:,} bytes, the most that is read")
    return decode_user_text(data, str(path))


def strip_word(text: str) -> str:
    """Return a word of a list or table without a byte-order mark, and without blanks around it."""
    return text.removeprefix(BYTE_ORDER_MARK).strip()
