"""The statements of an MTL file that name a texture, with their options, after the specification."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from turntable.errors import format_text
from turntable.renderer.meshes.formats.wavefront_text import parse_number, strip_comment

Channel = Literal["r", "g", "b", "m", "l", "z"]
"""Channel of an image that makes a scalar texture: red, green, blue, matte, luminance or depth."""

_NUMBER_OPTIONS = {"-s": 3, "-o": 3, "-t": 3, "-mm": 2, "-bm": 1, "-boost": 1, "-texres": 1}
"""Most numbers that follow an option. After the first, each may be left out."""
_WORD_OPTIONS = frozenset(("-clamp", "-blendu", "-blendv", "-cc", "-imfchan", "-type"))
"""Options that a word follows."""
_TOKEN = re.compile(r"\S+")
"""A word of a statement."""


@dataclass(frozen=True, slots=True)
class MapOptions:
    """Options of a texture that change the picture."""

    scale: tuple[float, float] = (1.0, 1.0)
    """Factors of the texture coordinates (``-s``)."""
    offset: tuple[float, float] = (0.0, 0.0)
    """Amounts added to the scaled texture coordinates (``-o``)."""
    base: float = 0.0
    """Amount added to the texture's values (``-mm``)."""
    gain: float = 1.0
    """Factor of the texture's values (``-mm``)."""
    clamp: bool = False
    """True if the texture covers its own square alone, and is not repeated (``-clamp on``)."""
    channel: Channel | None = None
    """Channel that makes a scalar texture (``-imfchan``), if it is given."""
    bump: float = 1.0
    """Factor of a bump map (``-bm``)."""
    not_applied: tuple[str, ...] = ()
    """Options that would change the picture and are not applied, as written."""


@dataclass(frozen=True, slots=True)
class MapReading:
    """A way to read a statement that names a texture."""

    name: str
    """Name of the file."""
    options: MapOptions = MapOptions()
    """Options of the texture."""


def read_map_statement(text: str) -> list[MapReading]:
    """Return the ways to read what follows a keyword, the likeliest first.

    A name may contain blanks, so that only the files tell where it ends. The first way takes all that follows
    the options for the name.
    """
    options, name = _split_options(text)
    plain = name.strip('"')
    readings = [MapReading(plain, options)] if plain else []
    if name != plain:
        readings.append(MapReading(name, options))
    if options != MapOptions():
        readings.append(MapReading(text))
    if "\\ " in plain:
        readings.append(MapReading(plain.replace("\\ ", " "), options))
    readings += _read_tail(plain, options)
    return list(dict.fromkeys(readings))


def _read_tail(name: str, options: MapOptions) -> Iterator[MapReading]:
    """Yield the ways to read a name that holds more than a name: a comment, options, or several names."""
    cut = strip_comment(name)
    if cut != name and cut:
        yield MapReading(cut.strip('"'), options)
    words = name.split()
    for number, word in enumerate(words):
        if number and word.lower() in (*_NUMBER_OPTIONS, *_WORD_OPTIONS):
            # Options behind the name are against the specification, but meant.
            more, _ = _split_options(" ".join([*words[number:], "name"]), options)
            yield MapReading(" ".join(words[:number]).strip('"'), more)
            break
    if len(words) > 1:
        skipped = format_text(" ".join(words[:-1]), 40)
        yield MapReading(words[-1].strip('"'), _skip_option(options, skipped))


def _split_options(text: str, options: MapOptions = MapOptions()) -> tuple[MapOptions, str]:
    """Split a statement into the options before the name, and the name."""
    tokens = [*_TOKEN.finditer(text)]
    words = [token[0] for token in tokens]
    place = 0
    while place < len(words) - 1:  # the last word is the name
        option = words[place].lower()
        if option in _NUMBER_OPTIONS:
            stop = place + 1
            while (
                stop < len(words) - 1
                and stop - place <= _NUMBER_OPTIONS[option]
                and math.isfinite(parse_number(words[stop]))
            ):
                stop += 1
        elif option in _WORD_OPTIONS:
            stop = min(place + 2, len(words) - 1)
        else:
            break
        options = _apply_option(options, option, words[place + 1 : stop])
        place = stop
    return options, text[tokens[place].start() :].strip() if tokens else ""


def _apply_option(options: MapOptions, option: str, words: list[str]) -> MapOptions:
    """Return the options with one more."""
    if option in _NUMBER_OPTIONS:
        return _apply_numbers(options, option, [parse_number(word) for word in words])
    word = words[0].lower() if words else ""
    if option == "-clamp":
        return replace(options, clamp=word == "on")
    if option == "-imfchan":
        return _apply_channel(options, word)
    if (option, word) in (("-blendu", "off"), ("-blendv", "off"), ("-cc", "on")):
        return _skip_option(options, f"{option} {word}")
    return options


def _apply_channel(options: MapOptions, word: str) -> MapOptions:
    """Return the options with the channel of this letter, if there is one."""
    channels: tuple[Channel, ...] = get_args(Channel)
    found = next((channel for channel in channels if channel == word), options.channel)
    return replace(options, channel=found)


def _apply_numbers(options: MapOptions, option: str, numbers: list[float]) -> MapOptions:
    """Return the options with one that numbers follow. Those that are left out have their default."""
    if not numbers:
        return options
    default = 1.0 if option == "-s" else 0.0
    first, second = [*numbers, default][:2]
    if option == "-s":
        return replace(options, scale=(first, second))
    if option == "-o":
        return replace(options, offset=(first, second))
    if option == "-mm":
        return replace(options, base=first, gain=second if len(numbers) > 1 else 1.0)
    if option == "-bm":
        return replace(options, bump=first)
    if (option == "-t" and any(numbers)) or (option == "-boost" and first):
        return _skip_option(options, " ".join([option, *(f"{number:g}" for number in numbers)]))
    return options


def _skip_option(options: MapOptions, text: str) -> MapOptions:
    """Return the options with one more that is not applied."""
    return replace(options, not_applied=(*options.not_applied, text))
