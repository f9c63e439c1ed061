"""Text of OBJ and MTL files in any encoding and with any line ends, and its statements written plainly."""

import codecs
import re

_SAMPLE_SIZE = 512
"""Number of bytes by which an encoding is recognized."""
_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte-order marks and their encodings, the longer ones first."""
_CONTINUATION = re.compile(rb"\\[ \t]*\n")
"""A backslash at the end of a line, which continues it on the next."""
_BLANKS = bytes.maketrans(b"\v\f", b"  ")
"""Table that makes blanks of rarer white space."""
_COMMENT = re.compile(
    rb"^([ \t]*(?:v[tn]?|fo?)[ \t](?:[^#\n]|(?<=\.)#)*+)#[^\n]*", re.MULTILINE | re.IGNORECASE
)
"""A statement without names that a comment follows. Behind a point, "#" begins no comment: "-1.#IND"."""
_NAME_COMMENT = re.compile(r"(?<!\s)\s++#.*$", re.DOTALL)
"""A comment behind a name. Each run of blanks is tried once, from its beginning."""
_KEYWORD = re.compile(rb"^[ \t]*(?:v[tn]?|fo?|usemtl|mtllib)(?=\s|$)", re.MULTILINE | re.IGNORECASE)
"""The keyword of a statement that is read."""
_NUMBERS = re.compile(rb"^(v[tn]?)[ \t]([^\n]*[,dD][^\n]*)", re.MULTILINE)
"""A statement of numbers that may hold decimal commas or the exponents of Fortran."""
_EXPONENT = re.compile(rb"([0-9.])[dD]([+-]?[0-9])")
"""The exponent of a number as Fortran writes it."""


def normalize_text(data: bytes) -> bytes:
    """Return a text with lines ended by LF, in UTF-8 if it was in UTF-16 or UTF-32.

    The bytes of another encoding stay as they are.
    """
    data = _to_utf8(data)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data


def _to_utf8(data: bytes) -> bytes:
    """Return the text in UTF-8 if it is in UTF-16 or UTF-32, else as it is, without a byte-order mark."""
    if data.startswith(codecs.BOM_UTF8):
        return data.removeprefix(codecs.BOM_UTF8)
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace").encode("utf-8", "replace")
    sample = data[:_SAMPLE_SIZE]
    # Letters, digits and blanks in UTF-16 have a zero in one of their two bytes, and in no other encoding.
    if sample.count(0) * 3 > len(sample):
        encoding = "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
        return data.decode(encoding, "replace").encode("utf-8", "replace")
    return data


def rewrite_statements(data: bytes) -> bytes:
    """Write the statements of a normalized OBJ text plainly.

    Continued lines are joined, comments behind statements removed, keywords written in lower case, and
    numbers written with a point and the exponent "e".
    """
    data = _CONTINUATION.sub(b" ", data).translate(_BLANKS)
    if b"#" in data:
        data = _COMMENT.sub(rb"\1", data)
    data = _KEYWORD.sub(lambda match: _format_keyword(match[0]), data)
    return _NUMBERS.sub(lambda match: match[1] + b" " + _format_numbers(match[1], match[2]), data)


def _format_keyword(word: bytes) -> bytes:
    """Return a keyword in lower case; that of a face in its older form is ``fo``."""
    word = word.strip().lower()
    return b"f" if word == b"fo" else word


def _format_numbers(keyword: bytes, text: bytes) -> bytes:
    """Return the numbers of a statement with decimal points.

    A comma separates numbers where reading it as a decimal comma would leave too few of them.
    """
    text = _EXPONENT.sub(rb"\1e\2", text)
    if b"," not in text:
        return text
    words = text.split()
    is_decimal = all(word.count(b",") < 2 and not word.endswith(b",") for word in words)
    if is_decimal and len(words) >= (1 if keyword == b"vt" else 3):
        return text.replace(b",", b".")
    return text.replace(b",", b" ")


def strip_comment(name: str) -> str:
    """Return a name without the comment behind it, and without the blanks between them."""
    return _NAME_COMMENT.sub("", name)


def parse_number(word: str) -> float:
    """Parse one number, written with a point or comma and an exponent of "e" or "d"; NaN if it is none."""
    try:
        return float(word)
    except ValueError:
        pass
    try:
        return float(re.sub("[dD]", "e", word.replace(",", ".")))
    except ValueError:
        return float("nan")
