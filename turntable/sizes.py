"""Sizes in bytes as texts."""

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def format_bytes(count: float) -> str:
    """Return a number of bytes in the unit that suits it: "512 bytes", "1.5 kB", "2.3 GB".

    Units are powers of 1000. From 100 of a unit on, its fraction is left out.
    """
    if count < 999.5:
        return f"{count:.0f} byte{'' if round(count) == 1 else 's'}"
    last = len(_UNITS)
    step = next((step for step in range(1, last) if count / 1000**step < 999.5), last)
    size = count / 1000**step
    return f"{size:,.0f} {_UNITS[step - 1]}" if size >= 99.95 else f"{size:.1f} {_UNITS[step - 1]}"
