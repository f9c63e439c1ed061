"""Sizes in bytes as texts."""

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def format_bytes(count: float) -> str:
    """Return a number of bytes in the unit that suits it: "512 bytes", "1.5 kB", "2.3 GB".

    Units are powers of 1000. From 100 of a unit on, its fraction is left out.
    """
    if count < 999.5:
        return f"{count:.0f} byte{'' if round(count) == 1 else 's'}"
    size, unit = float(count), ""
    for unit in _UNITS:
        size /= 1000
        if size < 999.5:
            break
    return f"{size:,.0f} {unit}" if size >= 99.95 else f"{size:.1f} {unit}"
